"""The list of models, promotion by name and the way back, as the command line has them."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bot.commands import models
from bot.values.clock import MovedClock
from nlu.registry import NoSuchModel, Registry

FIGURES = {"lenient": 0.947, "crisis_noticed": {"right": 14, "of": 15}}


@pytest.fixture
def folder(tmp_path: Path, clock: MovedClock) -> Path:
    """Two models that served one after another, and one that was refused."""
    registry = Registry(tmp_path)
    for name in ("aaaa", "bbbb", "cccc"):
        (tmp_path / f"{name}.tar.gz").write_bytes(b"")
    registry.promote(tmp_path / "aaaa.tar.gz", clock.now())
    registry.promote(tmp_path / "bbbb.tar.gz", clock.now())
    refused = tmp_path / "cccc.tar.gz"
    objections = ("crisis loses 6.7 points: 1 text of 15",)
    registry.write_report(refused, {"figures": FIGURES, "objections": list(objections)})
    registry.refuse(refused, clock.now(), objections)
    return tmp_path


def lines(folder: Path) -> dict[str, str]:
    """Return the line of each model."""
    paper = StringIO()
    assert models.show(Console(file=paper, width=200), folder) == 0
    return {name: line for line in paper.getvalue().splitlines() for name in ("aaaa", "bbbb", "cccc") if name in line}


def test_the_list_says_which_model_serves_and_why_another_does_not(folder: Path) -> None:
    found = lines(folder)
    assert "serves" in found["bbbb"]
    assert "previous" in found["aaaa"]
    assert "refused: crisis loses 6.7 points: 1 text of 15" in found["cccc"]
    assert "0.947" in found["cccc"]
    assert "14/15" in found["cccc"]


def test_rolling_back_and_promoting_by_name(folder: Path, clock: MovedClock) -> None:
    console = Console(quiet=True)
    assert models.roll_back(console, clock, folder) == 0
    assert "serves" in lines(folder)["aaaa"]
    assert "rolled back" in lines(folder)["bbbb"]
    assert models.promote(console, "cc", "the set [of May] was wrong", clock, folder) == 0
    assert "by force: the set [of May] was wrong" in lines(folder)["cccc"]
    last = Registry(folder).history()[-1]
    assert last.objections == ("crisis loses 6.7 points: 1 text of 15",)
    assert datetime.fromisoformat(last.at).astimezone(UTC) == clock.now()


def test_without_an_earlier_model_nothing_changes(folder: Path, clock: MovedClock) -> None:
    console = Console(quiet=True)
    models.roll_back(console, clock, folder)
    with pytest.raises(NoSuchModel):
        models.roll_back(console, clock, folder)
    assert "serves" in lines(folder)["aaaa"]

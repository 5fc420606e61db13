"""Which model serves, what served before it, and what may be deleted."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nlu.fingerprint import current_model, point_to
from nlu.registry import HISTORY, NoSuchModel, Registry, report_path

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


class Folder:
    """A folder of models that only have names; each is a second younger than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.registry = Registry(path)
        self._made = 0

    def add(self, name: str) -> Path:
        model = self.path / f"{name}.tar.gz"
        model.write_bytes(b"")
        self._made += 1
        os.utime(model, (self._made, self._made))
        return model

    def promote(self, name: str) -> Path:
        model = self.add(name)
        self.registry.promote(model, NOW)
        return model

    def names(self) -> list[str]:
        return sorted(path.name.removesuffix(".tar.gz") for path in self.path.glob("*.tar.gz"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_promoted_model_serves_and_is_written_down(folder: Folder) -> None:
    assert folder.registry.serving() is None
    first, second = folder.promote("first"), folder.add("second")
    folder.registry.promote(second, NOW, forced="the set is too small", objections=("greet loses 6.7 points",))
    assert folder.registry.serving() == second == current_model(folder.path)
    assert folder.registry.previous() == first
    one, two = folder.registry.history()
    assert (one.what, one.model, one.before, one.forced) == ("promoted", "first.tar.gz", None, None)
    assert (two.before, two.forced) == ("first.tar.gz", "the set is too small")
    assert two.objections == ("greet loses 6.7 points",)
    assert two.at == "2026-06-15T10:00:00+00:00"


def test_each_rollback_goes_one_promotion_further_back(folder: Folder) -> None:
    first, second, third = (folder.promote(name) for name in ("first", "second", "third"))
    assert folder.registry.roll_back(NOW) == second == folder.registry.serving()
    assert folder.registry.roll_back(NOW) == first == folder.registry.serving()
    with pytest.raises(NoSuchModel):
        folder.registry.roll_back(NOW)
    assert folder.registry.serving() == first
    assert third.is_file()


def test_a_promotion_after_a_rollback_goes_back_to_what_served_then(folder: Folder) -> None:
    first, _, third = folder.promote("first"), folder.promote("second"), folder.add("third")
    folder.registry.roll_back(NOW)
    folder.registry.promote(third, NOW)
    assert folder.registry.roll_back(NOW) == first


def test_a_model_that_served_before_there_was_a_history_is_gone_back_to(folder: Folder) -> None:
    old = folder.add("old")
    point_to(old)
    folder.promote("new")
    assert folder.registry.roll_back(NOW) == old


def test_a_promotion_that_was_not_written_down_can_be_taken_back(folder: Folder) -> None:
    first, second = folder.promote("first"), folder.add("second")
    point_to(second)  # The process died between the pointer and the history.
    assert folder.registry.roll_back(NOW) == first


def test_a_model_is_set_aside_by_a_refusal_or_a_rollback_until_it_is_promoted(folder: Folder) -> None:
    folder.promote("first")
    refused, second = folder.add("refused"), folder.promote("second")
    folder.registry.refuse(refused, NOW, ("crisis loses 6.7 points: 1 text of 15",))
    folder.registry.roll_back(NOW)
    assert folder.registry.is_set_aside(refused)
    assert folder.registry.is_set_aside(second)
    assert not folder.registry.is_set_aside(folder.path / "first.tar.gz")
    assert not folder.registry.is_set_aside(folder.add("unjudged"))
    folder.registry.promote(refused, NOW)
    assert not folder.registry.is_set_aside(refused)


def test_what_people_went_back_from_is_remembered_until_it_is_promoted(folder: Folder) -> None:
    first, second = folder.promote("first"), folder.promote("second")
    assert folder.registry.rolled_back_at(second) is None
    folder.registry.roll_back(NOW)
    folder.registry.refuse(second, NOW, ("people went back from it",))
    assert folder.registry.rolled_back_at(second) == "2026-06-15T10:00:00+00:00"
    assert folder.registry.rolled_back_at(first) is None
    folder.registry.promote(second, NOW)
    assert folder.registry.rolled_back_at(second) is None


def test_an_older_model_can_be_promoted_again_by_the_beginning_of_its_name(folder: Folder) -> None:
    first, _ = folder.promote("a1b2"), folder.promote("a3c4")
    assert folder.registry.find("a1") == first == folder.registry.find("a1b2.tar.gz")
    for wrong in ("a", "b", ""):
        with pytest.raises(NoSuchModel):
            folder.registry.find(wrong)


def test_the_serving_and_the_previous_model_outlive_every_pruning(folder: Folder) -> None:
    for name in ("serving before", "serving"):
        folder.promote(name)
    for number in range(6):
        model = folder.add(f"candidate {number}")
        folder.registry.write_report(model, {"model": model.name})
    gone = folder.registry.prune(keep=2)
    assert folder.names() == ["candidate 4", "candidate 5", "serving", "serving before"]
    assert len(gone) == 4
    assert not report_path(gone[0]).exists()
    assert folder.registry.roll_back(NOW).name == "serving before.tar.gz"


def test_what_is_known_of_each_model(folder: Folder) -> None:
    first, second = folder.promote("first"), folder.promote("second")
    folder.registry.write_report(second, {"figures": {"lenient": 0.9}})
    folder.add("half.part")  # Rasa is writing it.
    newest, oldest = folder.registry.models()
    assert (newest.name, newest.serves, newest.is_previous) == ("second", True, False)
    assert newest.report == {"figures": {"lenient": 0.9}}
    assert (oldest.name, oldest.serves, oldest.is_previous, oldest.report) == ("first", False, True, None)
    assert folder.registry.find("first") == first


def test_the_history_has_a_line_for_each_event(folder: Folder) -> None:
    folder.promote("first")
    folder.promote("second")
    folder.registry.roll_back(NOW)
    rows = [json.loads(line) for line in (folder.path / HISTORY).read_text(encoding="utf-8").splitlines()]
    assert [(row["what"], row["model"]) for row in rows] == [
        ("promoted", "first.tar.gz"),
        ("promoted", "second.tar.gz"),
        ("rolled back", "first.tar.gz"),
    ]

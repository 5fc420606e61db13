"""The page about the improvement loop names commands, settings and reasons as they are."""

import re
import shlex
from pathlib import Path

import pytest

from bot.cli import parser
from bot.settings import SETTINGS
from bot.understanding.promotion import LARGEST_LOSS_POINTS
from bot.understanding.review.models import Outcome, Reason
from nlu.registry import KEPT_MODELS, NOT_PROMOTED

PAGE = Path("docs/improvement.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m bot (.+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str) -> None:
    assert callable(parser().parse_args(shlex.split(command)).handler)


def test_a_command_that_is_not_there_would_be_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["nlu", "review", "relabel", "12", "--no-such-option"])
    assert "no-such-option" in capsys.readouterr().err
    assert len(COMMANDS) > 10


def test_every_reason_and_outcome_is_explained() -> None:
    assert [name for name in (*Reason, *Outcome) if f"`{name.value}`" not in PAGE] == []


def test_figures_and_settings_are_those_of_the_code() -> None:
    assert LARGEST_LOSS_POINTS == 2
    assert KEPT_MODELS == 5
    assert f"| {NOT_PROMOTED} | The candidate was refused." in PAGE
    assert set(re.findall(r"BOT_[A-Z_]+", PAGE)) <= {setting.name for setting in SETTINGS}

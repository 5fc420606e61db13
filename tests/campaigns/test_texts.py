"""Every problem, error and reason has a sentence that people can read."""

import re
from pathlib import Path

from bot.campaigns import planning
from bot.campaigns.errors import CampaignError
from bot.campaigns.models import SendChannel
from bot.campaigns.publication_rows import NOT_PUBLISHED
from bot.campaigns.sending import STOPPERS
from bot.campaigns.texts import text_of

PACKAGE = Path(planning.__file__).parent
_PROBLEM = re.compile(r'Problem\("(campaign\.\w+)"|found\.add\("(\w+)"|self\.add\("(\w+)"')


def test_every_problem_and_error_has_a_sentence() -> None:
    codes = {error.code for error in CampaignError.__subclasses__()}
    for path in PACKAGE.glob("*.py"):
        for whole, *short in _PROBLEM.findall(path.read_text(encoding="utf-8")):
            codes.add(whole or f"campaign.{''.join(short)}")
    assert len(codes) > 25
    assert [code for code in sorted(codes) if text_of(code, {}) == code] == []


def test_every_reason_of_the_system_to_pause_has_a_sentence() -> None:
    reasons = {error.code.rpartition(".")[2] for error in STOPPERS} | {"error_rate", "count_not_confirmed"}
    reasons |= {"public_while_testing", "missing"}
    assert [reason for reason in sorted(reasons) if text_of(f"pause.{reason}", {}) == f"pause.{reason}"] == []


def test_every_reason_why_articles_are_not_there_has_a_sentence() -> None:
    sources = "".join(
        (PACKAGE / f"{name}.py").read_text(encoding="utf-8") for name in ("publishing", "publication_rows")
    )
    reasons = {*re.findall(r'(?:REFUSED|WITHDRAWN), "(\w+)"|\.refused\(turn, "(\w+)"|: "(draft_\w+)"', sources)}
    named = {NOT_PUBLISHED, *("".join(groups) for groups in reasons)}
    assert len(named) >= 12
    assert [name for name in sorted(named) if text_of(f"publication.{name}", {}) == f"publication.{name}"] == []
    notes = [f"campaign.note_{channel.value}" for channel in SendChannel if channel.publishes]
    assert [note for note in notes if text_of(note, {}) == note] == []

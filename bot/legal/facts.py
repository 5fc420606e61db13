"""From the answers of a form to what the time limits are computed from."""

import re
from collections.abc import Mapping
from datetime import date

from bot.legal.rules import DeadlineFacts
from bot.legal.topics import Topic

YES = "yes"
CONDITION_FACTS = ("employed", "ongoing")

_MONTH_ONLY = re.compile(r"\d{4}-\d{2}")


def deadline_facts(topic: Topic, facts: Mapping[str, str]) -> DeadlineFacts:
    """Pick dates and conditions out of a case's facts.

    Dates are ISO 8601 (``2026-01-10``); of a month alone (``2026-01``) the first day counts, which warns earlier
    rather than later. Anything else is left to the lawyer.
    """
    conditions = {name for name in CONDITION_FACTS if facts.get(name) == YES}
    if topic.wage_claim:
        conditions.add("wage_claim")
    dates = {key: day for key, text in facts.items() if (day := _day(text)) is not None}
    return DeadlineFacts(topic.code, dates, frozenset(conditions))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01" if _MONTH_ONLY.fullmatch(text) else text)
    except ValueError:
        return None

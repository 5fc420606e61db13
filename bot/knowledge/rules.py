"""The pure rules of answering: when one entry is clear enough, filling placeholders, checking what staff write."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.knowledge.models import Entry, EntryStatus
from bot.knowledge.retrieval import Scored
from bot.values.problem import Problem

ANSWER_MAX_CHARS = 80
QUESTION_MAX_CHARS = 60
CLOSE_MAX = 3
NEXT_STEPS = frozenset(
    {
        "none",
        "register_work_study",
        "book_health_screening",
        "consult_lawyer",
        "check_status",
        "change_registration",
        "cancel_registration",
        "complaint",
        "handoff_human",
        "crisis",
    }
)

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When an entry is the answer. All are scores from 0 to 1, and belong to the retriever they were measured with.

    ``sure``: at least this near, the nearest one answers when it leads by ``lead``. ``possible``: at least this near,
    it is worth offering. The defaults are measured for ``NgramRetriever`` on tests/knowledge/questions.yml.
    """

    sure: float = 0.34
    lead: float = 0.06
    possible: float = 0.28


def clearly_nearest(scored: Sequence[Scored], thresholds: Thresholds) -> Scored | None:
    """Return the nearest one when it is near enough and leads by enough to answer without asking back."""
    if not scored:
        return None
    runner_up = scored[1].score if len(scored) > 1 else 0.0
    leads = scored[0].score - runner_up >= thresholds.lead
    return scored[0] if leads and scored[0].score >= thresholds.sure else None


def worth_offering(scored: Sequence[Scored], thresholds: Thresholds) -> tuple[Scored, ...]:
    """Return those that are near enough to ask whether one of them is meant, at most ``CLOSE_MAX``."""
    return tuple(item for item in scored if item.score >= thresholds.possible)[:CLOSE_MAX]


def may_answer(entry: Entry, today: date) -> bool:
    """Say whether the entry may be used that day: published, and still valid."""
    return entry.status is EntryStatus.PUBLISHED and (entry.valid_until is None or today <= entry.valid_until)


def placeholders(answer: str) -> tuple[str, ...]:
    """Return the names of the placeholders in an answer."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(answer)))


def fill(entry: Entry, values: Mapping[str, str]) -> str:
    """Return the answer with its placeholders filled, or the fallback answer while one of them has no value."""
    wanted = placeholders(entry.answer)
    if any(not values.get(name) for name in wanted):
        return entry.fallback_answer
    return _PLACEHOLDER.sub(lambda match: values[match[1]], entry.answer)


def check_entry(entry: Entry) -> Problem | None:
    """Say what is wrong with an entry that staff wrote."""
    if not 0 < len(entry.question) <= QUESTION_MAX_CHARS:
        return Problem("knowledge.question_length", {"max_chars": QUESTION_MAX_CHARS})
    if not 0 < len(entry.answer) <= ANSWER_MAX_CHARS:
        return Problem("knowledge.answer_length", {"max_chars": ANSWER_MAX_CHARS})
    if len(entry.fallback_answer) > ANSWER_MAX_CHARS:
        return Problem("knowledge.answer_length", {"max_chars": ANSWER_MAX_CHARS})
    if placeholders(entry.answer) and not (entry.service and entry.fallback_answer):
        return Problem("knowledge.placeholder_without_fallback")
    if entry.next_step not in NEXT_STEPS:
        return Problem("knowledge.next_step_unknown", {"next_step": entry.next_step})
    return None

"""What staff may write into an entry. Pure; the texts of the problems are in ``flows/knowledge.yml``."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from bot.knowledge.models import Entry, EntryStatus
from bot.knowledge.rules import placeholders
from bot.knowledge.wording import normalise
from bot.understanding.models import INTENTS
from bot.values.problem import Problem

ANSWER_MAX_CHARS: Final = 80
QUESTION_MAX_CHARS: Final = 60
VARIANT_MAX_CHARS: Final = 100
COLUMN_MAX_CHARS: Final = 255
NEXT_STEPS: Final = frozenset(
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
_OF_EVERY_PROGRAMME: Final = ("title", "open", "close", "notice", "contact", "elsewhere")
PLACEHOLDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "": (),
    "work_study": (*_OF_EVERY_PROGRAMME, "stipend", "insurance"),
    "health_screening": (*_OF_EVERY_PROGRAMME, "places", "prep"),
    "legal_consultation": _OF_EVERY_PROGRAMME,
}
"""Which values an answer may hold, by the service whose rows fill them."""

_CODE = re.compile(r"[A-Z][0-9]{2,4}")
_BRACE = re.compile(r"[{}]")
_WELL_FORMED = re.compile(r"\{[a-z_]+\}")


def check_entry(entry: Entry) -> Problem | None:
    """Return the first thing that is wrong with an entry that staff wrote, None when it will do."""
    return next((problem for check in _CHECKS if (problem := check(entry)) is not None), None)


def _code(entry: Entry) -> Problem | None:
    return None if _CODE.fullmatch(entry.code) else Problem("knowledge.code_form")


def _question(entry: Entry) -> Problem | None:
    return _length("knowledge.question_length", entry.question, QUESTION_MAX_CHARS)


def _variants(entry: Entry) -> Problem | None:
    seen = {normalise(entry.question)}
    for variant in entry.variants:
        problem = _length("knowledge.variant_length", variant, VARIANT_MAX_CHARS)
        if problem is not None:
            return problem
        if variant == entry.question or entry.variants.count(variant) > 1:
            return Problem("knowledge.variant_twice", {"variant": variant})
        seen.add(normalise(variant))
    return Problem("knowledge.question_empty") if "" in seen else None


def _answer(entry: Entry) -> Problem | None:
    problem = _length("knowledge.answer_length", entry.answer, ANSWER_MAX_CHARS)
    if problem is None and len(entry.fallback_answer) > ANSWER_MAX_CHARS:
        problem = Problem("knowledge.answer_length", {"max_chars": ANSWER_MAX_CHARS})
    return problem


def _service(entry: Entry) -> Problem | None:
    return None if entry.service in PLACEHOLDERS else Problem("knowledge.service_unknown", {"service": entry.service})


def _placeholders(entry: Entry) -> Problem | None:
    if _BRACE.search(_WELL_FORMED.sub("", entry.answer)):
        return Problem("knowledge.placeholder_form", {"example": "{open}"})
    if _BRACE.search(entry.fallback_answer):
        return Problem("knowledge.placeholder_in_fallback")
    wanted = placeholders(entry.answer)
    if wanted and not (entry.service and entry.fallback_answer):
        return Problem("knowledge.placeholder_without_fallback")
    known = PLACEHOLDERS[entry.service]
    unknown = next((name for name in wanted if name not in known), None)
    if unknown is not None:
        return Problem("knowledge.placeholder_unknown", {"name": unknown, "known": "、".join(known)})
    return None


def _basis(entry: Entry) -> Problem | None:
    if entry.status is EntryStatus.PUBLISHED and not entry.basis.strip():
        return Problem("knowledge.basis_missing")
    if len(entry.basis) > COLUMN_MAX_CHARS or len(entry.note) > COLUMN_MAX_CHARS:
        return Problem("knowledge.note_length", {"max_chars": COLUMN_MAX_CHARS})
    return None


def _intents(entry: Entry) -> Problem | None:
    if not entry.intents:
        return Problem("knowledge.intents_missing")
    unknown = next((intent for intent in entry.intents if intent not in INTENTS), None)
    return None if unknown is None else Problem("knowledge.intent_unknown", {"intent": unknown})


def _next_step(entry: Entry) -> Problem | None:
    if entry.next_step in NEXT_STEPS:
        return None
    return Problem("knowledge.next_step_unknown", {"next_step": entry.next_step})


def _length(code: str, text: str, max_chars: int) -> Problem | None:
    return None if text.strip() and len(text) <= max_chars else Problem(code, {"max_chars": max_chars})


_CHECKS: Final[tuple[Callable[[Entry], Problem | None], ...]] = (
    _code,
    _question,
    _variants,
    _answer,
    _service,
    _placeholders,
    _basis,
    _intents,
    _next_step,
)

"""The pure rules of answering: which entry is clear enough, which may be said, and with what in it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.knowledge.models import Entry, EntryStatus

CLOSE_MAX = 3
_COMPARED: Final = (
    "question",
    "variants",
    "answer",
    "fallback_answer",
    "basis",
    "intents",
    "service",
    "next_step",
    "valid_until",
    "status",
    "note",
)
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Scored:
    """How well an entry fits a text, and what the message was understood as counted in."""

    code: str
    score: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When an entry is the answer. They belong to the scores they were measured with.

    ``sure``: at least this score, the best one answers when it leads by ``lead``. ``possible``: at least this score,
    it is worth offering.
    """

    sure: float
    lead: float
    possible: float


WITH_MEANING: Final = Thresholds(sure=0.15, lead=0.07, possible=0.08)
WITHOUT_MEANING: Final = Thresholds(sure=0.15, lead=0.10, possible=0.08)
"""From leave-one-out over the seed's own questions: the values that answer most while at least 87 % of the answers
are right, about 85 % without meaning. ``python -m bot knowledge evaluate`` prints the table. Real questions do
better: for them every question of the seed is in the index."""

RECOGNISED: Final = Thresholds(sure=0.70, lead=0.07, possible=0.70)
"""When a text is a question of the table whatever the model takes it for. From the training data: one in two hundred
out-of-scope texts is as near to an entry (失业金怎么领, which one answers), and no small talk."""

UNLIKELY_COSTS: Final = 0.1
"""What an entry loses whose intents the message certainly does not have: too little to hide it."""


def rank(
    scores: Mapping[str, float], intents: Mapping[str, Collection[str]], chances: Mapping[str, float]
) -> list[Scored]:
    """Return the entries by score, best first.

    ``intents`` are those of each entry, ``chances`` how likely the message has each intent; empty when nobody knows.
    """
    ranked = [Scored(code, score - _unlikely(intents.get(code, ()), chances)) for code, score in scores.items()]
    return sorted(ranked, key=lambda item: (-item.score, item.code))


def _unlikely(intents: Collection[str], chances: Mapping[str, float]) -> float:
    if not chances:
        return 0.0
    return UNLIKELY_COSTS * (1 - min(1.0, sum(chances.get(intent, 0.0) for intent in intents)))


def clearly_best(scored: Sequence[Scored], thresholds: Thresholds) -> Scored | None:
    """Return the best one when it is good enough and leads by enough to answer without asking back."""
    if not scored:
        return None
    runner_up = scored[1].score if len(scored) > 1 else 0.0
    leads = scored[0].score - runner_up >= thresholds.lead
    return scored[0] if leads and scored[0].score >= thresholds.sure else None


def worth_offering(scored: Sequence[Scored], thresholds: Thresholds) -> tuple[Scored, ...]:
    """Return those that are good enough to ask whether one of them is meant, at most ``CLOSE_MAX``."""
    return tuple(item for item in scored if item.score >= thresholds.possible)[:CLOSE_MAX]


@dataclass(frozen=True, slots=True)
class Change:
    """How a field of an entry differs between two versions, as texts."""

    name: str
    before: str
    after: str


def differences(before: Entry, after: Entry) -> list[Change]:
    """Return the fields in which two versions of an entry differ, in the order in which staff fill them in."""
    pairs = [(name, _as_text(getattr(before, name)), _as_text(getattr(after, name))) for name in _COMPARED]
    return [Change(name, old, new) for name, old, new in pairs if old != new]


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


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

"""From a ranking to a decision: sure, ask back, or lost. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from bot.understanding.models import Guess, Ranking

CRISIS: Final = "crisis"
SMALL_TALK: Final = frozenset({"greet", "goodbye", "thank", "affirm", "deny", "help", "bot_challenge", "chitchat"})
"""Intents that nobody wants to be asked about: a mistaken greeting costs less than 'did you mean a greeting?'."""
OUT_OF_SCOPE: Final = "out_of_scope"
NEVER_OFFERED: Final = SMALL_TALK | {CRISIS, OUT_OF_SCOPE}
CHOICES_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least confidences. ``sure`` acts at once, ``ask`` asks back, below it the text is not understood.

    ``sure_margin`` is the lead over the second guess that ``sure`` needs as well; ``small_talk`` replaces both where
    an intent of SMALL_TALK is likeliest, and all of them count together; ``outside_lead`` is the lead over the
    likeliest other that makes out_of_scope sure at any confidence above ``ask``: below 0 it may be that far behind,
    unless the other is sure; ``crisis`` is enough for a danger to go first, even when another intent is likelier;
    ``crisis_may_be`` is enough to ask gently whether there is one, unless another intent than
    out_of_scope has ``likelier``, or ``likelier_talk`` where it is one of SMALL_TALK; ``crisis_in_answer`` is what a
    danger needs inside the answer to an open question, where accidents and quarrels are told on purpose; ``choice``
    is what a guess needs to be offered.
    """

    sure: float
    sure_margin: float
    small_talk: float
    outside_lead: float
    crisis: float
    crisis_may_be: float
    likelier: float
    likelier_talk: float
    crisis_in_answer: float
    ask: float
    choice: float


THRESHOLDS: Final[Mapping[Literal["model", "keywords"], Thresholds]] = {
    # From texts that no reader had seen when they were asked about them (docs/nlu.md), never the evaluation set.
    "model": Thresholds(
        sure=0.75,
        sure_margin=0.10,
        small_talk=0.80,
        outside_lead=-0.30,
        crisis=0.12,
        crisis_may_be=0.08,
        likelier=0.65,
        likelier_talk=0.45,
        crisis_in_answer=0.80,
        ask=0.20,
        choice=0.08,
    ),
    # Weights of keyword rules: a strong word acts, a weak one asks.
    "keywords": Thresholds(
        sure=0.8,
        sure_margin=0.0,
        small_talk=0.6,
        outside_lead=0.02,
        crisis=0.6,
        crisis_may_be=0.6,
        likelier=0.6,
        likelier_talk=0.6,
        crisis_in_answer=0.6,
        ask=0.4,
        choice=0.4,
    ),
}


@dataclass(frozen=True, slots=True)
class Sure:
    """Act on ``intent``."""

    intent: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """Ask which of ``intents`` (one to three, likeliest first) was meant."""

    intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing is likely enough even to be offered."""


Decision = Sure | Unsure | Lost


class Danger(StrEnum):
    """How likely a danger is by the model: people are called, or the follower is asked first."""

    LIKELY = "likely"
    POSSIBLE = "possible"


def decide(ranking: Ranking, limits: Thresholds | None = None, *, is_asked: bool = False) -> Decision:
    """Return what to do about ``ranking``, by the thresholds of its source or ``limits``; a likely danger wins.

    Where a question is open (``is_asked``), out_of_scope has to be likeliest: most of what no rule could read then is
    an answer all the same.
    """
    if not ranking.guesses:
        return Lost()
    limits = limits or THRESHOLDS[ranking.source]
    if any(guess.intent == CRISIS and guess.confidence >= limits.crisis for guess in ranking.guesses):
        return Sure(CRISIS)
    best = ranking.guesses[0]
    if best.intent != OUT_OF_SCOPE and _is_sure(ranking.guesses, limits):
        return Sure(best.intent)
    if _is_outside(ranking.guesses, limits, max(0.0, limits.outside_lead) if is_asked else limits.outside_lead):
        return Sure(OUT_OF_SCOPE)
    if best.confidence < limits.ask:
        return Lost()
    return _ask_back(ranking.guesses, limits)


def likelier_subjects(ranking: Ranking, intent: str) -> tuple[str, ...]:
    """Return what may be offered and is likelier than ``intent``, as decided on: out_of_scope may be behind."""
    places = [guess.intent for guess in ranking.guesses]
    before = places[: places.index(intent)] if intent == OUT_OF_SCOPE else []
    return tuple(name for name in before if name not in NEVER_OFFERED)


def without_danger(ranking: Ranking) -> Ranking:
    """Return ``ranking`` as if the model knew of no danger, for texts whose words explain what it takes for one."""
    return replace(ranking, guesses=tuple(guess for guess in ranking.guesses if guess.intent != CRISIS))


def danger_in(ranking: Ranking, *, in_answer: bool = False) -> Danger | None:
    """Return how far the model takes a text for a danger; None when it does not."""
    limits = THRESHOLDS[ranking.source]
    chance = next((guess.confidence for guess in ranking.guesses if guess.intent == CRISIS), 0.0)
    if chance >= (limits.crisis_in_answer if in_answer else limits.crisis):
        return Danger.LIKELY
    if in_answer or chance < limits.crisis_may_be:
        return None
    best = ranking.guesses[0]
    needed = limits.likelier_talk if best.intent in SMALL_TALK else limits.likelier
    if best.intent not in {OUT_OF_SCOPE, CRISIS} and best.confidence >= needed:
        return None
    # "That is not our business" would be the worst answer to somebody in danger, a question costs little.
    return Danger.POSSIBLE


def _is_sure(guesses: tuple[Guess, ...], limits: Thresholds) -> bool:
    best = guesses[0]
    if best.intent in SMALL_TALK:
        # Whether thanks were a greeting matters little; whether somebody asks for something matters.
        return sum(guess.confidence for guess in guesses if guess.intent in SMALL_TALK) >= limits.small_talk
    second = guesses[1].confidence if len(guesses) > 1 else 0.0
    return best.confidence >= limits.sure and best.confidence - second >= limits.sure_margin


def _is_outside(guesses: tuple[Guess, ...], limits: Thresholds, least_lead: float) -> bool:
    outside = next((guess.confidence for guess in guesses if guess.intent == OUT_OF_SCOPE), 0.0)
    other = next((guess.confidence for guess in guesses if guess.intent != OUT_OF_SCOPE), 0.0)
    return outside >= limits.ask and outside - other >= least_lead


def _ask_back(guesses: tuple[Guess, ...], limits: Thresholds) -> Unsure | Lost:
    offered = [
        guess.intent for guess in guesses if guess.confidence >= limits.choice and guess.intent not in NEVER_OFFERED
    ]
    return Unsure(tuple(offered[:CHOICES_MAX])) if offered else Lost()

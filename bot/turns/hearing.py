"""What a message asks for: the dialogue's own reading, the NLU where that is needed, one wish after the other.

A message with two or three wishes is served for the first; the others go along as ``Said.later`` and are offered when
the first is done.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, assert_never

from bot.dialogue.engine import Engine
from bot.dialogue.models import DialogueState, Said, Understood, Wish
from bot.dialogue.outcomes import TraceEntry
from bot.dialogue.readings import Answers, Courteous, Reading, Refused, Unread
from bot.turns.reading import CRISIS_EVENT
from bot.understanding.clauses import split_clauses
from bot.understanding.crisis import only_sounds_like_danger
from bot.understanding.models import Ranking, Understanding
from bot.understanding.rules import (
    CRISIS,
    NEVER_OFFERED,
    OUT_OF_SCOPE,
    Danger,
    Decision,
    Lost,
    Sure,
    Unsure,
    danger_in,
    decide,
    likelier_subjects,
    without_danger,
)
from bot.values.texts import looks_like_question

NOT_OUR_BUSINESS: Final = frozenset({"chitchat", OUT_OF_SCOPE})
CRISIS_CHECK_EVENT = "/flow:crisis_check"
FEWEST_TOLD_CHARS = 5
FEWEST_TELLING_CHARS = 2
"""A single character tells the model nothing; 喝药 does."""
FEW_CHARS = 4
CERTAIN_OF_FEW = 0.5
"""What a danger needs in fewer than ``FEW_CHARS`` characters: 自己 says nothing without its question."""
_HAN = re.compile("[\u4e00-\u9fff]")


class KnownQuestions(Protocol):
    """Knows the questions that have an answer."""

    async def recognised_as(self, text: str) -> str | None:
        """Return the intent of the question that ``text`` surely is, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """``said`` is what the turn goes on with; ``ranking`` that of its text, None when the NLU was not asked.

    ``notes`` go into the trace of the turn.
    """

    said: Said
    reading: Reading
    ranking: Ranking | None = None
    understood: Understood | None = None
    notes: tuple[TraceEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """One clause: how the dialogue reads it, and what the NLU makes of it where it was asked."""

    text: str
    reading: Reading
    ranking: Ranking | None = None

    @property
    def decision(self) -> Decision | None:
        return None if self.ranking is None else decide(self.ranking)

    @property
    def intent(self) -> str | None:
        """The intent that is sure, or None."""
        decision = self.decision
        return decision.intent if isinstance(decision, Sure) else None


class Hearing:
    """Hears messages with an engine, an NLU and the questions that have an answer; it keeps nothing."""

    def __init__(
        self, engine: Engine, understanding: Understanding, questions: KnownQuestions, *, budget_s: float
    ) -> None:
        self._engine = engine
        self._understanding = understanding
        self._questions = questions
        self._budget_s = budget_s

    async def hear(self, state: DialogueState, said: Said, now: datetime) -> Heard:
        """Return what ``said`` means in ``state``. The NLU gets its budget once, however many wishes there are."""
        reading = self._engine.read(state, said, now)
        deadline_s = asyncio.get_running_loop().time() + self._budget_s
        if said.event is None and said.media_id is None and said.menu_id is None and _may_hold_several(reading):
            several = await self._several(state, said, now, deadline_s)
            if several is not None:
                return several
        in_answer = not reading.needs_understanding
        if in_answer and not _is_own_words(reading, said.text):
            return Heard(said, reading)
        left_s = max(deadline_s - asyncio.get_running_loop().time(), self._budget_s / 4)
        ranking = await self._understanding.rank(reading.text, left_s)
        heard = reading.text or said.text
        if only_sounds_like_danger(heard) or _tells_too_little(heard, ranking):
            ranking = without_danger(ranking)
        event = _event_of(danger_in(ranking, in_answer=in_answer), state, said)
        if event is not None:
            alarmed = replace(said, event=event)
            notes = (TraceEntry("understood", CRISIS),)
            return Heard(alarmed, self._engine.read(state, alarmed, now), ranking, understood(ranking), notes)
        if in_answer:
            return Heard(said, reading)
        known = await self._known_question(reading.text, ranking)
        if known is not None:
            notes = (TraceEntry("recognised", known),)
            return Heard(said, reading, ranking, Understood((known,), "sure"), notes)
        return Heard(said, reading, ranking, understood(ranking, is_asked=state.asking is not None))

    async def _known_question(self, text: str, ranking: Ranking) -> str | None:
        """Return the intent of the question that ``text`` is, where the model sees none: 年假, 要空腹不."""
        match decide(ranking):
            case Lost():
                return await self._questions.recognised_as(text)
            case Sure(intent) if intent in NOT_OUR_BUSINESS:
                return await self._questions.recognised_as(text)
            case _:
                return None

    async def _several(self, state: DialogueState, said: Said, now: datetime, deadline_s: float) -> Heard | None:
        """Return the first of several wishes with the others behind it; None when the message is one wish."""
        clauses = split_clauses(said.text)
        if len(clauses) == 1:
            return None
        readings = [self._engine.read(state, replace(said, text=clause), now) for clause in clauses]
        rankings = await self._rank(clauses, readings, deadline_s)
        parts = [_Part(*part) for part in zip(clauses, readings, rankings, strict=True)]
        if any(part.ranking is not None and danger_in(part.ranking) is not None for part in parts):
            # Nothing else counts then; the whole of the message is looked at again.
            return None
        parts = [part for part in parts if not _is_courtesy(part)]
        return self._in_order(state, said, parts) if parts else None

    async def _rank(
        self, clauses: Sequence[str], readings: Sequence[Reading], deadline_s: float
    ) -> list[Ranking | None]:
        """Ask about every clause that no rule can read, all at once."""
        left_s = max(deadline_s - asyncio.get_running_loop().time(), 0.0)
        asked = [place for place, reading in enumerate(readings) if _is_open(reading)]
        answers = await asyncio.gather(*(self._understanding.rank(clauses[place], left_s) for place in asked))
        rankings: list[Ranking | None] = [None] * len(clauses)
        for place, answer in zip(asked, answers, strict=True):
            rankings[place] = answer
        return rankings

    def _in_order(self, state: DialogueState, said: Said, parts: Sequence[_Part]) -> Heard | None:
        first, *others = parts
        is_answer = isinstance(first.reading.act, Answers) and first.reading.act.sure
        if not is_answer and (first.intent is None or first.intent in NEVER_OFFERED):
            return None
        about = self._questions_of(state, first.intent)
        later: list[Wish] = []
        for part in others:
            intent = part.intent
            if about is not None and not self._is_offered(intent) and looks_like_question(part.text):
                # 要空腹不 alone may be about anything; behind a wish for a screening it is about that.
                intent = about
            if intent is None or not self._is_offered(intent):
                return None
            if intent != first.intent or intent.startswith("faq_"):
                later.append(Wish(intent, part.text, at_once=is_answer))
        if not later and len(others) > 0:
            return None
        served = replace(said, text=first.text, later=tuple(later))
        ranking = None if is_answer else first.ranking
        return Heard(served, first.reading, ranking, None if ranking is None else understood(ranking))

    def _questions_of(self, state: DialogueState, intent: str | None) -> str | None:
        """Return the intent of questions about the form that ``intent`` starts, or about the one that is open."""
        catalog = self._engine.catalog
        names = [catalog.flow_by_intent.get(intent or "", ""), *(frame.flow for frame in reversed(state.frames))]
        flows = (catalog.flows[name] for name in names if name in catalog.flows)
        return next((flow.questions for flow in flows if flow.questions is not None), None)

    def _is_offered(self, intent: str | None) -> bool:
        return intent is not None and intent not in NEVER_OFFERED and intent in self._engine.catalog.flow_by_intent


def understood(ranking: Ranking, *, is_asked: bool = False) -> Understood:
    """Return what the engine is told of a ranking; ``is_asked`` where a question is open."""
    decision = decide(ranking, is_asked=is_asked)
    match decision:
        case Sure(intent):
            return Understood((intent, *likelier_subjects(ranking, intent)), "sure")
        case Unsure(intents):
            return Understood(tuple(intents), "unsure")
        case Lost():
            near = (guess.intent for guess in ranking.guesses[:3])
            return Understood(tuple(intent for intent in near if intent not in NEVER_OFFERED), "lost")
        case _:
            assert_never(decision)


def _may_hold_several(reading: Reading) -> bool:
    """Say whether a message may be taken apart: not where it is a free answer as a whole, a command or a choice."""
    match reading.act:
        case Refused() | Unread():
            return reading.needs_understanding
        case Answers():
            return reading.act.sure or reading.needs_understanding
        case _:
            return False


def _is_own_words(reading: Reading, text: str) -> bool:
    """Say whether an answer is told in somebody's own words, so that the model should look for a danger in it."""
    act = reading.act
    return isinstance(act, Answers) and not act.sure and len(_HAN.findall(text)) >= FEWEST_TOLD_CHARS


def _event_of(danger: Danger | None, state: DialogueState, said: Said) -> str | None:
    """Return what a danger by the model alone sets going; the gentle question is asked once a day."""
    if any(CRISIS_EVENT.endswith(f":{frame.flow}") for frame in state.frames):
        # It is talked about already; what is written now goes to people anyway.
        return None
    match danger:
        case Danger.LIKELY:
            return CRISIS_EVENT
        case Danger.POSSIBLE:
            is_asked_already = state.slots.get("crisis_checked_on") == said.today.isoformat()
            return None if is_asked_already else CRISIS_CHECK_EVENT
        case None:
            return None
        case _:
            assert_never(danger)


def _tells_too_little(text: str, ranking: Ranking) -> bool:
    """Say whether ``text`` is too short for what the model makes of a danger in it."""
    chars = len(_HAN.findall(text))
    danger = next((guess.confidence for guess in ranking.guesses if guess.intent == CRISIS), 0.0)
    return chars < FEWEST_TELLING_CHARS or (chars < FEW_CHARS and danger < CERTAIN_OF_FEW)


def _is_open(reading: Reading) -> bool:
    return reading.needs_understanding or isinstance(reading.act, Refused)


def _is_courtesy(part: _Part) -> bool:
    return isinstance(part.reading.act, Courteous) or part.intent in {"thank", "greet", "affirm", "goodbye"}

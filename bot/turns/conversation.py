"""The conversation side of a turn: what a message means, the engine with its actions, and the answers in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, assert_never

import structlog

from bot.dialogue.engine import Engine
from bot.dialogue.events import ActionContext, ActionTable, Event
from bot.dialogue.models import DialogueState, Said, Step
from bot.dialogue.outcomes import FlowStarted, HandedOver, Outcome, RunAction, Spoken, TraceEntry
from bot.dialogue.render import Renderer
from bot.dialogue.state_json import from_json, to_json
from bot.dialogue.words import Command
from bot.turns.answers import Answer
from bot.turns.chats import RATING_LABELS
from bot.turns.hearing import Hearing, KnownQuestions
from bot.turns.reading import CRISIS_EVENT, LEFT_PEOPLE_EVENT, Reading, reading_of
from bot.turns.replies import as_outgoing
from bot.understanding.crisis import crisis_rules, crisis_signal
from bot.understanding.keywords import keyword_rules
from bot.understanding.models import Ranking, Understanding
from bot.values.clock import Clock
from bot.wechat.models import Inbound, MassJobFinished, PublishJobFinished, SubscribeSent, TemplateJobFinished

log = structlog.get_logger(__name__)


class Chats(Protocol):
    """What the turn needs of the inbox."""

    async def is_with_people(self, openid: str, *, expected: bool) -> bool:
        """Say whether people have this follower's chat now; where it is not ``expected``, as of a second ago."""
        ...

    async def take_down(self, message: Inbound, text: str, *, asks_place: bool, asks_person: bool) -> Spoken | None:
        """Add a message to the running chat; a repeated delivery is one message.

        ``asks_person``: it says no more than that somebody should come. Return what the follower should hear
        meanwhile: that nobody is there now, or what they asked for.
        """
        ...

    async def leave(self, openid: str, key: str, *, only_waiting: bool) -> bool:
        """End the follower's chat at their own word, with ``only_waiting`` only one that nobody has claimed.

        Say whether it is ended; a chat about a danger never is.
        """
        ...

    async def rate(self, openid: str, text: str, key: str) -> bool:
        """Take ``text`` as the answer to the satisfaction question, if one is open; say whether it was."""
        ...


class Followers(Protocol):
    """What the turn needs of the followers."""

    async def unfollowed(self, openid: str, key: str) -> None:
        """Record an unfollow and schedule the erasure that the platform asks for."""
        ...


class JobReports(Protocol):
    """Takes down what became of messages that went out as jobs."""

    async def note(self, event: MassJobFinished | PublishJobFinished | TemplateJobFinished | SubscribeSent) -> None:
        """Keep a report; the same one twice is one."""
        ...


@dataclass(slots=True)
class _Run:
    """What one message collects on its way through the engine."""

    outcomes: list[Outcome] = field(default_factory=list)
    trace: list[TraceEntry] = field(default_factory=list)
    actions: int = 0
    chances: Mapping[str, float] = field(default_factory=dict)


class Conversation:
    """Answers one message at a time; it keeps nothing between messages."""

    def __init__(
        self,
        engine: Engine,
        renderer: Renderer,
        actions: ActionTable,
        understanding: Understanding,
        questions: KnownQuestions,
        chats: Chats,
        followers: Followers,
        clock: Clock,
        *,
        nlu_budget_s: float,
        job_reports: JobReports | None = None,
    ) -> None:
        # The words are compiled now rather than in somebody's first turn.
        crisis_rules()
        keyword_rules()
        self._engine = engine
        self._renderer = renderer
        self._actions = actions
        self._hearing = Hearing(engine, understanding, questions, budget_s=nlu_budget_s)
        self._chats = chats
        self._followers = followers
        self._clock = clock
        self._job_reports = job_reports

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        """Return the answer to ``message`` for a follower whose stored dialogue is ``stored`` (``b""``: none)."""
        now = self._clock.now()
        reading = reading_of(message, now.date())
        match reading.kind:
            case "left":
                await self._followers.unfollowed(message.openid, message.delivery_key)
                return Answer(message, b"", at=now)
            case "noted":
                if isinstance(message, MassJobFinished | PublishJobFinished | TemplateJobFinished | SubscribeSent):
                    await self._note_report(message)
                return Answer(message, stored, at=now)
            case "said":
                assert reading.said is not None
                return await self._respond_to(message, reading, reading.said, stored, now)
            case _:
                assert_never(reading.kind)

    async def _note_report(
        self, event: MassJobFinished | PublishJobFinished | TemplateJobFinished | SubscribeSent
    ) -> None:
        if self._job_reports is not None:
            await self._job_reports.note(event)

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        """Return the answer to a message that could not be worked on: what happened, and the way to a person.

        The dialogue stays as it was. It is forgotten when it cannot be read, or when the message before failed too:
        then the fault is likely in it, and the follower would never get out of it.
        """
        now = self._clock.now()
        reading = reading_of(message, now.date())
        if reading.said is None:
            return Answer(message, stored, flow="internal_error", at=now)
        kept = _marked_as_failed(stored)
        if crisis_signal(reading.said.text) is not None:
            text = "utter_internal_error_crisis"
        else:
            text = "utter_internal_error" if kept or not stored else "utter_internal_error_again"
        outgoing = as_outgoing(self._renderer.render([Spoken(text)]))
        return Answer(message, kept, outgoing, reading.said.text, flow="internal_error", at=now)

    async def _respond_to(
        self, message: Inbound, reading: Reading, said: Said, stored: bytes, now: datetime
    ) -> Answer:
        state, with_people = _load(stored)
        danger = crisis_signal(said.text) if said.text else None
        if danger is not None:
            said = replace(said, event=CRISIS_EVENT)
        if await self._chats.is_with_people(message.openid, expected=with_people):
            if danger is None and await self._leaves(message, said):
                said = replace(said, text="", event=LEFT_PEOPLE_EVENT)
            else:
                asks_place = danger is None and self._says(said, "ask_place")
                asks_person = danger is None and self._says(said, Command.PERSON)
                told = await self._chats.take_down(message, said.text, asks_place=asks_place, asks_person=asks_person)
                if danger is None:
                    outgoing = as_outgoing(self._renderer.render([told])) if told is not None else ()
                    kept = _dump(state, with_people=True)
                    return Answer(message, kept, outgoing, said=said.text, flow="people", at=now)
        elif (with_people or said.text in RATING_LABELS) and await self._chats.rate(
            message.openid, said.text, message.delivery_key
        ):
            said = replace(said, text="", event="/flow:thank_for_rating")
        return await self._talk(message, reading, said, state, now)

    async def _leaves(self, message: Inbound, said: Said) -> bool:
        """End the chat with people when the message says no more than that."""
        plainly = self._says(said, "leave_people")
        if not plainly and not self._says(said, "leave_waiting"):
            return False
        return await self._chats.leave(message.openid, message.delivery_key, only_waiting=not plainly)

    def _says(self, said: Said, words_list: str) -> bool:
        """Say whether the message is just one of the words in that list of ``flows/patterns.yml``."""
        words = self._engine.catalog.words
        forms = set(words.readings(said.text)) if said.text else set()
        return not forms.isdisjoint(words.plain_list(words_list))

    async def _talk(
        self, message: Inbound, reading: Reading, said: Said, state: DialogueState, now: datetime
    ) -> Answer:
        heard = await self._hearing.hear(state, said, now)
        understood = heard.understood
        step = self._engine.respond(state, heard.said, heard.reading, understood, now)
        run = _Run(trace=list(heard.notes), chances=_chances(heard.ranking))
        intent = understood.intents[0] if understood and understood.intents else None
        whole = said.text
        # A button counts as the words that it stands for.
        said = replace(heard.said, text=heard.reading.text or heard.said.text)
        state = await self._run_actions(message, reading, said, intent, step, run, now)
        with_people = any(isinstance(outcome, HandedOver) for outcome in run.outcomes)
        flow = next((outcome.flow for outcome in run.outcomes if isinstance(outcome, FlowStarted)), None)
        return Answer(
            message,
            _dump(state, with_people=with_people),
            as_outgoing(self._renderer.render(run.outcomes)),
            whole if said.later else said.text,
            heard.ranking,
            None if understood is None else understood.certainty,
            flow or (state.frames[-1].flow if state.frames else None),
            tuple(run.trace),
            now,
        )

    async def _run_actions(
        self,
        message: Inbound,
        reading: Reading,
        said: Said,
        intent: str | None,
        step: Step,
        run: _Run,
        now: datetime,
    ) -> DialogueState:
        while True:
            run.outcomes.extend(step.outcomes)
            run.trace.extend(step.trace)
            if step.run is None:
                return step.state
            run.actions += 1
            context = _context(message, reading, said, intent, step.run, run, now)
            events: Sequence[Event] = await self._actions[step.run.action](context)
            step = self._engine.resume(step.state, events, now)


def _context(
    message: Inbound, reading: Reading, said: Said, intent: str | None, action: RunAction, run: _Run, now: datetime
) -> ActionContext:
    return ActionContext(
        openid=message.openid,
        flow=action.flow,
        slots=action.slots,
        idempotency_key=f"{message.delivery_key}:{run.actions}",
        now=now,
        said=said.text if action.said is None else action.said,
        media_id=said.media_id,
        scene=reading.scene,
        latest_slot=action.latest_slot,
        intent=intent if action.intent is None else action.intent,
        chances=run.chances if action.intent is None else {action.intent: 1.0},
    )


def _chances(ranking: Ranking | None) -> Mapping[str, float]:
    return {} if ranking is None else {guess.intent: guess.confidence for guess in ranking.guesses}


WITH_PEOPLE, WITH_BOT = b"P", b"B"
"""The first byte of a stored dialogue: who has the chat; a small letter when the last message failed. The rest is
the engine's own JSON."""


def _load(stored: bytes) -> tuple[DialogueState, bool]:
    if not stored:
        return DialogueState(), False
    return from_json(stored[1:].decode()), stored[:1].upper() == WITH_PEOPLE


def dialogue_of(stored: bytes) -> DialogueState:
    """Return the dialogue that ``Responded.state`` holds; raises StateUnreadable."""
    return _load(stored)[0]


def _marked_as_failed(stored: bytes) -> bytes:
    """Return the dialogue with the mark of a failed message, ``b""`` when it has that mark or cannot be read."""
    if not stored or stored[:1].islower():
        return b""
    try:
        _load(stored)
    except Exception as error:  # noqa: BLE001 - Whatever is wrong with it, it must not make the apology fail too.
        log.error("a stored dialogue cannot be read and is forgotten", error=type(error).__name__)
        return b""
    return stored[:1].lower() + stored[1:]


def _dump(state: DialogueState, *, with_people: bool) -> bytes:
    return (WITH_PEOPLE if with_people else WITH_BOT) + to_json(state).encode()

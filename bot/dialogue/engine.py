"""The dialogue engine: pure, from a state and a message to a new state and what happened.

It never awaits anything. Where a flow needs an action, the step names it, the turn runs it, and ``resume`` goes on
with its events. Everything is decided by the state and the message; the same delivery gives the same answer.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import assert_never

from bot.dialogue.answers import AnswerReader
from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.errors import NotWaiting
from bot.dialogue.events import Event
from bot.dialogue.filling import Filler
from bot.dialogue.interpretation import Interpretation
from bot.dialogue.message_reader import MessageReader
from bot.dialogue.models import DialogueState, EngineSettings, Said, Step, Understood, Waiting
from bot.dialogue.patterns import Patterns
from bot.dialogue.progress import Route
from bot.dialogue.readings import Reading
from bot.dialogue.services import Services
from bot.dialogue.steps import Runner
from bot.dialogue.validators import ValidatorTable
from bot.dialogue.versions import Migration
from bot.dialogue.work import Work, World


class Engine:
    """Runs the conversations of one catalogue. It holds no state of anybody and can serve all followers.

    ``actions`` are the names of the registered actions: they tell whether a slot has an ``action_ask_…`` or a
    ``validate_…``.
    """

    def __init__(
        self,
        catalog: FlowCatalog,
        validators: ValidatorTable,
        settings: EngineSettings | None = None,
        *,
        actions: Collection[str] = (),
    ) -> None:
        self.catalog = catalog
        self._settings = settings or EngineSettings()
        self._world = World(catalog, validators, self._settings, frozenset(actions))
        route = Route(catalog)
        answers = AnswerReader(route)
        self._migration = Migration(route)
        self._runner = Runner(route)
        self._filler = Filler(self._runner)
        self._reader = MessageReader(answers)
        services = Services(self._runner, self._migration)
        interpretation = Interpretation(self._runner, self._filler, services, answers)
        self._patterns = Patterns(self._runner, self._filler, services, interpretation)

    def read(self, state: DialogueState, said: Said, now: datetime) -> Reading:
        """Return what the message is, and whether the NLU should be asked about ``reading.text``."""
        return self._reader.read(self._opened(state, said.today, now), said)

    def respond(
        self, state: DialogueState, said: Said, reading: Reading, understood: Understood | None, now: datetime
    ) -> Step:
        """Answer a message; ``understood`` is ``None`` when the NLU was not asked or gave nothing in time.

        Raises NotWaiting when the state still waits for an action, FlowEndless for a loop that no check found.
        """
        if state.waiting is not None:
            raise NotWaiting(reason="the state waits for an action")
        work = self._opened(state, said.today, now)
        work.turn += 1
        work.offered = ()
        if said.later:
            until_s = work.now_s + self._settings.wish_s
            work.later = [replace(wish, at_once=bool(work.frames), until_s=until_s) for wish in said.later]
        self._patterns.handle(work, said, reading, understood)
        return self._finished(work)

    def resume(self, state: DialogueState, events: Sequence[Event], now: datetime) -> Step:
        """Go on with what the action of ``step.run`` answered; raises NotWaiting when none is awaited."""
        waiting = state.waiting
        if waiting is None:
            raise NotWaiting(reason="the state waits for no action")
        work = Work(self._world, state, waiting.today, _seconds(now))
        work.trigger = waiting.trigger
        work.silenced = waiting.silenced
        work.answer = waiting.answer
        work.leads = list(waiting.leads)
        work.suggestions = waiting.suggestions
        self._go_on(work, waiting, events)
        return self._finished(work)

    def _go_on(self, work: Work, waiting: Waiting, events: Sequence[Event]) -> None:
        offer, problem = self._runner.apply(work, events)
        match waiting.kind:
            case "step":
                self._runner.advance(work, work.step())
            case "ask":
                self._runner.after_ask(work, waiting.slot or "", offer)
            case "validate":
                self._filler.after_validation(work, waiting, problem)
            case "cancel":
                pass
            case _:
                assert_never(waiting.kind)

    def _opened(self, state: DialogueState, today: date, now: datetime) -> Work:
        """Return the state ready to be worked on: drafts expired, versions brought up to date, pauses noticed."""
        now_s = _seconds(now)
        work = Work(self._world, state, today, now_s)
        if state.frames and now_s - state.at_s > self._settings.pause_s:
            work.away = True
        if work.drafts:
            work.drafts = [one for one in work.drafts if one.until_s > now_s and one.flow in self.catalog.flows]
        self._migration.run(work)
        return work

    def _finished(self, work: Work) -> Step:
        self._runner.run(work)
        while work.candidate is not None:
            candidate, work.candidate, work.stopped = work.candidate, None, False
            self._filler.take(work, (candidate,))
            self._runner.run(work)
        return Step(work.frozen(), tuple(work.outcomes), work.run, tuple(work.trace))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())

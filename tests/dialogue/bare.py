"""The bare engine as a conversation: scripted actions, no storage but the state's own JSON, a clock that is moved."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.engine import Engine
from bot.dialogue.events import Event, SlotValue
from bot.dialogue.models import DialogueState, EngineSettings, Said, Understood
from bot.dialogue.outcomes import HandedOver, Outcome, RunAction, TraceEntry
from bot.dialogue.render import Message, Renderer
from bot.dialogue.standard_validators import standard_validators
from bot.dialogue.state_json import join_sensitive, split_sensitive
from bot.values.clock import MovedClock
from tests.support.conversations import Reply


class BareConversation:
    """One follower of one catalogue. Every turn ends with the state written to JSON and read back."""

    def __init__(
        self,
        catalog: FlowCatalog,
        clock: MovedClock,
        actions: Mapping[str, Sequence[Event]],
        settings: EngineSettings | None = None,
    ) -> None:
        self.clock = clock
        self._settings = settings
        self._scripts = dict(actions)
        self.deploy(catalog)
        self.stored = split_sensitive(DialogueState(), frozenset())
        self.ran: list[RunAction] = []
        self.trace: list[TraceEntry] = []
        self.outcomes: list[Outcome] = []
        self._topic: str | None = None
        self._tappable: dict[str, str] = {}

    def deploy(self, catalog: FlowCatalog) -> None:
        """Go on with ``catalog``, as after a release."""
        self.catalog = catalog
        self._engine = Engine(catalog, standard_validators(), self._settings, actions=frozenset(self._scripts))
        self._renderer = Renderer(catalog)

    @property
    def state(self) -> DialogueState:
        """The follower's state as it is stored."""
        return join_sensitive(*self.stored)

    async def say(self, text: str, understood: Understood | None) -> Sequence[Reply]:
        return self.turn(Said(text, self.clock.now().date()), understood)

    async def tap(self, label: str) -> Sequence[Reply]:
        return self.turn(Said(label, self.clock.now().date(), menu_id=self._tappable[label]), None)

    async def send_picture(self, media_id: str) -> Sequence[Reply]:
        return self.turn(Said("", self.clock.now().date(), media_id=media_id), None)

    async def send_event(self, event: str) -> Sequence[Reply]:
        return self.turn(Said("", self.clock.now().date(), event=event), None)

    async def restart(self) -> None:
        self.deploy(self.catalog)

    async def move_clock(self, delta: timedelta) -> None:
        self.clock.move(delta)

    async def slots(self) -> Mapping[str, SlotValue]:
        return self.state.slots

    async def fill(self, slots: Mapping[str, SlotValue]) -> None:
        filled = replace(self.state, slots={**self.state.slots, **slots})
        self.stored = split_sensitive(filled, self.catalog.sensitive_slots)

    async def handed_over(self) -> str | None:
        return self._topic

    def script(self, action: str, events: Sequence[Event]) -> None:
        self._scripts[action] = events

    def turn(self, said: Said, understood: Understood | None) -> list[Reply]:
        """Hold one turn: read, respond, run actions, store."""
        now = self.clock.now()
        state = self.state
        reading = self._engine.read(state, said, now)
        step = self._engine.respond(state, said, reading, understood if reading.needs_understanding else None, now)
        self.outcomes, self.trace = list(step.outcomes), list(step.trace)
        while step.run is not None:
            self.ran.append(step.run)
            step = self._engine.resume(step.state, self._scripts.get(step.run.action, ()), now)
            self.outcomes.extend(step.outcomes)
            self.trace.extend(step.trace)
        self.stored = split_sensitive(step.state, self.catalog.sensitive_slots)
        self._topic = next((one.topic for one in self.outcomes if isinstance(one, HandedOver)), self._topic)
        return [self._reply(message) for message in self._renderer.render(self.outcomes)]

    def _reply(self, message: Message) -> Reply:
        self._tappable.update({choice.label: choice.id for choice in message.choices})
        return Reply(message.text, tuple(choice.label for choice in message.choices))

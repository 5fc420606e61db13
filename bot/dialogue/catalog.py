"""The flows as data: what ``flows/*.yml`` declare, read once and shared by every conversation.

Everything here is immutable. The vocabulary is described in ``docs/flows.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from bot.dialogue.conditions import Condition
from bot.dialogue.events import Option, SlotValue
from bot.dialogue.words import Words

SlotType = Literal["text", "int", "float", "bool", "categorical", "list", "any", "media"]
AlsoFill = Literal["no", "yes", "rest"]
Limit = int | float

END = None
"""The target of a branch that ends the flow."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One piece of memory; see docs/flows.md, Slots."""

    name: str
    type: SlotType = "text"
    label: str = ""
    validator: str = "text"
    limits: Mapping[str, Limit] = field(default_factory=dict)
    sensitive: bool = False
    help: str = ""
    options: tuple[Option, ...] = ()
    initial: SlotValue = None
    also_fill: AlsoFill = "no"
    aliases: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    explicit: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording of a response; ``placeholders`` are the names between braces, in order."""

    text: str
    condition: Condition | None = None
    buttons: tuple[Option, ...] = ()
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """A text that people read, under its key, in one or more wordings."""

    key: str
    variants: tuple[Variant, ...]
    file: str = ""

    def choose(self, slots: Mapping[str, SlotValue], turn: int) -> int:
        """Return the index of the wording to use: the first whose condition holds, else the others in turn."""
        plain = []
        for index, variant in enumerate(self.variants):
            if variant.condition is None:
                plain.append(index)
            elif variant.condition.holds(slots):
                return index
        return plain[turn % len(plain)] if plain else 0


@dataclass(frozen=True, slots=True)
class Branch:
    """Where to go when ``condition`` holds (``None``: always); ``target`` is a step id or ``END``."""

    condition: Condition | None
    target: str | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An answer that a question does not take although its validator does."""

    condition: Condition
    response: str


@dataclass(frozen=True, slots=True)
class Place:
    """What every step has: its id, its place in the flow's list, and where to go from it."""

    id: str
    index: int
    next: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Collect(Place):
    """Ask until ``slot`` is filled."""

    slot: str
    response: str
    ask_before_filling: bool = False
    rejections: tuple[Rejection, ...] = ()
    reset_after_flow_ends: bool = True
    optional: bool = False
    counts: bool = True


@dataclass(frozen=True, slots=True)
class RunStep(Place):
    """Run a handler."""

    action: str


@dataclass(frozen=True, slots=True)
class Utter(Place):
    """Say a response."""

    response: str


@dataclass(frozen=True, slots=True)
class SetValues(Place):
    """Fill slots; a value ``{name}`` copies another slot."""

    values: tuple[tuple[str, SlotValue], ...]


@dataclass(frozen=True, slots=True)
class Call(Place):
    """Run another flow and come back."""

    flow: str


@dataclass(frozen=True, slots=True)
class Link(Place):
    """End here and go on in another flow."""

    flow: str


@dataclass(frozen=True, slots=True)
class Noop(Place):
    """Only branch."""


@dataclass(frozen=True, slots=True)
class Review(Place):
    """Show the answers for checking; ``submit`` is the label of the button that goes on."""

    slots: tuple[str, ...]
    response: str
    submit: str


FlowStep = Collect | RunStep | Utter | SetValues | Call | Link | Noop | Review


@dataclass(frozen=True, slots=True)
class Flow:
    """One conversation; ``steps`` are in the order of the file, nested ones in place."""

    id: str
    name: str
    steps: Mapping[str, FlowStep]
    first: str | None
    version: str
    description: str = ""
    guard: Condition | None = None
    intents: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    persisted: tuple[str, ...] = ()
    keeps_draft: bool = False
    on_cancel: str | None = None
    run_pattern_completed: bool = False
    questions: str | None = None
    progress: bool = True
    file: str = ""


@dataclass(frozen=True)
class FlowCatalog:
    """Everything that the flow directory declares, with the look-ups a turn needs."""

    flows: Mapping[str, Flow]
    slots: Mapping[str, Slot]
    responses: Mapping[str, Response]
    words: Words

    @cached_property
    def flow_by_intent(self) -> Mapping[str, str]:
        """The flow that an intent starts."""
        return {intent: flow.id for flow in self.flows.values() for intent in flow.intents}

    @cached_property
    def flow_by_event(self) -> Mapping[str, str]:
        """The flow that a platform event starts."""
        return {event: flow.id for flow in self.flows.values() for event in flow.events}

    @cached_property
    def flow_by_keyword(self) -> Mapping[str, str]:
        """The flow that a whole message starts; keys are in the plain form of ``Words.plain``."""
        return {self.words.plain(word): flow.id for flow in self.flows.values() for word in flow.keywords}

    @cached_property
    def sensitive_slots(self) -> frozenset[str]:
        """Names of the slots that are sealed at rest and masked when shown."""
        return frozenset(slot.name for slot in self.slots.values() if slot.sensitive)

    @cached_property
    def initial_values(self) -> Mapping[str, SlotValue]:
        """The slots that have a value from the start."""
        return {slot.name: slot.initial for slot in self.slots.values() if slot.initial is not None}

    @cached_property
    def dependents(self) -> Mapping[str, tuple[str, ...]]:
        """For each slot, the slots that are emptied when it changes, directly or through others."""
        direct: dict[str, list[str]] = {}
        for slot in self.slots.values():
            for name in slot.depends_on:
                direct.setdefault(name, []).append(slot.name)
        return {name: _closure(name, direct) for name in direct}

    @cached_property
    def collects(self) -> Mapping[str, Mapping[str, Collect]]:
        """For each flow, its questions by slot, those of the flows it calls included."""
        return {flow: self._collects(flow, set()) for flow in self.flows}

    def _collects(self, flow: str, seen: set[str]) -> dict[str, Collect]:
        if flow in seen or flow not in self.flows:
            return {}
        seen.add(flow)
        found: dict[str, Collect] = {}
        for step in self.flows[flow].steps.values():
            if isinstance(step, Collect):
                found.setdefault(step.slot, step)
            elif isinstance(step, Call):
                found = {**self._collects(step.flow, seen), **found}
        return found


def _closure(name: str, direct: Mapping[str, list[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = list(direct.get(name, ()))
    while waiting:
        slot = waiting.pop(0)
        if slot != name and slot not in found:
            found[slot] = None
            waiting.extend(direct.get(slot, ()))
    return tuple(found)

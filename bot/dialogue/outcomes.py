"""What a step of the engine brings about: a closed set, in the order in which it happened.

Outcomes carry everything needed to show them: which wording of a response, and its placeholders as people read them
(labels, masked numbers). Nothing has to be looked up in the state again, which may have been emptied meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.dialogue.events import Option, SlotValue
from bot.values.problem import FieldValue


@dataclass(frozen=True, slots=True)
class Spoken:
    """A response was said. ``options`` are choices that came with it, besides the buttons of the wording."""

    response: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    variant: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """``position`` of ``total`` questions, counted from one."""

    position: int
    total: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of ``slot`` is open.

    ``leads`` are said before it in the same breath. ``options`` are its answers, then the choices that are none of
    them (还是这个, 跳过); a number that the follower writes counts through all of them.
    """

    slot: str
    response: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    progress: Progress | None = None
    leads: tuple[Spoken, ...] = ()
    variant: int = 0


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One line of a review screen: ``shown`` is the value as people read it, masked if it is sensitive."""

    slot: str
    label: str
    shown: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The review screen is open."""

    response: str
    lines: tuple[ReviewLine, ...]
    submit: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    leads: tuple[Spoken, ...] = ()
    variant: int = 0


@dataclass(frozen=True, slots=True)
class PictureSent:
    """A picture that the platform holds is sent."""

    media_id: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The chat is with people from here on."""

    topic: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FlowStarted:
    """A flow began."""

    flow: str


@dataclass(frozen=True, slots=True)
class FlowFinished:
    """A flow came to its end."""

    flow: str


@dataclass(frozen=True, slots=True)
class FlowCancelled:
    """A flow was left before its end; ``kept`` says whether its answers stay as a draft."""

    flow: str
    kept: bool


Outcome = Spoken | Asked | Reviewed | PictureSent | HandedOver | FlowStarted | FlowFinished | FlowCancelled


@dataclass(frozen=True, slots=True)
class RunAction:
    """The turn must run this action and bring its events back with ``Engine.resume``.

    ``said`` and ``intent``, where set, stand in the action's context instead of those of the message: the worker
    chose what an earlier message had meant.
    """

    action: str
    flow: str
    slots: Mapping[str, SlotValue]
    latest_slot: str | None = None
    said: str | None = None
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One decision for the trace of the turn; names only, never what was said or filled in."""

    what: str
    detail: str = ""

"""The contract between flows and action handlers: what an action is given, and the closed set of what it may answer.

An action never changes the dialogue itself. It reads its ``ActionContext``, calls a service and returns events; the
engine applies them in order. Texts are named by key, never written here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.values.problem import FieldValue, Problem

SlotValue = str | int | float | bool | None | list["SlotValue"] | dict[str, "SlotValue"]
"""What a slot may hold: plain JSON, so that the state can be stored anywhere."""


@dataclass(frozen=True, slots=True)
class Option:
    """One clickable answer. ``value`` goes into the slot, ``label`` is shown, ``aliases`` are accepted as well.

    ``next_flow`` makes the choice start that flow instead of filling the open slot (a menu entry). ``note`` is shown
    behind the label while it can be chosen (余3); it is no part of the answer.
    """

    value: str
    label: str
    aliases: tuple[str, ...] = ()
    next_flow: str | None = None
    note: str = ""

    @property
    def shown(self) -> str:
        """The label with its note."""
        return f"{self.label} {self.note}" if self.note else self.label


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What an action may know of the turn.

    ``idempotency_key`` is the delivery key with the ordinal of the action in this turn: the same delivery repeated
    after a crash gives the same keys in the same order. ``said`` is the text of the message, ``media_id`` the
    platform's id of a picture that came with it, ``scene`` the QR scene or menu key of an event. ``latest_slot`` is
    the slot that a ``validate_…`` or ``ask_…`` action is called for; ``intent`` is what the message was understood
    as, ``chances`` how likely each intent is, empty when nobody was asked.
    """

    openid: str
    flow: str
    slots: Mapping[str, SlotValue]
    idempotency_key: str
    now: datetime
    said: str = ""
    media_id: str | None = None
    scene: str | None = None
    latest_slot: str | None = None
    intent: str | None = None
    chances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetSlots:
    """Fill slots; ``None`` empties one."""

    values: Mapping[str, SlotValue]


@dataclass(frozen=True, slots=True)
class Say:
    """Say the response of that key; ``fields`` fill its placeholders (slots fill the others).

    ``options`` are shown as clickable choices that start flows or repeat words; they do not open a question.
    """

    response: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferOptions:
    """The answer of an ``ask_<slot>`` action: the choices of the question, made from rows.

    ``response`` replaces ``utter_ask_<slot>`` when it is set.
    """

    options: tuple[Option, ...]
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    response: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """The answer of a ``validate_<slot>`` action that does not accept the value: the question is asked again."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hand the chat to people: the bot is silent until they close it. ``topic`` names the queue."""

    topic: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SendPicture:
    """Send a picture that the platform already holds."""

    media_id: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget what the worker has told so far: every slot, every draft, and the forms that are open below."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Leave the open form alone: its question is not asked again until the worker comes back to it."""


Event = SetSlots | Say | OfferOptions | Reject | HandOver | SendPicture | Forget | Rest

Action = Callable[[ActionContext], Awaitable[Sequence[Event]]]
ActionTable = Mapping[str, Action]
"""Action name, as flows write it, to handler. ``bot/app/actions.py`` merges the tables of ``actions/``."""

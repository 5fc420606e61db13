"""The validators that slots name: how a kind of value is read, found in a sentence, shown and masked.

Each is a thin bridge from ``bot.values`` to slots, which hold plain JSON. Which value a name puts into a slot is
listed in ``docs/flows.md``, Validators.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.dialogue.catalog import Slot
from bot.dialogue.events import Option, SlotValue
from bot.dialogue.words import Words
from bot.values.found import Found
from bot.values.problem import Problem
from bot.values.texts import mask_number


@dataclass(frozen=True, slots=True)
class Request:
    """What a validator may need besides the text: the slot, the options shown with it, today, the words in use."""

    slot: Slot
    options: tuple[Option, ...]
    today: date
    words: Words

    def limit(self, name: str, default: int) -> int:
        """Return the limit ``name`` of the slot as a whole number."""
        return int(self.slot.limits.get(name, default))


Read = Callable[[str, Request], SlotValue | Problem]
Find = Callable[[str, Request], Sequence[Found[SlotValue]]]
Show = Callable[[SlotValue, date], str]
Mask = Callable[[SlotValue], str]


def show_plain(value: SlotValue, today: date) -> str:
    """Return ``value`` as people read it when nothing better is known."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "、".join(show_plain(item, today) for item in value)
    return "" if value is None else str(value)


def mask_plain(value: SlotValue) -> str:
    """Return the ends of a number, and nothing of any other text: ``value.filled`` then says that there is one."""
    return mask_number(value) if isinstance(value, str) and value.isascii() else ""


def find_nothing(text: str, request: Request) -> Sequence[Found[SlotValue]]:  # noqa: ARG001 - the interface
    """Find nothing: for kinds of value that cannot be told inside a sentence."""
    return ()


@dataclass(frozen=True, slots=True)
class Validator:
    """One kind of value. ``sure`` says whether a text it reads is surely the answer; free text is not.

    ``show`` and ``mask`` return "" where the texts ``value.yes``, ``value.no`` or ``value.filled`` say it instead.
    """

    read: Read
    find: Find = find_nothing
    show: Show = show_plain
    mask: Mask = mask_plain
    sure: bool = True
    limits: frozenset[str] = frozenset()


ValidatorTable = Mapping[str, Validator]

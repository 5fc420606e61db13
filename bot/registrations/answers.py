"""What somebody answered, as staff read it: labels and options of the flows, and nothing personal in plain."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.dialogue.catalog import Slot
from bot.programmes.snapshots import JsonValue

HIDDEN = "••••"
NO_CHOICES: Mapping[str, str] = MappingProxyType({})
_PERSONAL = frozenset({"person_name", "mobile", "phone", "landline", "identity_number", "document"})


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer. ``text`` is ``HIDDEN`` where ``is_masked``; then ``name`` is what ``unmask`` takes."""

    name: str
    label: str
    text: str
    is_masked: bool


class AnswerSheet:
    """Puts answers into words. ``slots`` are those that the flows declare, by name."""

    def __init__(self, slots: Mapping[str, Slot]) -> None:
        self._slots = slots

    def lines(
        self, answers: Mapping[str, JsonValue], choices: Mapping[str, str] = NO_CHOICES
    ) -> tuple[AnswerLine, ...]:
        """Return every answer that was given, in its order; what no flow declares is masked.

        ``choices`` are the programme's own, which no flow knows: each with its label.
        """
        given = {name: value for name, value in answers.items() if value not in (None, "", [], {})}
        return tuple(self._line(name, value, choices) for name, value in given.items())

    def label(self, name: str) -> str:
        """Return what an answer is called."""
        slot = self._slots.get(name)
        return slot.label if slot is not None and slot.label else name

    def options(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Return the values that an answer may have, each with its label and then what people say instead."""
        slot = self._slots.get(name)
        return {} if slot is None else {one.value: (one.label, *one.aliases) for one in slot.options}

    def text(self, name: str, value: JsonValue, choices: Mapping[str, str] = NO_CHOICES) -> str:
        """Return a value as people read it: options by their labels, or by those of the programme's ``choices``."""
        slot = self._slots.get(name)
        own = {option.value: option.label for option in slot.options} if slot is not None else {}
        options = own or choices
        match value:
            case bool():
                return options.get(str(value).lower(), "是" if value else "否")
            case str() | int() | float():
                return options.get(str(value), str(value))
            case None:
                return ""
            case Mapping():
                return " 至 ".join(str(part) for part in value.values())
            case _:
                return "、".join(self.text(name, part, choices) for part in value)

    def is_open(self, name: str) -> bool:
        """Say whether an answer may be shown as it is: declared, not sensitive, and no name or number of anybody."""
        slot = self._slots.get(name)
        return slot is not None and not slot.sensitive and slot.validator not in _PERSONAL

    def _line(self, name: str, value: JsonValue, choices: Mapping[str, str]) -> AnswerLine:
        is_open = self.is_open(name)
        text = self.text(name, value, choices) if is_open else HIDDEN
        return AnswerLine(name, self.label(name), text, not is_open)

"""Reading a posted form or the filters of an address: typed values, and a problem beside each field that is wrong."""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime, time

from aiohttp.web import FileField
from multidict import MultiMapping

from bot.values.clock import LOCAL_ZONE
from bot.values.problem import Problem

TEXT_MAX_CHARS = 200
_NOT_PRINTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Form:
    """Values as they were sent. Each reader notes what is wrong in ``problems``, so that all faults show at once.

    ``key`` makes a button that is pressed twice count once: it was made when the page was rendered.
    """

    def __init__(self, fields: MultiMapping[str | bytes | bytearray | FileField] | MultiMapping[str]) -> None:
        self._fields = fields
        self.problems: dict[str, Problem] = {}
        self._secrets: set[str] = {"csrf", "key"}

    @property
    def key(self) -> str:
        return self.raw("key")[:64]

    def raw(self, name: str) -> str:
        """Return the text as it was typed, without control characters; empty when there is none."""
        value = self._fields.get(name, "")
        return _NOT_PRINTED.sub("", value) if isinstance(value, str) else ""

    def has(self, name: str) -> bool:
        """Say whether the form has that field, be it empty."""
        return name in self._fields

    def all(self, name: str) -> Sequence[str]:
        """Return every value that was sent under one name."""
        return [value for value in self._fields.getall(name, []) if isinstance(value, str) and value]

    def typed(self) -> dict[str, str]:
        """Return everything that was typed, to show it again beside the problems."""
        return {name: self.raw(name) for name in self._fields if name not in self._secrets}

    def text(self, name: str, label: str, *, max_chars: int = TEXT_MAX_CHARS, required: bool = True) -> str:
        """Return a text without outer blanks."""
        value = self.raw(name).strip()
        if required and not value:
            self._note(name, "form.required", label=label)
        elif len(value) > max_chars:
            self._note(name, "form.too_long", label=label, max_chars=max_chars, chars=len(value))
        return value

    def secret(self, name: str, label: str) -> str:
        """Return a password just as it was typed; no blank is taken away. ``typed`` leaves it out."""
        value = self.raw(name)
        self._secrets.add(name)
        if not value:
            self._note(name, "form.required", label=label)
        return value

    def number(self, name: str, label: str, *, least: int, most: int, required: bool = True) -> int | None:
        """Return a whole number from ``least`` to ``most``; ``None`` when it is left out or wrong.

        Commas may stand in it, as they do where the console shows one.
        """
        text = self.text(name, label, required=required)
        if not text or name in self.problems:
            return None
        digits = text.replace(",", "").replace("，", "")
        if not re.fullmatch(r"[-+]?\d{1,12}", digits, re.ASCII):
            self._note(name, "form.not_a_number", label=label)
            return None
        value = int(digits)
        if not least <= value <= most:
            self._note(name, "form.out_of_range", label=label, least=least, most=most)
            return None
        return value

    def day(self, name: str, label: str, *, required: bool = True) -> date | None:
        """Return a date written as the browser's own date field does (2026-06-20)."""
        text = self.text(name, label, required=required)
        if not text or name in self.problems:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._note(name, "form.not_a_day", label=label)
            return None

    def time(self, name: str, label: str, *, required: bool = True) -> time | None:
        """Return a time of day written as 08:30."""
        text = self.text(name, label, required=required)
        if not text or name in self.problems:
            return None
        try:
            return time.fromisoformat(text)
        except ValueError:
            self._note(name, "form.not_a_time", label=label)
            return None

    def moment(self, name: str, label: str, *, required: bool = True) -> datetime | None:
        """Return a moment in local time written as the browser's own field does (2026-06-20T08:30)."""
        text = self.text(name, label, required=required)
        if not text or name in self.problems:
            return None
        try:
            return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)
        except ValueError:
            self._note(name, "form.not_a_moment", label=label)
            return None

    def option(self, name: str, label: str, options: Collection[str], *, required: bool = True) -> str:
        """Return one of ``options``; empty when it is left out or is none of them."""
        value = self.text(name, label, required=required)
        if value and value not in options:
            self._note(name, "form.not_an_option", label=label)
            return ""
        return value

    def options(self, name: str, label: str, options: Collection[str]) -> Sequence[str]:
        """Return the ticked ones of ``options``, in the order of the form, each once."""
        values = self.all(name)
        if any(value not in options for value in values):
            self._note(name, "form.not_an_option", label=label)
        return list(dict.fromkeys(value for value in values if value in options))

    def ticked(self, name: str) -> Sequence[str]:
        """Return every value that was sent under a name, each once, whatever it is."""
        values = self._fields.getall(name, [])
        return list(
            dict.fromkeys(_NOT_PRINTED.sub("", value) for value in values if isinstance(value, str) and value)
        )

    def flag(self, name: str) -> bool:
        """Say whether a box is ticked."""
        return self.raw(name) in ("on", "1", "true", "yes")

    def upload(self, name: str, label: str, *, required: bool = True) -> FileField | None:
        """Return an uploaded file; ``None`` when none was chosen."""
        value = self._fields.get(name)
        if isinstance(value, FileField) and value.filename:
            return value
        if required:
            self._note(name, "form.file_needed", label=label)
        return None

    def note(self, name: str, problem: Problem | None) -> None:
        """Put a problem that a rule of the subject found beside a field; ``None`` is none."""
        if problem is not None:
            self.problems.setdefault(name, problem)

    def _note(self, name: str, code: str, **fields: str | int) -> None:
        self.problems.setdefault(name, Problem(code, fields))

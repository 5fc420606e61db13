"""Typed access to the elements of a delivery."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.wechat.errors import Malformed
from bot.wechat.inbound import RawValue

MAX_DIGITS = 20
"""As long as the largest number of 64 bits."""

_DECIMAL = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{0,20})?")


class Fields:
    """The children of one element. Every method raises Malformed with the element's name."""

    __slots__ = ("_path", "raw")

    def __init__(self, raw: Mapping[str, RawValue], path: str = "") -> None:
        self.raw = raw
        self._path = path

    def text(self, name: str) -> str:
        """Return the text of ``name``, empty when the element is empty or missing."""
        value = self.raw.get(name, "")
        if not isinstance(value, str):
            raise Malformed(self._path + name)
        return value

    def optional(self, name: str) -> str | None:
        """Return the text of ``name`` without outer blanks, None when it is empty or missing."""
        return self.text(name).strip() or None

    def required(self, name: str) -> str:
        """Return the text of ``name`` without outer blanks; it may not be empty."""
        value = self.text(name).strip()
        if not value:
            raise Malformed(self._path + name)
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a number without sign; ``default`` when it is empty or missing, if there is one."""
        value = self.text(name).strip()
        if not value and default is not None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS):
            raise Malformed(self._path + name)
        return int(value)

    def signed(self, name: str, default: int) -> int:
        """Return a number that may have a minus sign."""
        value = self.text(name).strip()
        if value.startswith("-"):
            return -Fields({name: value[1:]}, self._path).integer(name)
        return self.integer(name, default)

    def optional_integer(self, name: str) -> int | None:
        """Return a number without sign, None when it is empty or missing."""
        return self.integer(name) if self.optional(name) else None

    def flag(self, name: str) -> bool:
        """Return whether the number ``name`` is not zero."""
        return self.integer(name, 0) != 0

    def decimal(self, name: str) -> float:
        """Return a finite decimal number."""
        value = self.required(name)
        if not _DECIMAL.fullmatch(value):
            raise Malformed(self._path + name)
        return float(value)

    def child(self, name: str) -> "Fields":
        """Return the children of ``name``, none when the element is empty or missing."""
        value = self.raw.get(name, "")
        if isinstance(value, str) and not value.strip():
            return Fields({}, f"{self._path}{name}/")
        if not isinstance(value, Mapping):
            raise Malformed(self._path + name)
        return Fields(value, f"{self._path}{name}/")

    def children(self, name: str) -> list["Fields"]:
        """Return every element ``name``: the platform repeats it, sends it once, or leaves it empty."""
        value = self.raw.get(name, "")
        path = f"{self._path}{name}/"
        if isinstance(value, str) and not value.strip():
            return []
        values: Sequence[Any] = [value] if isinstance(value, str | Mapping) else value
        if not all(isinstance(one, Mapping) for one in values):
            raise Malformed(self._path + name)
        return [Fields(one, path) for one in values]

    def items(self, name: str) -> list["Fields"]:
        """Return the elements ``item`` of the list ``name``, or the repeated ``name`` itself where it has none."""
        found: list[Fields] = []
        for entry in self.children(name):
            found.extend(entry.children("item") if "item" in entry.raw else [entry])
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the text of every element ``name``."""
        value = self.raw.get(name, "")
        values: Sequence[RawValue] = [value] if isinstance(value, str | Mapping) else value
        if not all(isinstance(one, str) for one in values):
            raise Malformed(self._path + name)
        return tuple(str(one).strip() for one in values if one)

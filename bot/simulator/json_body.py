"""Reading JSON bodies with types, in the platform's dialect."""

import json
import re
from collections.abc import Iterator
from typing import TypeAlias

from bot.simulator.errors import BadField

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def parse_object(raw: bytes, *, literal_escapes: bool = False) -> JsonObject:
    r"""Return the JSON object in ``raw``, which must be UTF-8.

    With ``literal_escapes`` a ``\u4f60`` stays those six characters, which is how the platform shows bodies
    from clients that escape non-ASCII text. Raises BadField.
    """
    try:
        text = raw.decode("utf-8")
        if literal_escapes:
            text = _ESCAPE.sub(lambda found: f"\\\\{found[1]}" if len(found[1]) > 1 else found[0], text)
        value: JsonValue = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadField(field="body", reason="not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise BadField(field="body", reason="not an object")
    return value


def has_unicode_escape(raw: bytes) -> bool:
    r"""Say whether the body spells characters as ``\uXXXX``."""
    return any(len(found[1]) > 1 for found in _ESCAPE.finditer(raw.decode("utf-8", "replace")))


class Fields:
    """A JSON object with typed getters; each raises BadField naming the path of what is missing or wrong."""

    def __init__(self, data: JsonObject, path: str = "") -> None:
        self.data = data
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self.data.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string; numbers are accepted and spelled out, as the platform does for ids."""
        value = self.data.get(name, default)
        if value is None:
            value = default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._bad(name)
        return str(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._bad(name)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number."""
        value = self.data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._bad(name)
        return float(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return true or false; 0 and 1 are accepted."""
        value = self.data.get(name, default)
        if value not in (True, False):
            raise self._bad(name)
        return bool(value)

    def object(self, name: str) -> "Fields":
        """Return an object."""
        value = self.data.get(name)
        if not isinstance(value, dict):
            raise self._bad(name)
        return Fields(value, f"{self._path}{name}.")

    def objects(self, name: str) -> list["Fields"]:
        """Return a list of objects."""
        found: list[Fields] = []
        for index, item in enumerate(self._list(name)):
            if not isinstance(item, dict):
                raise self._bad(name)
            found.append(Fields(item, f"{self._path}{name}[{index}]."))
        return found

    def texts(self, name: str) -> list[str]:
        """Return a list of strings."""
        found = [item for item in self._list(name) if isinstance(item, str)]
        if len(found) != len(self._list(name)):
            raise self._bad(name)
        return found

    def integers(self, name: str) -> list[int]:
        """Return a list of whole numbers."""
        found = [item for item in self._list(name) if isinstance(item, int) and not isinstance(item, bool)]
        if len(found) != len(self._list(name)):
            raise self._bad(name)
        return found

    def _list(self, name: str) -> list[JsonValue]:
        value = self.data.get(name)
        if not isinstance(value, list):
            raise self._bad(name)
        return value

    def _bad(self, name: str) -> BadField:
        return BadField(field=f"{self._path}{name}", reason="missing or of the wrong type")

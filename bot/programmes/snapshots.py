"""Frozen dataclasses as JSON and back: how a programme's versions and a call's outcome are kept in a column.

A field that the JSON does not name takes its default, so that what was stored before a field existed still reads.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from functools import cache
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

from bot.programmes.errors import SnapshotUnreadable

JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
"""Plain JSON, read-only."""

T = TypeVar("T")


def to_plain(value: object) -> JsonValue:
    """Return ``value`` as plain JSON: dataclasses as objects, moments and days in ISO 8601, enums by value.

    Raises SnapshotUnreadable for a type that could not be read back.
    """
    if isinstance(value, Enum):
        return cast("JsonValue", value.value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | frozenset):
        return [to_plain(item) for item in value]
    raise SnapshotUnreadable(kind=type(value).__name__)


def from_plain(kind: type[T], plain: JsonValue) -> T:
    """Return the ``kind`` that ``to_plain`` made ``plain`` of; raises SnapshotUnreadable."""
    try:
        return cast("T", _read(kind, plain))
    except (TypeError, ValueError, KeyError) as error:
        raise SnapshotUnreadable(kind=kind.__name__) from error


@cache
def _hints(kind: type) -> Mapping[str, object]:
    return get_type_hints(kind)


def _read(kind: object, plain: JsonValue) -> object:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), plain)
    if origin is tuple:
        return tuple(_read(get_args(kind)[0], item) for item in _sequence(plain))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _read(get_args(kind)[1], item) for key, item in _mapping(plain).items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return _read_dataclass(kind, _mapping(plain))
    return _read_scalar(kind, plain)


def _read_union(kinds: tuple[object, ...], plain: JsonValue) -> object:
    if plain is None and type(None) in kinds:
        return None
    # Our unions are "one type or nothing", or unions of plain scalars that JSON keeps apart by itself.
    others = [kind for kind in kinds if kind is not type(None)]
    return _read(others[0], plain) if len(others) == 1 else plain


def _read_dataclass(kind: type, plain: Mapping[str, JsonValue]) -> object:
    hints = _hints(kind)
    values: dict[str, object] = {}
    for item in fields(kind):
        if item.name in plain:
            values[item.name] = _read(hints[item.name], plain[item.name])
        elif item.default is MISSING and item.default_factory is MISSING:
            raise KeyError(item.name)
    return cast("Callable[..., object]", kind)(**values)


def _read_scalar(kind: object, plain: JsonValue) -> object:
    if isinstance(kind, type) and issubclass(kind, datetime | date | time):
        return kind.fromisoformat(str(plain))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    return plain


def _sequence(plain: JsonValue) -> Sequence[JsonValue]:
    if isinstance(plain, str) or not isinstance(plain, Sequence):
        raise TypeError("a list is expected")
    return plain


def _mapping(plain: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(plain, Mapping):
        raise TypeError("an object is expected")
    return plain

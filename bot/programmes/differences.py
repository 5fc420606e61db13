"""What changed from one version of a programme to another, field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from bot.programmes.models import Programme, Retention

_NOT_SHOWN: Final = frozenset({"id", "kind", "version"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same.

    ``field`` names the programme's field; ``item`` which one of its entries it is (a county's code, a material's
    label …), empty for a field of one value. ``before`` and ``after`` are ``None`` where there was or is nothing.
    """

    field: str
    item: str
    before: object
    after: object


def differences(older: Programme, newer: Programme) -> tuple[Difference, ...]:
    """Return every difference, in the order of the fields."""
    return tuple(
        difference
        for item in fields(Programme)
        if item.name not in _NOT_SHOWN
        for difference in _of_field(item.name, getattr(older, item.name), getattr(newer, item.name))
    )


def _of_field(name: str, before: object, after: object) -> list[Difference]:
    if before == after:
        return []
    old, new = _entries(name, before), _entries(name, after)
    if old is None or new is None:
        return [Difference(name, "", before, after)]
    keys = list(dict.fromkeys((*old, *new)))
    found = [Difference(name, key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]
    # The same entries in another order: people see it, so it is a difference.
    return found or [Difference(name, "", tuple(old), tuple(new))]


def _entries(name: str, value: object) -> Mapping[str, object] | None:
    """Return the entries of a field that has several, by what people call each; ``None`` for a single value."""
    if isinstance(value, Retention):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Mapping):
        return value
    if name in ("required_materials", "consents", "priority_rules") and isinstance(value, Sequence):
        return {getattr(one, "label", "") or getattr(one, "code", ""): one for one in value}
    return None

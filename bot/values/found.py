"""A value found inside a longer text, with the place where it stood."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Found(Generic[T_co]):
    """``value`` was written at ``text[start:end]`` of the text that was searched."""

    value: T_co
    start: int
    end: int


def only_value(found: tuple[Found[T_co], ...]) -> T_co | None:
    """Return the value when every hit says the same one, else ``None`` (no hit, or several different values)."""
    if not found:
        return None
    first = found[0].value
    return first if all(hit.value == first for hit in found) else None

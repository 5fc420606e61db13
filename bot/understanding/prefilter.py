"""Which of many regular expressions could match a text at all, told by its characters alone.

A pattern such as ``(喝|吃).{0,5}(农药|百草枯)`` needs one of 喝吃 and one of 农百 in the text. What each pattern
needs is read from its parsed form once, so that a usual message runs a handful of the patterns instead of all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from re import _constants, _parser  # type: ignore[attr-defined] # Private in name, and not in the stubs.
from typing import Any

Needs = tuple[frozenset[str], ...]
"""Sets of characters; a text that the pattern matches has one of each."""

_WIDEST_RANGE = 64
"""A range of more characters, such as all of Han, says nothing."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way in which the pattern ``index`` can match, and what it needs."""

    index: int
    needs: Needs


class Prefilter:
    """Made once for a list of patterns; ``candidates`` is asked for every text."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._always: set[int] = set()
        self._by_char: dict[str, list[_Way]] = {}
        for index, pattern in enumerate(patterns):
            for needs in _ways(_parser.parse(pattern)):
                if not needs:
                    self._always.add(index)
                    continue
                rarest = min(needs, key=len)
                way = _Way(index, tuple(need for need in needs if need is not rarest))
                for char in rarest:
                    self._by_char.setdefault(char, []).append(way)

    def candidates(self, text: str) -> set[int]:
        """Return the places of the patterns that may match ``text``; the others surely do not."""
        chars = frozenset(text)
        found = set(self._always)
        for char in chars:
            for way in self._by_char.get(char, ()):
                if way.index not in found and not any(need.isdisjoint(chars) for need in way.needs):
                    found.add(way.index)
        return found


def _ways(parsed: Iterable[Any]) -> list[Needs]:
    """Return what each alternative of a whole pattern needs."""
    items = list(parsed)
    if len(items) == 1:
        kind, value = items[0]
        if kind is _constants.BRANCH:
            return [needs for branch in value[1] for needs in _ways(branch)]
        if kind is _constants.SUBPATTERN:
            return _ways(value[3])
    return [_needs(items)]


def _needs(items: Iterable[Any]) -> Needs:
    needs: list[frozenset[str]] = []
    for kind, value in items:
        need = _need(kind, value)
        if need is not None:
            needs.append(need)
    return tuple(dict.fromkeys(needs))


def _need(kind: Any, value: Any) -> frozenset[str] | None:
    """Return the characters of which one part of a pattern takes one; None where that cannot be told."""
    if kind is _constants.LITERAL:
        return frozenset(chr(value))
    if kind is _constants.IN:
        return _members(value)
    if kind is _constants.SUBPATTERN:
        return _narrowest(value[3])
    if kind is _constants.BRANCH:
        return _union(_narrowest(branch) for branch in value[1])
    if kind in {_constants.MAX_REPEAT, _constants.MIN_REPEAT} and value[0] > 0:
        return _narrowest(value[2])
    # Anything else takes no character, any character, or perhaps none.
    return None


def _narrowest(items: Iterable[Any]) -> frozenset[str] | None:
    return min(_needs(items), key=len, default=None)


def _union(needs: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    together: set[str] = set()
    for need in needs:
        if need is None:
            return None
        together |= need
    return frozenset(together)


def _members(items: Iterable[Any]) -> frozenset[str] | None:
    chars: set[str] = set()
    for kind, value in items:
        if kind is _constants.LITERAL:
            chars.add(chr(value))
        elif kind is _constants.RANGE and value[1] - value[0] < _WIDEST_RANGE:
            chars.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return None
    return frozenset(chars)

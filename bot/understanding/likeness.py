"""How alike two texts are, by their pairs of characters: what keeps training and evaluation apart."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

LONG_CHARS: Final = 8
"""Shorter texts only count as alike when they are equal: two pairs in common say nothing about them."""
TOO_ALIKE_ACROSS_INTENTS: Final = 0.8
TOO_ALIKE_TO_EVALUATE: Final = 0.7
_NOISE = re.compile(r"[\W_]+")
_ROUNDING = 1e-9


def bare(text: str) -> str:
    """Return ``text`` without case, width, blanks and marks; of marks alone, the text itself."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower()) or text


def likeness(left: str, right: str) -> float:
    """Return how alike two bare texts are, from 0 to 1: shared character pairs over all of them."""
    pairs_left, pairs_right = set(_pairs(left)), set(_pairs(right))
    together = pairs_left | pairs_right
    return len(pairs_left & pairs_right) / len(together) if together else 1.0


def near_duplicates(texts: Sequence[str], others: Sequence[str], least: float) -> Iterator[tuple[str, str]]:
    """Yield (text, other) that are at least ``least`` alike; short texts only count when they are equal."""
    known = _Index([bare(other) for other in others], least)
    for text in texts:
        plain = bare(text)
        yield from ((text, others[number]) for number in known.equal_to(plain))
        if len(plain) >= LONG_CHARS:
            yield from ((text, others[number]) for number in known.alike(plain))


class _Index:
    """Bare texts by their rarest pairs.

    Of two texts that are alike, neither can lack more than a share of 1 - ``least`` of its own pairs in the other, so
    that already the rarest ones, just more than that share, have one in common. Only texts that pass are compared.
    """

    def __init__(self, plains: Sequence[str], least: float) -> None:
        self._plains = plains
        self._least = least
        self._bags = [frozenset(_pairs(plain)) for plain in plains]
        self._often = Counter(pair for bag in self._bags for pair in bag)
        self._equals: dict[str, list[int]] = {}
        self._by_rare_pair: dict[str, list[int]] = {}
        for number, plain in enumerate(plains):
            self._equals.setdefault(plain, []).append(number)
            if len(plain) >= LONG_CHARS:
                for pair in self._rarest(self._bags[number]):
                    self._by_rare_pair.setdefault(pair, []).append(number)

    def equal_to(self, plain: str) -> Sequence[int]:
        """Return the numbers of the texts that are ``plain``."""
        return self._equals.get(plain, ())

    def alike(self, plain: str) -> list[int]:
        """Return the numbers of the other long texts that are at least ``least`` alike, in their order."""
        bag = frozenset(_pairs(plain))
        found = {number for pair in self._rarest(bag) for number in self._by_rare_pair.get(pair, ())}
        return [number for number in sorted(found) if plain != self._plains[number] and self._is_alike(bag, number)]

    def _is_alike(self, bag: frozenset[str], number: int) -> bool:
        other = self._bags[number]
        shared = len(bag & other)
        return shared > 0 and shared / (len(bag) + len(other) - shared) >= self._least

    def _rarest(self, bag: frozenset[str]) -> list[str]:
        # The product may come out a hair above a whole number that it should be.
        needed = math.ceil(self._least * len(bag) - _ROUNDING)
        return sorted(bag, key=lambda pair: (self._often[pair], pair))[: len(bag) - needed + 1]


def _pairs(text: str) -> list[str]:
    marked = f"^{text}$"
    return [marked[place : place + 2] for place in range(len(marked) - 1)]

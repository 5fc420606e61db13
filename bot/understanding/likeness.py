"""How alike two texts are, by their pairs of characters: what keeps training and evaluation apart."""

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
    bags = [(bare(other), set(_pairs(bare(other)))) for other in others]
    equals: dict[str, list[int]] = {}
    by_pair: dict[str, set[int]] = {}
    for number, (plain, bag) in enumerate(bags):
        equals.setdefault(plain, []).append(number)
        if len(plain) >= LONG_CHARS:
            for pair in bag:
                by_pair.setdefault(pair, set()).add(number)
    for text in texts:
        plain = bare(text)
        yield from ((text, others[number]) for number in equals.get(plain, ()))
        if len(plain) >= LONG_CHARS:
            bag = set(_pairs(plain))
            shared = Counter(number for pair in bag for number in by_pair.get(pair, ()))
            for number, count in sorted(shared.items()):
                if plain != bags[number][0] and count / (len(bag) + len(bags[number][1]) - count) >= least:
                    yield text, others[number]


def _pairs(text: str) -> list[str]:
    marked = f"^{text}$"
    return [marked[place : place + 2] for place in range(len(marked) - 1)]

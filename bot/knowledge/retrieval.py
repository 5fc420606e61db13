"""Finding the nearest question: what a retriever promises, and one over n-grams of characters and sounds."""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.knowledge.wording import grams, normalise, sounds

CHARACTER_WEIGHTS = {1: 1.0, 2: 1.0}
SOUND_WEIGHTS = {1: 0.3, 2: 0.3}
"""How much an n-gram of that length tells, by what it consists of. Sounds bridge voice-to-text mistakes.

Measured on tests/knowledge/questions.yml; longer n-grams made it worse.
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """How near an entry is to a text, from 0 to 1."""

    code: str
    score: float


class Retriever(Protocol):
    """Ranks entries by how near their questions are to a text."""

    def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:
        """Index anew: every way each entry's question is put, by entry code."""
        ...

    def nearest(self, text: str, *, limit: int, among: Collection[str]) -> list[Scored]:
        """Return at most ``limit`` entries ``among`` those, nearest first, without any that has nothing in common."""
        ...


class NgramRetriever:
    """Cosine of TF-IDF vectors over n-grams; an entry is as near as the nearest way its question is put.

    Holds about 20 floats a question variant; a look-up over a few hundred entries takes well under a millisecond.
    """

    def __init__(self) -> None:
        self._rarity: dict[str, float] = {}
        self._code_of: list[str] = []
        self._postings: dict[str, list[tuple[int, float]]] = {}

    def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:
        """Index anew."""
        code_of = [code for code, texts in questions.items() for _ in texts]
        weighted = [_weights(text) for texts in questions.values() for text in texts]
        seen: defaultdict[str, int] = defaultdict(int)
        for weights in weighted:
            for gram in weights:
                seen[gram] += 1
        rarity = {gram: math.log((1 + len(weighted)) / (1 + count)) + 1 for gram, count in seen.items()}
        postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, weights in enumerate(weighted):
            for gram, weight in _unit({gram: weight * rarity[gram] for gram, weight in weights.items()}).items():
                postings[gram].append((number, weight))
        self._rarity, self._code_of, self._postings = rarity, code_of, dict(postings)

    def nearest(self, text: str, *, limit: int, among: Collection[str]) -> list[Scored]:
        """Return the nearest entries."""
        # A gram that no question has still counts in the text's length: a text about something else is far away.
        unheard = math.log(1 + len(self._code_of)) + 1
        asked = _unit({gram: weight * self._rarity.get(gram, unheard) for gram, weight in _weights(text).items()})
        scores: defaultdict[int, float] = defaultdict(float)
        for gram, weight in asked.items():
            for number, other in self._postings.get(gram, ()):
                scores[number] += weight * other
        best: dict[str, float] = {}
        for number, score in scores.items():
            code = self._code_of[number]
            if code in among and score > best.get(code, 0.0):
                best[code] = score
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return [Scored(code, score) for code, score in ranked[:limit]]


def _weights(text: str) -> dict[str, float]:
    """Return the n-grams of a text with what each kind tells; sounds are marked, so that the two never mix."""
    plain = normalise(text)
    heard = sounds(plain)
    found: defaultdict[str, float] = defaultdict(float)
    for size, weight in CHARACTER_WEIGHTS.items():
        for gram in grams(plain, size):
            found[gram] += weight
    for size, weight in SOUND_WEIGHTS.items():
        for gram in grams([f"{syllable}~" for syllable in heard], size):
            found[gram] += weight
    return dict(found)


def _unit(vector: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(value * value for value in vector.values()))
    return {gram: value / length for gram, value in vector.items()} if length else {}

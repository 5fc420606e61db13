"""How alike texts are as they are written and as they sound: cosines of TF-IDF vectors over n-grams."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from bot.knowledge.wording import grams, normalise, sounds

Floats = npt.NDArray[np.float32]
Kind = Literal["characters", "sounds"]
SIZES = (1, 2)
"""Lengths of the n-grams; longer ones made it worse in every leave-one-out measurement."""


_COMMON = 40
"""From how many texts on an n-gram is quicker multiplied in one matrix with others than alone."""


class NgramSpace:
    """The n-grams of some texts: about 20 numbers a text, and a comparison with 3,000 of them is well under 1 ms."""

    def __init__(self, texts: Sequence[str], kind: Kind) -> None:
        self._kind = kind
        counted = [_count(text, kind) for text in texts]
        seen = Counter(gram for counts in counted for gram in counts)
        self._texts = len(texts)
        self._rarity = {gram: math.log((1 + len(texts)) / (1 + count)) + 1 for gram, count in seen.items()}
        postings: defaultdict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for number, counts in enumerate(counted):
            for gram, weight in self._unit(counts).items():
                rows, weights = postings[gram]
                rows.append(number)
                weights.append(weight)
        self._postings = {
            gram: (np.array(rows, dtype=np.int32), np.array(weights, dtype=np.float32))
            for gram, (rows, weights) in postings.items()
        }

    def likeness(self, text: str) -> Floats:
        """Return the cosine of ``text`` with each text of the space, from 0 to 1."""
        alike = np.zeros(self._texts, dtype=np.float32)
        for gram, weight in self._unit(_count(text, self._kind)).items():
            posting = self._postings.get(gram)
            if posting is not None:
                rows, weights = posting
                alike[rows] += np.float32(weight) * weights
        return alike

    def own_likeness(self) -> Floats:
        """Return the cosines of all texts of the space with each other, shape (texts, texts)."""
        common = [posting for posting in self._postings.values() if len(posting[0]) > _COMMON]
        columns = np.zeros((self._texts, len(common)), dtype=np.float32)
        for column, (rows, weights) in enumerate(common):
            columns[rows, column] = weights
        alike: Floats = columns @ columns.T
        for rows, weights in self._postings.values():
            if 1 < len(rows) <= _COMMON:
                alike[np.ix_(rows, rows)] += np.outer(weights, weights)
        np.fill_diagonal(alike, 1.0)  # Also stands for the n-grams that only one text has.
        return alike

    def _unit(self, counts: Mapping[str, int]) -> dict[str, float]:
        # A gram that no text has still counts in the length: a text about something else is far away.
        unheard = math.log(1 + self._texts) + 1
        weighted = {gram: count * self._rarity.get(gram, unheard) for gram, count in counts.items()}
        length = math.sqrt(sum(weight * weight for weight in weighted.values()))
        return {gram: weight / length for gram, weight in weighted.items()}


def _count(text: str, kind: Kind) -> Counter[str]:
    plain = normalise(text)
    units = sounds(plain) if kind == "sounds" else list(plain)
    # A mark between syllables keeps xi'an and xian apart.
    return Counter(gram for size in SIZES for gram in grams([f"{unit}~" for unit in units], size))

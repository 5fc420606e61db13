"""Tf-idf over n-grams, without Rasa: what the featurizers learn, and what cross-validation uses as well."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix


class Vocabulary:
    """The n-grams of the training texts, in sorted order, each with its inverse document frequency."""

    def __init__(self, weighted_grams: Sequence[tuple[str, float]]) -> None:
        self._columns = {gram: column for column, (gram, _) in enumerate(weighted_grams)}
        self._weights = np.array([weight for _, weight in weighted_grams])

    @property
    def weighted_grams(self) -> list[tuple[str, float]]:
        """The n-grams with their weights, in the order of the columns: what is stored."""
        return list(zip(self._columns, self._weights.tolist(), strict=True))

    @classmethod
    def learn(cls, texts: Sequence[list[str]], min_texts: int) -> "Vocabulary":
        """Return the vocabulary of ``texts`` (each a list of n-grams) without grams in fewer than ``min_texts``."""
        frequency: Counter[str] = Counter()
        for grams in texts:
            frequency.update(set(grams))
        kept = sorted(gram for gram, count in frequency.items() if count >= min_texts)
        return cls([(gram, float(np.log((1 + len(texts)) / (1 + frequency[gram])) + 1)) for gram in kept])

    def row(self, grams: Iterable[str], length: float) -> csr_matrix:
        """Return the (1, vocabulary) vector of one text, of Euclidean ``length``; zero when no gram is known."""
        counts = Counter(column for gram in grams if (column := self._columns.get(gram)) is not None)
        columns = np.fromiter(counts.keys(), dtype=np.int32, count=len(counts))
        often = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        values: npt.NDArray[np.float32] = ((1.0 + np.log(often)) * self._weights[columns]).astype(np.float32)
        if len(values):
            values *= length / np.linalg.norm(values)
        return csr_matrix((values, columns, [0, len(columns)]), shape=(1, len(self._columns)))

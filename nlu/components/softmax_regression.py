"""Multinomial logistic regression over a dense and a sparse block of features, without Rasa.

The optimum of scikit-learn's LogisticRegression(class_weight="balanced"), several times as quickly: one matrix of
both kinds would be sparse in name only, and its products an order of magnitude slower than those of the two blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from nlu.components.chances import chances
from nlu.components.lbfgs import minimise

Floats = npt.NDArray[np.float32]
_LEAST_GAIN = 1e-6


@dataclass(frozen=True)
class Fit:
    """A trained model. ``dense`` and ``sparse`` are (features, classes), ``intercepts`` (classes,), all 32 bit."""

    classes: list[str]
    dense: Floats
    sparse: Floats
    intercepts: Floats
    steps: int


def fit(
    dense: Floats,
    sparse: csr_matrix,
    labels: Sequence[str],
    strength: float,
    max_steps: int,
    *,
    balance: float = 1.0,
) -> Fit:
    """Return the model that minimises the weighted log loss x ``strength`` + half the squared weights.

    It stops when a step gains less than a millionth: the chances of unseen texts change no more after half of the
    steps that the last digit takes.

    With ``balance`` 1 classes weigh the same in sum, however many texts they have, with 0 each text weighs the same;
    intercepts go unpunished. The start is zero and the
    solver deterministic, so equal data give equal weights.
    """
    problem = _Problem(dense, sparse, labels, strength, balance)
    found = minimise(problem.loss_and_gradient, np.zeros(problem.size, np.float32), max_steps, _LEAST_GAIN)
    weights = found.place.reshape(-1, len(problem.classes))
    width = dense.shape[1]
    return Fit(problem.classes, weights[:width], weights[width:-1], weights[-1], found.steps)


def prior(classes: Sequence[str], frequent: Mapping[str, float]) -> Floats:
    """Return what to add to the intercepts, (classes,), where ``frequent`` gives factors over equal frequency.

    Raises KeyError for a class that is not among ``classes``.
    """
    added = np.zeros(len(classes), np.float32)
    place = {name: number for number, name in enumerate(classes)}
    for name, factor in frequent.items():
        added[place[name]] = np.log(factor)
    return added


class _Problem:
    def __init__(
        self, dense: Floats, sparse: csr_matrix, labels: Sequence[str], strength: float, balance: float
    ) -> None:
        self.classes = sorted(set(labels))
        self._dense = np.ascontiguousarray(dense, dtype=np.float32)
        self._sparse = sparse.astype(np.float32)
        self._sparse_turned = self._sparse.T.tocsr()
        place = {name: number for number, name in enumerate(self.classes)}
        self._truth = np.array([place[label] for label in labels])
        counts = np.bincount(self._truth, minlength=len(self.classes))
        worth = (len(labels) / (len(self.classes) * counts)) ** balance
        self._weights = (strength * worth[self._truth]).astype(np.float32)
        self.size = (dense.shape[1] + sparse.shape[1] + 1) * len(self.classes)

    def loss_and_gradient(self, flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(-1, len(self.classes))
        width = self._dense.shape[1]
        likely = chances(self._dense @ weights[:width] + self._sparse @ weights[width:-1] + weights[-1])
        rows = np.arange(len(self._truth))
        right = np.maximum(likely[rows, self._truth], np.float32(1e-30))
        penalised = flat[: -len(self.classes)]
        loss = -float((self._weights * np.log(right)).sum(dtype=np.float64)) + 0.5 * float(penalised @ penalised)
        likely[rows, self._truth] -= 1.0
        likely *= self._weights[:, None]
        gradient = np.vstack([self._dense.T @ likely, self._sparse_turned @ likely, likely.sum(axis=0)]).ravel()
        gradient[: -len(self.classes)] += penalised
        return loss, gradient

"""Chances of intents from scores, and two opinions about a text made one."""

import numpy as np
import numpy.typing as npt

_LEAST_CHANCE = 1e-12


def chances(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the softmax of ``scores`` over their last axis."""
    odds = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def fused(
    before: npt.NDArray[np.floating], seen: npt.NDArray[np.floating], trust: float, weight: float
) -> npt.NDArray[np.floating]:
    """Return the chances of ``trust`` times the logarithms of ``before`` plus ``weight`` times the scores ``seen``.

    Both have the intents on their last axis (a product of experts, Hinton 2002). Less than full trust for both
    together keeps the chances honest: where both agree for the same reason they must not count twice.
    """
    told = np.log(np.maximum(before.astype(np.float64), _LEAST_CHANCE))
    return chances(trust * told + weight * seen.astype(np.float64))

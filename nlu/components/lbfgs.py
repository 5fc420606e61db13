"""Minimises a smooth convex function of millions of numbers, in 32 bit.

scipy's L-BFGS-B does the same in 64 bit with bounds that nobody needs here, and spends four fifths of a training on
its own bookkeeping.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_REMEMBERED_STEPS = 5
_ENOUGH_DESCENT = 1e-4
_SHORTEST = 1e-6


@dataclass(frozen=True)
class Minimum:
    """Where the search ended: ``place``, the ``loss`` there, and how many ``steps`` it took."""

    place: Floats
    loss: float
    steps: int


@dataclass(frozen=True)
class _Step:
    moved: Floats
    turned: Floats
    """How the gradient changed on the way."""
    along: float
    """The product of both, which is above 0."""


def minimise(
    loss_and_gradient: Callable[[Floats], tuple[float, Floats]], start: Floats, max_steps: int, least_gain: float
) -> Minimum:
    """Go downhill from ``start`` for ``max_steps``, or until one gains less than ``least_gain`` of the loss.

    By L-BFGS: the last few steps stand for the curvature. Deterministic on one thread.
    """
    place = start
    loss, gradient = loss_and_gradient(place)
    steps: deque[_Step] = deque(maxlen=_REMEMBERED_STEPS)
    for number in range(1, max_steps + 1):
        direction = _direction(gradient, steps)
        slope = float(gradient @ direction)
        length = 1.0
        while True:
            there = place + np.float32(length) * direction
            new_loss, new_gradient = loss_and_gradient(there)
            if new_loss <= loss + _ENOUGH_DESCENT * length * slope:
                break
            length /= 2
            if length < _SHORTEST:  # 32 bit tell no lower place from this one.
                return Minimum(place, loss, number - 1)
        moved, turned = there - place, new_gradient - gradient
        along = float(moved @ turned)
        if along > 0:
            steps.append(_Step(moved, turned, along))
        gain, place, loss, gradient = loss - new_loss, there, new_loss, new_gradient
        if gain < least_gain * max(abs(loss), 1.0):
            return Minimum(place, loss, number)
    return Minimum(place, loss, max_steps)


def _direction(gradient: Floats, steps: deque[_Step]) -> Floats:
    """Return where to go: downhill, corrected by the curvature that ``steps`` have met."""
    direction = -gradient
    if not steps:
        return direction / np.float32(max(float(np.linalg.norm(gradient)), 1e-12))
    shares = []
    for step in reversed(steps):
        share = float(step.moved @ direction) / step.along
        shares.append(share)
        direction -= np.float32(share) * step.turned
    last = steps[-1]
    direction *= np.float32(last.along / float(last.turned @ last.turned))
    for step, share in zip(steps, reversed(shares), strict=True):
        direction += np.float32(share - float(step.turned @ direction) / step.along) * step.moved
    return direction

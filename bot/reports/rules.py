"""Pure rules of reports: which counts are too small to be shown, and what a percentile is."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

Key = TypeVar("Key")

SMALLEST_SHOWN: Final = 10
"""Groups of a health service below this are not shown, because they could tell who is among them (domain 1.2)."""


def suppressed(counts: Mapping[Key, int], least: int = SMALLEST_SHOWN) -> dict[Key, int | None]:
    """Return the counts with those from 1 to ``least`` - 1 left out.

    One that is left out alone could be worked out from the total, so the next larger goes with it. Nobody is in an
    empty group, so zero stays.
    """
    shown: dict[Key, int | None] = dict(counts)
    small = [key for key, count in counts.items() if 0 < count < least]
    if len(small) == 1:
        larger = sorted((key for key, count in counts.items() if count >= least), key=lambda key: counts[key])
        small += larger[:1]
    for key in small:
        shown[key] = None
    return shown


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of the values do not exceed; ``None`` for none."""
    ranked: Sequence[float] = sorted(values)
    if not ranked:
        return None
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]

"""Pure rules of reports: which counts are too small to be shown, and what a percentile is."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from bot.reports.models import Waits

Key = TypeVar("Key")

SMALLEST_SHOWN: Final = 10
"""Groups of a health service below this are not shown, because they could tell who is among them (domain 1.2)."""
FINE_BELOW_MIN: Final = 120
DAY_MIN: Final = 1440
LONGEST_MIN: Final = 30 * DAY_MIN
STEPS_MIN: Final = (5, 15, 30, 60, 240, 1440)
"""The steps in which lengths of time are drawn, in minutes; what took longer is one more step."""


def suppressed(counts: Mapping[Key, int], least: int = SMALLEST_SHOWN) -> dict[Key, int | None]:
    """Return the counts with those from 1 to ``least`` - 1 left out.

    Whoever knows the total can subtract what is shown. So the next larger groups are left out as well until those
    left out are two at least and together not fewer than ``least``; where that cannot be, everything is left out.
    Nobody is in an empty group, so zero stays.
    """
    hidden = [key for key, count in counts.items() if 0 < count < least]
    if hidden:
        larger = sorted((key for key, count in counts.items() if count >= least), key=lambda key: counts[key])
        for key in larger:
            if len(hidden) > 1 and sum(counts[one] for one in hidden) >= least:
                break
            hidden.append(key)
    return {key: None if key in hidden else count for key, count in counts.items()}


def suppressed_total(total: int, least: int = SMALLEST_SHOWN) -> int | None:
    """Return a total, or ``None`` when it is itself a group too small to be shown."""
    return None if 0 < total < least else total


def percentile(waits: Waits, share: float) -> int | None:
    """Return the fewest whole minutes that at least ``share`` of the times do not exceed; ``None`` for no times."""
    wanted, seen = math.ceil(share * waits.count), 0
    for minutes, count in sorted(waits.by_minutes.items()):
        seen += count
        if seen >= max(1, wanted):
            return minutes
    return None


def rounded_minutes(minutes: int) -> int:
    """Return the minutes as they are kept: whole ones for two hours, then fives, after a day hours, at most 30 days.

    So a day's histogram stays short however many chats there are, and a percentile is off by a twentieth at most.
    """
    if minutes < FINE_BELOW_MIN:
        return max(0, minutes)
    step = 5 if minutes < DAY_MIN else 60
    return min(minutes - minutes % step, LONGEST_MIN)


def in_steps(waits: Waits, steps: Sequence[int] = STEPS_MIN) -> list[int]:
    """Return how many times took less than each step and not less than the one before, and last those above."""
    counts = [0] * (len(steps) + 1)
    for minutes, count in waits.by_minutes.items():
        counts[next((place for place, step in enumerate(steps) if minutes < step), len(steps))] += count
    return counts

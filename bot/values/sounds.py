"""How a text sounds, so that voice transcripts and homophones match: 松涛 sounds like 松桃, 塞查 like 筛查.

The merges are those of the dialect: zh/z, ch/c, sh/s, n/l, hu/f (花 and 发), and -ng/-n.
"""

import re
from functools import lru_cache

from bot.values.syllables import syllable_of

_HAN = re.compile("[\u3400-\u9fff]")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_AFTER_F = {"": "u", "i": "ei", "n": "en"}


@lru_cache(maxsize=8192)
def _sound_of(char: str) -> str:
    if not _HAN.fullmatch(char):
        return char.casefold()
    syllable = syllable_of(char)
    for initial, merged in _INITIALS:
        if syllable.startswith(initial):
            syllable = merged + syllable.removeprefix(initial)
            break
    if syllable.startswith("hu"):
        rest = syllable.removeprefix("hu")
        syllable = "f" + _AFTER_F.get(rest, rest)
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


def sounds_of(text: str) -> tuple[str, ...]:
    """Return one merged, toneless syllable for each Chinese character; other characters stand for themselves."""
    return tuple(_sound_of(char) for char in text)


def sound_distance(first: tuple[str, ...], second: tuple[str, ...], limit: int) -> int:
    """Return how many syllables must be changed, added or dropped; ``limit`` + 1 when it is more than ``limit``."""
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    row = list(range(len(second) + 1))
    for position, syllable in enumerate(first, start=1):
        before, row[0] = row[0], position
        for column, other in enumerate(second, start=1):
            cost = before if syllable == other else 1 + min(before, row[column], row[column - 1])
            before, row[column] = row[column], cost
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)

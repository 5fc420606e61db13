"""The days and hours named in a label or an answer, in one form, so that 八点半 meets 8:30 and 21号 meets 6月21日."""

import re
from functools import lru_cache

from bot.values.characters import fold
from bot.values.numerals import small_number

_NUMBER = "[0-9]{1,2}|[一二两三四五六七八九十]{1,3}"
_DAY = re.compile(rf"(?<![0-9])(?:(?P<month>{_NUMBER})月)?(?P<day>{_NUMBER})[日号]")
_HOUR = re.compile(
    rf"(?<![0-9:])(?:(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})(?![0-9])"
    rf"|(?P<spoken>{_NUMBER})点钟?(?:(?P<half>半)|(?P<spoken_minute>{_NUMBER})分?)?)"
)
_NOON = 12


@lru_cache(maxsize=4096)
def moments_of(text: str) -> frozenset[str]:
    """Return the days (``d21`` and, where the month is said too, ``6d21``) and hours (``h8:30``) named in ``text``.

    Hours are those of the clock's face: 14:00 and 下午两点 are both ``h2:00``.
    """
    folded = fold(text)
    found: set[str] = set()
    for match in _DAY.finditer(folded):
        day = f"d{small_number(match['day'])}"
        found.add(day)
        if match["month"]:
            found.add(f"{small_number(match['month'])}{day}")
    for match in _HOUR.finditer(folded):
        hour = small_number(match["hour"] or match["spoken"]) or 0
        minute = 30 if match["half"] else small_number(match["minute"] or match["spoken_minute"] or "0") or 0
        found.add(f"h{hour - _NOON if hour > _NOON else hour}:{minute:02d}")
    return frozenset(found)

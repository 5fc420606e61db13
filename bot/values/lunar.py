"""Days of the farmers' calendar (腊月二十三, 农历七月十五, 七月初五, 大年初一): guessed, and always asked back.

Forms want the solar date and people often name the old one, so nothing here becomes a date without a yes.
"""

import re
from datetime import date

from lunardate import LunarDate

from bot.values.numerals import small_number
from bot.values.problem import Problem

_MONTHS = {"正": 1, "冬": 11, "腊": 12}
_NUMBER = "[0-9]{1,2}|[一二三四五六七八九十]{1,2}"
_DAY = "初[一二三四五六七八九十]|初[0-9]{1,2}|廿[一二三四五六七八九]?|[一二三四五六七八九十]{1,3}|[0-9]{1,2}"
_LUNAR = re.compile(
    r"(?:(?P<year>今年|明年|去年|前年|后年|(?:19|20)[0-9]{2}年)的?)?\s?(?P<mark>农历|阴历|旧历|古历|老历)?的?\s?"
    rf"(?:(?P<leap>闰)?(?P<month>正|冬|腊|{_NUMBER})月|(?P<new_year>大年))(?P<day>{_DAY})"
)
_MENTION = re.compile(
    "农历|阴历|旧历|古历|老历|[正冬腊]月|闰.{1,2}月|初[一二三四五六七八九十1-9]|月廿|大年|除夕|过年|打田|赶场"
)
_YEAR_WORDS = {"前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2}


def read_lunar(folded: str, *, today: date, past_allowed: bool, future_allowed: bool) -> Problem | None:
    """Return ``None`` when folded text names no day of the farmers' calendar.

    Else the problem to ask back with: ``date.lunar`` with the solar ``year``, ``month``, ``day`` that it probably is,
    or ``date.lunar_vague`` when no day can be told.
    """
    if not _MENTION.search(folded):
        return None
    match = _LUNAR.search(folded)
    solar = None if match is None else _solar(match, today, past_allowed, future_allowed)
    if solar is None:
        return Problem("date.lunar_vague")
    told = f"{solar.year}年{solar.month}月{solar.day}日"
    return Problem("date.lunar", {"year": solar.year, "month": solar.month, "day": solar.day}, (told,))


def _solar(match: re.Match[str], today: date, past_allowed: bool, future_allowed: bool) -> date | None:
    month = 1 if match["new_year"] else _MONTHS.get(match["month"]) or small_number(match["month"])
    day = small_number(match["day"].removeprefix("初"))
    if month is None or day is None:
        return None
    days = [
        solar
        for year in _years(match["year"], today)
        if (solar := _to_solar(year, month, day, is_leap=match["leap"] is not None)) is not None
    ]
    allowed = [solar for solar in days if (past_allowed or solar >= today) and (future_allowed or solar <= today)]
    return min(allowed or days, key=lambda solar: abs((solar - today).days), default=None)


def _years(named: str | None, today: date) -> tuple[int, ...]:
    if named is None:
        return (today.year - 1, today.year, today.year + 1)
    return (today.year + _YEAR_WORDS[named] if named in _YEAR_WORDS else int(named.rstrip("年")),)


def _to_solar(year: int, month: int, day: int, *, is_leap: bool) -> date | None:
    try:
        solar: date = LunarDate(year, month, day, is_leap).to_solar_date()
    except ValueError:
        return None
    return solar

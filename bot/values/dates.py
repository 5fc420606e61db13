"""Dates relative to a given day: 今天, 下周三, 这个月25号, 6月20号, 7/15, 二〇二六年七月一日, 去年10月.

``today`` is always given, in the local zone; nothing here looks at a clock.
"""

import re
from dataclasses import replace
from datetime import date

from bot.values.characters import fold
from bot.values.date_forms import DateReader, DateReading, PartialDate
from bot.values.date_guesses import likely_days
from bot.values.found import Found
from bot.values.lunar import read_lunar
from bot.values.problem import Problem

__all__ = ["PartialDate", "find_dates", "parse_date", "parse_partial_date", "problem_of_bounds"]

_VAGUE = re.compile(
    "月初|月底|月末|月中|年初|年底|年末|年中|[上中下]旬|周末|几[号日天]|过[两几]天|前[两几]天|这[两几]天|那阵"
    "|半个?月|上半年|下半年|[上这本下]个?(?:周|星期|礼拜)"
    "|国庆|中秋|端午|清明|五一|元旦|双休|暑假|寒假|春节|开学|放假|月份?[初底末中]|(?:个月|年)[以之]?前"
)
_VAGUE_TAIL = re.compile("[初底末中上下间]|.{0,2}几")
_YEAR_ALONE = re.compile(
    r"(?:19|20)[0-9]{2}\s?年?|(?<![0-9])[0-9]{2}年|[零五六七八九][零一二三四五六七八九]年|去年|前年|大前年|今年|明年|后年|[一二][零〇九][零〇一二三四五六七八九]{2}年"
)
_EDGE = " 。.!,;、~嘛嘞吧哈咯哦呢的"


def find_dates(
    text: str, today: date, *, past_allowed: bool = True, future_allowed: bool = True
) -> tuple[Found[PartialDate], ...]:
    """Return the days and months in ``text`` that are clear by themselves; a lone 25号 is not."""
    folded = fold(text)
    if read_lunar(folded, today=today, past_allowed=past_allowed, future_allowed=future_allowed):
        return ()
    readings = DateReader(today, past_allowed, future_allowed).scan(folded)
    return tuple(
        Found(reading.value, reading.start, reading.end)
        for reading in readings
        if isinstance(reading.value, PartialDate)
        and not reading.is_day_alone
        and (reading.value.day or not _VAGUE_TAIL.match(folded, reading.end))
    )


def parse_partial_date(
    text: str, today: date, *, past_allowed: bool = True, future_allowed: bool = True
) -> PartialDate | Problem:
    """Return the one day or month in ``text``.

    Without a year it is the nearest one on the allowed side of ``today`` (which itself is always allowed).
    """
    folded = fold(text)
    lunar = read_lunar(folded, today=today, past_allowed=past_allowed, future_allowed=future_allowed)
    if lunar is not None:
        return lunar
    reader = DateReader(today, past_allowed, future_allowed)
    bare = reader.read_bare_pair(folded.strip(_EDGE))
    value = bare if bare is not None else _only(reader.scan(folded), folded)
    if isinstance(value, Problem):
        return _with_guesses(value, folded, today, past_allowed=past_allowed, future_allowed=future_allowed)
    return problem_of_bounds(value, today, past_allowed, future_allowed) or value


def _with_guesses(problem: Problem, folded: str, today: date, *, past_allowed: bool, future_allowed: bool) -> Problem:
    """Add what a vague word may mean, as far as the bounds allow it."""
    if problem.code != "date.vague":
        return problem
    days = (
        day
        for day in likely_days(folded, today)
        if problem_of_bounds(day, today, past_allowed, future_allowed) is None
    )
    return replace(problem, suggestions=tuple(day.spoken for day in days))


def parse_date(text: str, today: date, *, past_allowed: bool = True, future_allowed: bool = True) -> date | Problem:
    """Return the one day in ``text``; a month alone is asked about (``date.day_missing``)."""
    value = parse_partial_date(text, today, past_allowed=past_allowed, future_allowed=future_allowed)
    if isinstance(value, Problem):
        # A month alone would only be asked back once more.
        return replace(value, suggestions=tuple(day for day in value.suggestions if day.endswith("日")))
    if value.day is None:
        return Problem("date.day_missing", {"month": value.month})
    return value.first_day


def problem_of_bounds(value: PartialDate, today: date, past_allowed: bool, future_allowed: bool) -> Problem | None:
    """Return the problem of a date on the side of ``today`` that is not allowed."""
    if not past_allowed and value.last_day < today:
        return Problem("date.in_past")
    if not future_allowed and value.first_day > today:
        return Problem("date.in_future")
    return None


def _only(readings: list[DateReading], folded: str) -> PartialDate | Problem:
    if not readings:
        return _without_reading(folded)
    first = readings[0].value
    if any(reading.value != first for reading in readings):
        return Problem("date.several")
    is_vague = isinstance(first, PartialDate) and first.day is None and _VAGUE.search(folded) is not None
    return Problem("date.vague") if is_vague else first


def _without_reading(folded: str) -> Problem:
    if _VAGUE.search(folded):
        return Problem("date.vague")
    return Problem("date.month_missing" if _YEAR_ALONE.search(folded) else "date.unreadable")

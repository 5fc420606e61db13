"""Ranges of days (7月15到8月14, 7/15–8/14, 明天到下周五) and of months (去年10月到12月, 10、11、12月)."""

import re
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from bot.values.characters import fold
from bot.values.date_forms import DateReader, DateReading, PartialDate
from bot.values.dates import parse_partial_date, problem_of_bounds
from bot.values.lunar import read_lunar
from bot.values.numerals import small_number
from bot.values.problem import Problem

_JOINT = re.compile("直?到|至|-+|~+")
_UNTIL_NOW = re.compile("至今|[到至](?:现在|目前|如今|当前)")
_MAX_JOINTS = 8
_LONGEST_OVER_NEW_YEAR_DAYS = 270
_EDGE = " ,。.!、从自起止开始结束为嘛哈咯"
_DAY_ALONE = re.compile(r"(?P<day>[0-9]{1,2}|[一二三四五六七八九十廿]{1,3})\s?[日号]?")

_MONTH = "(?:[0-9]{1,2}|十[一二]?|[一二三四五六七八九])"
_MONTH_LIST = re.compile(rf"{_MONTH}\s?(?:(?:月份?\s?[、,和跟及]?|[、,和跟及])\s?{_MONTH}\s?){{1,11}}月份?")
_MONTH_NUMBER = re.compile(_MONTH)
_SHARED_MONTH = re.compile(rf"(?<![0-9月/.\-])(?P<first>{_MONTH})(?=\s?(?:到|至|-|~)\s?{_MONTH}\s?月)")
_PART_OF_YEAR = re.compile("年的?(?P<part>上半年|下半年|全年|一整年|一年)")
_MONTHS_OF_PART = {"上半年": "1月到6月", "下半年": "7月到12月"}


@dataclass(frozen=True, slots=True)
class DateRange:
    """From ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class MonthRange:
    """From month ``first`` to month ``last``, both included; neither has a ``day``."""

    first: PartialDate
    last: PartialDate

    @property
    def months(self) -> int:
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1


@dataclass(frozen=True, slots=True)
class _Ends:
    first: DateReading
    last: DateReading

    def values(self) -> tuple[PartialDate, PartialDate] | Problem:
        first, last = self.first.value, self.last.value
        if isinstance(first, Problem):
            return first
        return last if isinstance(last, Problem) else (first, last)

    def are_reversed(self) -> bool:
        """Whether the end comes first; 8月14到7月15 says so too, while 12月20到1月15 runs over New Year."""
        values = self.values()
        if isinstance(values, Problem):
            return False
        first, last = values
        is_over_new_year = last.year > first.year and self.last.form in {"slash", "month"}
        days = (last.first_day - first.first_day).days
        return days < 0 or (is_over_new_year and days > _LONGEST_OVER_NEW_YEAR_DAYS)


def parse_date_range(
    text: str, today: date, *, past_allowed: bool = True, future_allowed: bool = True
) -> DateRange | Problem:
    """Return the range of days in ``text``; both ends must be days and on the allowed side of ``today``."""
    folded = _UNTIL_NOW.sub("到今天", fold(text))
    reader = DateReader(today, past_allowed, future_allowed)
    ends = _find_ends(folded, reader)
    if ends is None:
        return _without_ends(folded, reader)
    values = ends.values()
    if isinstance(values, Problem):
        return values
    first, last = values
    if first.day is None or last.day is None:
        return Problem("date_range.days_missing")
    if ends.are_reversed():
        return Problem("date_range.reversed")
    outside = problem_of_bounds(first, today, past_allowed, True) or problem_of_bounds(
        last, today, True, future_allowed
    )
    return outside or DateRange(first.first_day, last.first_day)


def parse_month_range(
    text: str, today: date, *, past_allowed: bool = True, future_allowed: bool = True
) -> MonthRange | Problem:
    """Return the months in ``text``; one month alone is a range of one, days are left out."""
    folded = _spell_out_months(_UNTIL_NOW.sub("到今天", fold(text)))
    if isinstance(folded, Problem):
        return folded
    reader = DateReader(today, past_allowed, future_allowed)
    ends = _find_ends(folded, reader)
    if ends is None:
        return _single_month(folded, reader)
    values = ends.values()
    if isinstance(values, Problem):
        return values
    first, last = (replace(value, day=None) for value in values)
    if last.first_day > today and not future_allowed and not ends.first.has_year and not ends.last.has_year:
        # In June, 10月到12月 of wages not paid is last year's.
        first, last = replace(first, year=first.year - 1), replace(last, year=last.year - 1)
    if ends.are_reversed():
        return Problem("date_range.reversed")
    outside = problem_of_bounds(first, today, past_allowed, True) or problem_of_bounds(
        last, today, True, future_allowed
    )
    return outside or MonthRange(first, last)


def _find_ends(folded: str, reader: DateReader) -> _Ends | None:
    """Return both ends for the first joint (到, 至, -, ~) that has a date on either side."""
    if read_lunar(folded, today=reader.today, past_allowed=True, future_allowed=True):
        return None
    for joint in list(_JOINT.finditer(folded))[:_MAX_JOINTS]:
        left, right = folded[: joint.start()].strip(_EDGE), folded[joint.end() :].strip(_EDGE)
        first = _side(left, reader, is_left=True)
        if first is None or isinstance(first.value, Problem):
            continue
        last = _last_end(right, first.value, reader)
        if last is not None:
            return _Ends(first, last)
    return None


def _side(text: str, reader: DateReader, *, is_left: bool) -> DateReading | None:
    """Return the date next to the joint, unless other digits stand between them."""
    bare = reader.read_bare_pair(text)
    if bare is not None:
        return DateReading(bare, 0, len(text), "month")
    readings = reader.scan(text)
    if len(readings) != 1:
        return None
    between = text[readings[0].end :] if is_left else text[: readings[0].start]
    return None if any(char.isdigit() for char in between) else readings[0]


def _last_end(right: str, first: PartialDate, reader: DateReader) -> DateReading | None:
    day_alone = _DAY_ALONE.fullmatch(right)
    if day_alone and first.day is not None:
        return DateReading(_later_day(first, small_number(day_alone["day"])), 0, len(right), "day")
    later = replace(reader, past_allowed=False, future_allowed=True, anchor=first.first_day)
    return _side(right, later, is_left=False)


def _later_day(first: PartialDate, day: int | None) -> PartialDate | Problem:
    """Return the next day of the month numbered ``day`` that is not before ``first``."""
    if day is None:
        return Problem("date.impossible")
    months = first.year * 12 + first.month - 1 + (1 if first.day is not None and day < first.day else 0)
    try:
        date(months // 12, months % 12 + 1, day)
    except ValueError:
        return Problem("date.impossible")
    return PartialDate(months // 12, months % 12 + 1, day)


def _without_ends(folded: str, reader: DateReader) -> Problem:
    single = parse_partial_date(folded, reader.today)
    if isinstance(single, PartialDate):
        return Problem("date_range.end_missing")
    if single.code in {"date.unreadable", "date.several", "date.month_missing"}:
        return Problem("date_range.unreadable")
    return single


def _single_month(folded: str, reader: DateReader) -> MonthRange | Problem:
    single = parse_partial_date(
        folded, reader.today, past_allowed=reader.past_allowed, future_allowed=reader.future_allowed
    )
    if isinstance(single, PartialDate):
        month = replace(single, day=None)
        return MonthRange(month, month)
    if single.code in {"date.unreadable", "date.several", "date.vague"}:
        return Problem("month_range.unreadable")
    return single


def _spell_out_months(folded: str) -> str | Problem:
    """Rewrite 10、11、12月, 10到12月 and 去年下半年 as 10月到12月 and so on."""
    if part := _PART_OF_YEAR.search(folded):
        months = _MONTHS_OF_PART.get(part["part"], "1月到12月")
        return f"{folded[: part.start() + 1]}{months}{folded[part.end() :]}"
    if listed := _MONTH_LIST.search(folded):
        numbers = [small_number(number) or 0 for number in _MONTH_NUMBER.findall(listed[0])]
        if any((after - before) % 12 != 1 for before, after in pairwise(numbers)):
            return Problem("month_range.gaps")
        return f"{folded[: listed.start()]}{numbers[0]}月到{numbers[-1]}月{folded[listed.end() :]}"
    return _SHARED_MONTH.sub(lambda match: f"{match['first']}月", folded)

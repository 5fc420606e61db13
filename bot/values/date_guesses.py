"""Days that a vague word probably means (月底, 这周末, 国庆, 三个月前): offered to be chosen, never taken as said."""

import calendar
import re
from datetime import date, timedelta

from bot.values.date_forms import PartialDate
from bot.values.numerals import small_number

_MONTHS_AWAY = {"上个": -1, "上": -1, "这个": 0, "这": 0, "本": 0, "下个": 1, "下": 1}
_WEEKS_AWAY = {"上个": -1, "上": -1, "这个": 0, "这": 0, "本": 0, "下个": 1, "下": 1}
_FEASTS = {"元旦": (1, 1), "五一": (5, 1), "国庆": (10, 1)}
_NUMBER = "[0-9]{1,2}|[一二两三四五六七八九十]{1,3}"

_MONTH_EDGE = re.compile(
    rf"(?:(?P<away>{'|'.join(_MONTHS_AWAY)})?\s?月|(?P<month>{_NUMBER})\s?月份?)\s?(?P<edge>[初底末])"
)
_WEEKEND = re.compile(rf"(?P<away>{'|'.join(_WEEKS_AWAY)})?\s?(?:周末|双休)")
_FEAST = re.compile("|".join(_FEASTS))
_AGO = re.compile(rf"(?:(?P<months>{_NUMBER})\s?个?月|(?P<years>{_NUMBER})\s?年|(?P<half>半)\s?年)\s?[以之]?前")
_LAST_MONTH = 12


def likely_days(folded: str, today: date) -> tuple[PartialDate, ...]:
    """Return the days, or the month, that a vague word in folded text may mean, likeliest first; () for no idea."""
    if edge := _MONTH_EDGE.search(folded):
        return _edge_days(edge, today)
    if weekend := _WEEKEND.search(folded):
        monday = today - timedelta(days=today.weekday())
        saturday = monday + timedelta(days=5 + 7 * _WEEKS_AWAY.get(weekend["away"] or "这", 0))
        return _day(saturday), _day(saturday + timedelta(days=1))
    if feast := _FEAST.search(folded):
        month, day = _FEASTS[feast[0]]
        is_over = (month, day) < (today.month, today.day)
        return (PartialDate(today.year + is_over, month, day),)
    if ago := _AGO.search(folded):
        months = _months(ago)
        return () if months is None else (_months_away(today, -months),)
    return ()


def _edge_days(edge: re.Match[str], today: date) -> tuple[PartialDate, ...]:
    if edge["month"] is not None:
        number = small_number(edge["month"])
        if number is None or not 1 <= number <= _LAST_MONTH:
            return ()
        month = PartialDate(today.year, number)
    else:
        month = _months_away(today, _MONTHS_AWAY[edge["away"] or "这个"])
    last = calendar.monthrange(month.year, month.month)[1]
    days = (1, 2, 3) if edge["edge"] == "初" else (last, last - 1, last - 2)
    return tuple(PartialDate(month.year, month.month, day) for day in days)


def _months(ago: re.Match[str]) -> int | None:
    if ago["half"]:
        return 6
    number = small_number(ago["months"] or ago["years"])
    if number is None:
        return None
    return number * (1 if ago["months"] else _LAST_MONTH)


def _months_away(today: date, away: int) -> PartialDate:
    months = today.year * _LAST_MONTH + today.month - 1 + away
    return PartialDate(months // _LAST_MONTH, months % _LAST_MONTH + 1)


def _day(day: date) -> PartialDate:
    return PartialDate(day.year, day.month, day.day)

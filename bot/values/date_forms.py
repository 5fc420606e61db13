"""The forms in which people write a day or a month, and what each means seen from a given day.

One pattern is scanned over the text; the name of the branch that matched picks the method that reads it.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from bot.values.characters import fold_digits
from bot.values.numerals import small_number
from bot.values.problem import Problem

SLIP_DAYS = 60


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A day, or with ``day`` left out a month."""

    year: int
    month: int
    day: int | None = None

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, self.day or 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.month, self.day or calendar.monthrange(self.year, self.month)[1])

    @property
    def spoken(self) -> str:
        """As people write it, with the year: 2026年6月20日."""
        return f"{self.year}年{self.month}月" + ("" if self.day is None else f"{self.day}日")

    def __str__(self) -> str:
        tail = "" if self.day is None else f"-{self.day:02d}"
        return f"{self.year:04d}-{self.month:02d}{tail}"


@dataclass(frozen=True, slots=True)
class DateReading:
    """What stands at ``text[start:end]`` and the name of the form it has."""

    value: PartialDate | Problem
    start: int
    end: int
    form: str

    @property
    def has_year(self) -> bool:
        """Whether the words themselves fix the year."""
        return self.form not in {"slash", "month", "day"}

    @property
    def is_day_alone(self) -> bool:
        """Whether only the day of the month was said (25号), which may also be the number of an option."""
        return self.form == "day"


_NUMBER = "(?:[0-9]{1,2}|[一二三四五六七八九十廿卅]{1,3})"
_YEAR_DIGITS = "(?:(?:19|20)[0-9]{2}|[一二][零〇九][零〇一二三四五六七八九]{2}|[0-9]{2}|[零〇一二三四五六七八九]{2})"
_YEAR_WORDS = {"大前年": -3, "前年": -2, "去年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2}
_YEAR = rf"(?:{'|'.join(_YEAR_WORDS)}|(?<![0-9]){_YEAR_DIGITS}\s?年)"
_DAY_END = r"(?!\s?(?:月|个|人|块|元|天|年|点|岁|万|千|百)|[0-9一二三四五六七八九十几多:])"
_DAY_WORDS = {
    "大前天": -3, "前天": -2, "前日": -2, "前儿": -2, "昨天": -1, "昨日": -1, "昨晚": -1, "昨儿": -1,
    "今天": 0, "今日": 0, "今晚": 0, "今早": 0, "今朝": 0, "今儿": 0,
    "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "明朝": 1, "明儿": 1,
    "大大后天": 4, "大后天": 3, "外后天": 3, "后天": 2, "后日": 2, "后儿": 2,
}  # fmt: skip
_MONTH_WORDS = {"上上": -2, "上": -1, "这": 0, "本": 0, "当": 0, "下下": 2, "下": 1}
_WEEK_WORDS = {"上上": -2, "上": -1, "这": 0, "本": 0, "下下": 2, "下": 1}
_WEEKDAYS = {char: day for day, char in enumerate("一二三四五六日")} | {"天": 6}
_UNIT_DAYS = {"天": 1, "周": 7, "星期": 7, "礼拜": 7}

_FORMS = {
    "iso": r"(?<![0-9])(?P<iso_y>(?:19|20)[0-9]{2})\s?[-/.年]\s?(?P<iso_m>[0-9]{1,2})(?![0-9])"
    r"(?:\s?[-/.月]\s?(?P<iso_d>[0-9]{1,2})(?![0-9])\s?[日号]?|月份?)?",
    "compact": r"(?<![0-9])(?P<compact_y>(?:19|20)[0-9]{2})(?P<compact_m>[0-9]{2})(?P<compact_d>[0-9]{2})?(?![0-9])",
    "full": rf"(?P<full_y>{_YEAR})\s?的?\s?(?P<full_m>{_NUMBER})\s?月份?\s?"
    rf"(?:(?P<full_d>{_NUMBER}){_DAY_END}\s?[日号]?)?",
    "shift": rf"(?P<shift_r>{'|'.join(_MONTH_WORDS)})\s?个?\s?月份?的?\s?"
    rf"(?:(?P<shift_d>{_NUMBER}){_DAY_END}\s?[日号]?)?",
    "week": rf"(?P<week_r>{'|'.join(_WEEK_WORDS)})?\s?个?\s?"
    r"(?:(?:周|星期|礼拜)的\s?)?(?:周|星期|礼拜)\s?(?P<week_d>[一二三四五六日天1-7])(?!次|个|天)",
    "word": rf"(?P<word_w>{'|'.join(_DAY_WORDS)})",
    "offset": rf"(?<![0-9])(?P<offset_n>{_NUMBER}|两)\s?个?\s?"
    r"(?P<offset_u>天|周|星期|礼拜)\s?[以之]?(?P<offset_r>[后前])",
    "after": rf"[过再]\s?(?P<after_n>{_NUMBER})\s?个?\s?(?P<after_u>天|周|星期|礼拜)",
    "slash": r"(?<![0-9/.-])(?P<slash_m>[0-9]{1,2})/(?P<slash_d>[0-9]{1,2})(?![0-9/])",
    "month": rf"(?<![0-9一二三四五六七八九十几])(?P<month_m>{_NUMBER})\s?月份?\s?"
    rf"(?:(?P<month_d>{_NUMBER}){_DAY_END}\s?[日号]?)?",
    "day": rf"(?<![0-9一二三四五六七八九十月])(?P<day_d>{_NUMBER})\s?[日号](?![楼门线院机店人码])",
}
_SCAN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _FORMS.items()))
_BARE_PAIR = re.compile(r"(?P<m>[0-9]{1,2})[-.](?P<d>[0-9]{1,2})|(?P<mm>0[1-9]|1[0-2])(?P<dd>[0-3][0-9])")
_IMPOSSIBLE = Problem("date.impossible")


@dataclass(frozen=True, slots=True)
class DateReader:
    """Reads dates seen from ``today``; where the year is left out, it takes the nearest allowed one to ``anchor``."""

    today: date
    past_allowed: bool = True
    future_allowed: bool = True
    anchor: date | None = None

    def scan(self, folded: str) -> list[DateReading]:
        """Return every date and month in folded text, in order; a problem marks one that cannot be."""
        readings = []
        for match in _SCAN.finditer(folded):
            form = match.lastgroup or ""
            value = _READERS[form](self, match)
            if value is not None:
                readings.append(DateReading(value, match.start(), match.end(), form))
        return readings

    def read_bare_pair(self, core: str) -> PartialDate | Problem | None:
        """Read 7-15, 7.15 and 0715, which mean a date only where one was asked for and nothing else stands there."""
        match = _BARE_PAIR.fullmatch(core)
        return self._without_year(int(match["m"] or match["mm"]), int(match["d"] or match["dd"])) if match else None

    def _numbers(self, match: re.Match[str], form: str) -> PartialDate | Problem | None:
        year = _year(match[f"{form}_y"], self.today)
        month, day = small_number(match[f"{form}_m"]), match[f"{form}_d"]
        if month is None:
            return None
        return _dated(year, month, None if day is None else small_number(day), is_day_named=day is not None)

    def _iso(self, match: re.Match[str]) -> PartialDate | Problem | None:
        return self._numbers(match, "iso")

    def _compact(self, match: re.Match[str]) -> PartialDate | Problem | None:
        return self._numbers(match, "compact")

    def _full(self, match: re.Match[str]) -> PartialDate | Problem | None:
        return self._numbers(match, "full")

    def _shift(self, match: re.Match[str]) -> PartialDate | Problem | None:
        months = self.today.year * 12 + self.today.month - 1 + _MONTH_WORDS[match["shift_r"]]
        day = match["shift_d"]
        number = None if day is None else small_number(day)
        return _dated(months // 12, months % 12 + 1, number, is_day_named=day is not None)

    def _week(self, match: re.Match[str]) -> PartialDate:
        named = match["week_d"]
        weekday = int(named) - 1 if named.isascii() else _WEEKDAYS[named]
        monday = self.today - timedelta(days=self.today.weekday())
        if match["week_r"]:
            return _of(monday + timedelta(days=weekday + 7 * _WEEK_WORDS[match["week_r"]]))
        day = monday + timedelta(days=weekday)
        if day < self.today and self.future_allowed:
            day += timedelta(days=7)
        if day > self.today and not self.future_allowed:
            day -= timedelta(days=7)
        return _of(day)

    def _word(self, match: re.Match[str]) -> PartialDate:
        return _of(self.today + timedelta(days=_DAY_WORDS[match["word_w"]]))

    def _offset(self, match: re.Match[str]) -> PartialDate | None:
        count = small_number(match["offset_n"])
        if count is None:
            return None
        days = count * _UNIT_DAYS[match["offset_u"]]
        return _of(self.today + timedelta(days=days if match["offset_r"] == "后" else -days))

    def _after(self, match: re.Match[str]) -> PartialDate | None:
        count = small_number(match["after_n"])
        return None if count is None else _of(self.today + timedelta(days=count * _UNIT_DAYS[match["after_u"]]))

    def _slash(self, match: re.Match[str]) -> PartialDate | Problem | None:
        month, day = int(match["slash_m"]), int(match["slash_d"])
        return self._without_year(month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None

    def _month(self, match: re.Match[str]) -> PartialDate | Problem | None:
        month, day = small_number(match["month_m"]), match["month_d"]
        if month is None:
            return None
        if day is None:
            return self._month_without_year(month)
        number = small_number(day)
        return _IMPOSSIBLE if number is None else self._without_year(month, number)

    def _day(self, match: re.Match[str]) -> PartialDate | Problem | None:
        day = small_number(match["day_d"])
        if day is None:
            return None
        months = self.today.year * 12 + self.today.month - 1
        choices = [_dated((months + step) // 12, (months + step) % 12 + 1, day) for step in (-2, -1, 0, 1, 2)]
        return self._nearest([choice for choice in choices if isinstance(choice, PartialDate)])

    def _without_year(self, month: int, day: int) -> PartialDate | Problem:
        year = (self.anchor or self.today).year
        dated = [_dated(year + step, month, day) for step in (-1, 0, 1)]
        choices = [choice for choice in dated if isinstance(choice, PartialDate)]
        if self.anchor is None and choices:
            # 6月10号 on 17 June is a slip when days to come are asked for, hardly a day of next year.
            nearest = min(choices, key=lambda choice: abs((choice.first_day - self.today).days))
            if abs((nearest.first_day - self.today).days) <= SLIP_DAYS:
                return nearest
        return self._nearest(choices)

    def _month_without_year(self, month: int) -> PartialDate | Problem:
        if not 1 <= month <= 12:
            return _IMPOSSIBLE
        year = (self.anchor or self.today).year
        return self._nearest([PartialDate(year + step, month) for step in (-1, 0, 1)])

    def _nearest(self, choices: list[PartialDate]) -> PartialDate | Problem:
        """Return the choice nearest to the anchor on the allowed side; any side when none is allowed there."""
        if not choices:
            return _IMPOSSIBLE
        anchor = self.anchor or self.today
        allowed = [
            choice
            for choice in choices
            if (self.past_allowed or choice.last_day >= anchor)
            and (self.future_allowed or choice.first_day <= anchor)
        ]
        return min(allowed or choices, key=lambda choice: abs((choice.first_day - anchor).days))


def _dated(year: int, month: int, day: int | None, *, is_day_named: bool = True) -> PartialDate | Problem:
    if is_day_named and day is None:
        return _IMPOSSIBLE
    try:
        date(year, month, 1 if day is None else day)
    except ValueError:
        return _IMPOSSIBLE
    return PartialDate(year, month, day)


def _of(day: date) -> PartialDate:
    return PartialDate(day.year, day.month, day.day)


def _year(text: str, today: date) -> int:
    """Return the year of 今年, 2026年, 二〇二六年 or 26年 (two digits: up to ten years ahead, else last century)."""
    if text in _YEAR_WORDS:
        return today.year + _YEAR_WORDS[text]
    digits = fold_digits(text).rstrip("年 ")
    if len(digits) > 2:
        return int(digits)
    century = today.year // 100 * 100
    year = century + int(digits)
    return year if year <= today.year + 10 else year - 100


_READERS: dict[str, Callable[[DateReader, re.Match[str]], PartialDate | Problem | None]] = {
    "iso": DateReader._iso,
    "compact": DateReader._compact,
    "full": DateReader._full,
    "shift": DateReader._shift,
    "week": DateReader._week,
    "word": DateReader._word,
    "offset": DateReader._offset,
    "after": DateReader._after,
    "slash": DateReader._slash,
    "month": DateReader._month,
    "day": DateReader._day,
}

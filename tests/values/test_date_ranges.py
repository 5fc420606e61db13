"""Ranges of days and of months, seen from Wednesday 17 June 2026."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.date_ranges import DateRange, MonthRange, parse_date_range, parse_month_range
from bot.values.dates import PartialDate
from bot.values.problem import Problem
from tests.values.strategies import TODAY

SUMMER = DateRange(date(2026, 7, 15), date(2026, 8, 14))
IN_ONE_MONTH = DateRange(date(2026, 7, 15), date(2026, 7, 25))


@pytest.mark.parametrize(
    "text",
    [
        "7月15到8月14",
        "7月15号到8月14号",
        "7/15–8/14",
        "7.15-8.14",
        "7-15到8-14",
        "7月15-8月14号",
        "从7月15开始到8月14结束",
        "2026年7月15日至2026年8月14日",
        "2026-07-15-2026-08-14",
        "2026-07-15至08-14",
        "20260715~20260814",
        "七月十五号到八月十四号",
        "7月15号~8月14号都行",
        "我7月15到8月14有空",
        "７月１５到８月１４",
    ],
)
def test_a_range_in_every_form(text: str) -> None:
    assert parse_date_range(text, TODAY) == SUMMER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7月15号到25号", IN_ONE_MONTH),
        ("7月15-25号", IN_ONE_MONTH),
        ("7月20到5号", DateRange(date(2026, 7, 20), date(2026, 8, 5))),
        ("12月20到1月15", DateRange(date(2026, 12, 20), date(2027, 1, 15))),
        ("明天到下周五", DateRange(date(2026, 6, 18), date(2026, 6, 26))),
        ("下周一到下周五", DateRange(date(2026, 6, 22), date(2026, 6, 26))),
        ("7月15到明年1月5", DateRange(date(2026, 7, 15), date(2027, 1, 5))),
    ],
)
def test_an_end_that_leans_on_the_start(text: str, expected: DateRange) -> None:
    assert parse_date_range(text, TODAY, past_allowed=False) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("7月15", "date_range.end_missing"),
        ("7月15报到", "date_range.end_missing"),
        ("7月到8月", "date_range.days_missing"),
        ("8月14到7月15", "date_range.reversed"),
        ("2026-08-14到2026-07-15", "date_range.reversed"),
        ("不晓得", "date_range.unreadable"),
        ("", "date_range.unreadable"),
        ("暑假都有空", "date.vague"),
        ("7月15到7月40", "date.impossible"),
        ("6月10到6月20", "date.in_past"),
        ("农历七月到八月", "date.lunar_vague"),
    ],
)
def test_a_range_refused(text: str, code: str) -> None:
    result = parse_date_range(text, TODAY, past_allowed=False)
    assert isinstance(result, Problem)
    assert result.code == code


@given(
    st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(0, 300), st.sampled_from(["到", "至", "-", "~", "–"])
)
def test_a_range_is_read_back(first: date, days: int, joint: str) -> None:
    last = first + timedelta(days=days)
    expected = DateRange(first, last)
    assert expected.days == days + 1
    assert parse_date_range(f"{first.isoformat()}{joint}{last.isoformat()}", TODAY) == expected
    assert parse_date_range(f"{first:%Y年%m月%d日}{joint}{last:%Y年%m月%d日}", TODAY) == expected


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(0, 250))
def test_a_range_without_years_is_read_back(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    if (first.month, first.day) != (2, 29) != (last.month, last.day):
        text = f"{first.month}月{first.day}到{last.month}月{last.day}"
        assert parse_date_range(text, first) == DateRange(first, last)


def _months(first: tuple[int, int], last: tuple[int, int]) -> MonthRange:
    return MonthRange(PartialDate(*first), PartialDate(*last))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("去年10月到12月", _months((2025, 10), (2025, 12))),
        ("10月到12月", _months((2025, 10), (2025, 12))),
        ("10到12月", _months((2025, 10), (2025, 12))),
        ("十月到十二月", _months((2025, 10), (2025, 12))),
        ("10、11、12月", _months((2025, 10), (2025, 12))),
        ("10月11月12月", _months((2025, 10), (2025, 12))),
        ("去年10月、11月和12月", _months((2025, 10), (2025, 12))),
        ("十三个人 去年10月到12月", _months((2025, 10), (2025, 12))),
        ("去年10月5号到12月20号", _months((2025, 10), (2025, 12))),
        ("2025-10到2025-12", _months((2025, 10), (2025, 12))),
        ("202510-202512", _months((2025, 10), (2025, 12))),
        ("2025年10月到2026年1月", _months((2025, 10), (2026, 1))),
        ("10月到今年1月", _months((2025, 10), (2026, 1))),
        ("11月到2月", _months((2025, 11), (2026, 2))),
        ("4-6月", _months((2026, 4), (2026, 6))),
        ("今年1月到现在", _months((2026, 1), (2026, 6))),
        ("今年2月至今", _months((2026, 2), (2026, 6))),
        ("去年下半年", _months((2025, 7), (2025, 12))),
        ("2025年的上半年", _months((2025, 1), (2025, 6))),
        ("去年一年", _months((2025, 1), (2025, 12))),
        ("上个月", _months((2026, 5), (2026, 5))),
        ("4月", _months((2026, 4), (2026, 4))),
    ],
)
def test_months(text: str, expected: MonthRange) -> None:
    assert parse_month_range(text, TODAY, future_allowed=False) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("3月和5月", "month_range.gaps"),
        ("三个月", "month_range.unreadable"),
        ("最近三个月", "month_range.unreadable"),
        ("不晓得", "month_range.unreadable"),
        ("去年", "date.month_missing"),
        ("明年3月", "date.in_future"),
        ("今年1月到明年3月", "date.in_future"),
        ("2025年12月到2025年10月", "date_range.reversed"),
        ("13月到14月", "date.impossible"),
        ("腊月到正月", "date.lunar_vague"),
    ],
)
def test_months_refused(text: str, code: str) -> None:
    result = parse_month_range(text, TODAY, future_allowed=False)
    assert isinstance(result, Problem)
    assert result.code == code


@given(st.integers(2020, 2025), st.integers(1, 12), st.integers(0, 23))
def test_months_are_read_back(year: int, month: int, more: int) -> None:
    index = year * 12 + month - 1 + more
    expected = _months((year, month), (index // 12, index % 12 + 1))
    assert expected.months == more + 1
    text = f"{year}年{month}月到{expected.last.year}年{expected.last.month}月"
    assert parse_month_range(text, date(2028, 6, 1)) == expected

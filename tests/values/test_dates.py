"""Days and months, seen from Wednesday 17 June 2026."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.dates import PartialDate, find_dates, parse_date, parse_partial_date
from bot.values.problem import Problem
from tests.values.strategies import TODAY, messy_texts

DAYS = {
    "今天": date(2026, 6, 17),
    "明天下午": date(2026, 6, 18),
    "后天": date(2026, 6, 19),
    "大后天": date(2026, 6, 20),
    "昨天": date(2026, 6, 16),
    "大前天": date(2026, 6, 14),
    "今晚": date(2026, 6, 17),
    "下周三": date(2026, 6, 24),
    "这周五": date(2026, 6, 19),
    "下个星期天": date(2026, 6, 28),
    "下个礼拜天": date(2026, 6, 28),
    "上周五": date(2026, 6, 12),
    "下下周一": date(2026, 6, 29),
    "周三": date(2026, 6, 17),
    "周5": date(2026, 6, 19),
    "星期天": date(2026, 6, 21),
    "这个月25号": date(2026, 6, 25),
    "下个月3号": date(2026, 7, 3),
    "上个月十五号": date(2026, 5, 15),
    "本月30日": date(2026, 6, 30),
    "6月20号": date(2026, 6, 20),
    "6月20": date(2026, 6, 20),
    "我想约6月20号上午8点嘛": date(2026, 6, 20),
    "六月二十号": date(2026, 6, 20),
    "七月十五": date(2026, 7, 15),
    "7/15": date(2026, 7, 15),
    "7-15": date(2026, 7, 15),
    "7.15": date(2026, 7, 15),
    "2026-7-1": date(2026, 7, 1),
    "2026.7.1": date(2026, 7, 1),
    "2026/07/01": date(2026, 7, 1),
    "2026 年 7 月 1 号": date(2026, 7, 1),
    "20260715": date(2026, 7, 15),
    "二〇二六年七月一日": date(2026, 7, 1),
    "二零二六年七月一号": date(2026, 7, 1),
    "２０２６年７月１日": date(2026, 7, 1),
    "今年6月20": date(2026, 6, 20),
    "去年10月5号": date(2025, 10, 5),
    "24年3月15日入职的": date(2024, 3, 15),
    "98年5月4号": date(1998, 5, 4),
    "2024年2月29日": date(2024, 2, 29),
    "三天后": date(2026, 6, 20),
    "两周后": date(2026, 7, 1),
    "10天前": date(2026, 6, 7),
    "25号": date(2026, 6, 25),
    "二十号": date(2026, 6, 20),
    "十二月三十一号": date(2025, 12, 31),
    "明儿": date(2026, 6, 18),
    "明朝": date(2026, 6, 18),
    "昨儿": date(2026, 6, 16),
    "大大后天": date(2026, 6, 21),
    "下个星期的星期二": date(2026, 6, 23),
    "过三天": date(2026, 6, 20),
    "再过一个星期": date(2026, 6, 24),
    "0715": date(2026, 7, 15),
    "6月24号,就是下周三": date(2026, 6, 24),
}


@pytest.mark.parametrize("text", DAYS)
def test_a_day(text: str) -> None:
    assert parse_date(text, TODAY) == DAYS[text]


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("去年10月", PartialDate(2025, 10)),
        ("2024-03", PartialDate(2024, 3)),
        ("202403", PartialDate(2024, 3)),
        ("2024年3月份", PartialDate(2024, 3)),
        ("二四年三月", PartialDate(2024, 3)),
        ("上个月", PartialDate(2026, 5)),
        ("下下个月", PartialDate(2026, 8)),
        ("七月", PartialDate(2026, 7)),
        ("去年的十二月", PartialDate(2025, 12)),
        ("7月15个人", PartialDate(2026, 7)),
    ],
)
def test_a_month(text: str, month: PartialDate) -> None:
    assert parse_partial_date(text, TODAY) == month
    assert parse_date(text, TODAY) == Problem("date.day_missing", {"month": month.month})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2月30号", "date.impossible"),
        ("13月5号", "date.impossible"),
        ("2月29号", "date.impossible"),
        ("2026年2月29日", "date.impossible"),
        ("6月31", "date.impossible"),
        ("二月三十", "date.impossible"),
        ("下个月初", "date.vague"),
        ("下个月十几号", "date.vague"),
        ("六月二十几号", "date.vague"),
        ("7月上旬", "date.vague"),
        ("月底", "date.vague"),
        ("周末", "date.vague"),
        ("下周", "date.vague"),
        ("这个星期", "date.vague"),
        ("过两天", "date.vague"),
        ("半个月后", "date.vague"),
        ("国庆", "date.vague"),
        ("元旦", "date.vague"),
        ("九零年", "date.month_missing"),
        ("打田那阵", "date.lunar_vague"),
        ("腊月间", "date.lunar_vague"),
        ("赶场天", "date.lunar_vague"),
        ("去年", "date.month_missing"),
        ("2024", "date.month_missing"),
        ("2024年", "date.month_missing"),
        ("6月20号和6月21号", "date.several"),
        ("3月5月", "date.several"),
        ("不晓得", "date.unreadable"),
        ("25号楼", "date.unreadable"),
        ("31/12", "date.unreadable"),
        ("", "date.unreadable"),
    ],
)
def test_what_must_be_asked_again(text: str, code: str) -> None:
    result = parse_date(text, TODAY)
    assert isinstance(result, Problem)
    assert result.code == code


@pytest.mark.parametrize(
    ("text", "suggestions"),
    [
        ("月底", ("2026年6月30日", "2026年6月29日", "2026年6月28日")),
        ("下个月初", ("2026年7月1日", "2026年7月2日", "2026年7月3日")),
        ("这周末", ("2026年6月20日", "2026年6月21日")),
        ("下周末", ("2026年6月27日", "2026年6月28日")),
        ("国庆", ("2026年10月1日",)),
        ("元旦", ("2027年1月1日",)),
        ("下个月", ()),
        ("赶场天", ()),
        ("月初", ()),
    ],
)
def test_a_vague_day_is_offered_as_the_days_it_may_be(text: str, suggestions: tuple[str, ...]) -> None:
    result = parse_date(text, TODAY, past_allowed=False)
    assert isinstance(result, Problem)
    assert result.suggestions == suggestions
    assert not any(isinstance(parse_date(one, TODAY, past_allowed=False), Problem) for one in suggestions)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("三个月前", "2026年3月"), ("半年前", "2025年12月"), ("两年前", "2024年6月"), ("去年年底", None)],
)
def test_a_month_gone_by_is_offered(text: str, suggestion: str | None) -> None:
    result = parse_partial_date(text, TODAY, future_allowed=False)
    assert isinstance(result, Problem)
    assert result.suggestions == ((suggestion,) if suggestion else ())


@given(messy_texts())
def test_a_suggestion_can_be_said_back(text: str) -> None:
    for past, future in ((True, True), (True, False), (False, True)):
        result = parse_date(text, TODAY, past_allowed=past, future_allowed=future)
        if not isinstance(result, Problem):
            continue
        for suggestion in result.suggestions:
            back = parse_date(suggestion, TODAY)
            assert isinstance(back, date)
            assert past or back >= TODAY or result.code == "date.lunar"


@pytest.mark.parametrize(
    ("text", "future", "past"),
    [
        ("周二", date(2026, 6, 23), date(2026, 6, 16)),
        ("25号", date(2026, 6, 25), date(2026, 5, 25)),
        ("1月5号", date(2027, 1, 5), date(2026, 1, 5)),
        ("12月25号", date(2026, 12, 25), date(2025, 12, 25)),
        ("今天", TODAY, TODAY),
        ("6月20号", date(2026, 6, 20), Problem("date.in_future")),
        ("6月10号", Problem("date.in_past"), date(2026, 6, 10)),
        ("昨天", Problem("date.in_past"), date(2026, 6, 16)),
        ("明天", date(2026, 6, 18), Problem("date.in_future")),
        ("去年10月5号", Problem("date.in_past"), date(2025, 10, 5)),
        ("2027年1月5号", date(2027, 1, 5), Problem("date.in_future")),
    ],
)
def test_the_year_left_out_and_the_side_allowed(text: str, future: date | Problem, past: date | Problem) -> None:
    assert parse_date(text, TODAY, past_allowed=False) == future
    assert parse_date(text, TODAY, future_allowed=False) == past


def test_around_new_year() -> None:
    assert parse_date("1月5号", date(2026, 12, 20)) == date(2027, 1, 5)
    assert parse_date("12月25号", date(2027, 1, 10)) == date(2026, 12, 25)
    assert parse_date("下个月3号", date(2026, 12, 20)) == date(2027, 1, 3)
    assert parse_partial_date("上个月", date(2027, 1, 10)) == PartialDate(2026, 12)
    assert parse_date("2月29号", date(2028, 1, 10)) == date(2028, 2, 29)


def test_weeks_start_on_monday() -> None:
    sunday = date(2026, 6, 21)
    assert parse_date("这周天", sunday) == sunday
    assert parse_date("下周一", sunday) == date(2026, 6, 22)
    assert parse_date("周一", sunday) == date(2026, 6, 22)


@pytest.mark.parametrize(
    ("text", "solar"),
    [
        ("农历七月十五", (2026, 8, 27)),
        ("阴历七月十五", (2026, 8, 27)),
        ("七月初五", (2026, 8, 17)),
        ("正月初五", (2027, 2, 10)),
        ("腊月二十三", (2027, 1, 30)),
        ("腊月廿三", (2027, 1, 30)),
        ("冬月初一", (2026, 12, 9)),
        ("大年初一", (2027, 2, 6)),
        ("2027年正月初一", (2027, 2, 6)),
    ],
)
def test_the_farmers_calendar_is_asked_back(text: str, solar: tuple[int, int, int]) -> None:
    year, month, day = solar
    expected = Problem("date.lunar", {"year": year, "month": month, "day": day}, (f"{year}年{month}月{day}日",))
    assert parse_date(text, TODAY, past_allowed=False) == expected
    assert find_dates(text, TODAY) == ()


def test_the_farmers_calendar_looks_back_too() -> None:
    gone_by = Problem("date.lunar", {"year": 2026, "month": 2, "day": 10}, ("2026年2月10日",))
    assert parse_date("腊月二十三", TODAY, future_allowed=False) == gone_by
    assert parse_date("去年腊月二十三", TODAY) == gone_by
    leap = Problem("date.lunar", {"year": 2025, "month": 7, "day": 27}, ("2025年7月27日",))
    assert parse_date("闰六月初三", TODAY) == leap


FORMATS = (
    "{0}-{1}-{2}",
    "{0}年{1}月{2}日",
    "{0}/{1:02d}/{2:02d}",
    "{0}.{1}.{2}",
    "{0}{1:02d}{2:02d}",
    "我是{0}年{1}月{2}号来的",
)


@given(st.dates(date(1930, 1, 1), date(2060, 12, 31)), st.sampled_from(FORMATS))
def test_a_full_date_is_read_back(day: date, form: str) -> None:
    assert parse_date(form.format(day.year, day.month, day.day), TODAY) == day


@given(st.dates(date(1930, 1, 1), date(2060, 12, 31)))
def test_a_spoken_date_is_read_back(day: date) -> None:
    spoken_year = str(day.year).translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    assert parse_date(f"{spoken_year}年{_spoken(day.month)}月{_spoken(day.day)}号", TODAY) == day


def _spoken(number: int) -> str:
    tens, ones = divmod(number, 10)
    digits = "零一二三四五六七八九"
    head = "" if tens == 0 else ("十" if tens == 1 else digits[tens] + "十")
    return head + (digits[ones] if ones else "")


@given(st.dates(date(2000, 1, 1), date(2060, 12, 31)), st.integers(1, 12), st.integers(1, 28))
def test_a_day_without_year_is_near_and_on_the_allowed_side(today: date, month: int, day: int) -> None:
    text = f"{month}月{day}号"
    near = parse_date(text, today)
    assert isinstance(near, date)
    assert abs((near - today).days) <= 183
    coming = parse_date(text, today, past_allowed=False)
    if isinstance(coming, date):
        assert today <= coming <= today + timedelta(days=366)
    else:
        assert coming == Problem("date.in_past")
        assert today - near <= timedelta(days=60)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("去年10月到今年3月没发", ["2025-10", "2026-03"]),
        ("6月20号上午来,25号走", ["2026-06-20"]),
        ("下周三或者7/15", ["2026-06-24", "2026-07-15"]),
        ("2月30号", []),
        ("选2号,干了3个月,24年工龄", []),
        ("下个月初,十月底", []),
        ("电话13800000000,身份证520602199003079980", []),
        ("QG26-0713-0042", []),
    ],
)
def test_find_dates(text: str, found: list[str]) -> None:
    assert [str(hit.value) for hit in find_dates(text, TODAY)] == found


def test_ends_of_a_partial_date() -> None:
    assert PartialDate(2028, 2).first_day == date(2028, 2, 1)
    assert PartialDate(2028, 2).last_day == date(2028, 2, 29)
    assert PartialDate(2028, 2, 3).first_day == PartialDate(2028, 2, 3).last_day == date(2028, 2, 3)

"""Times of day."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.problem import Problem
from bot.values.times import find_times, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("上午九点半", time(9, 30)),
        ("8:30", time(8, 30)),
        ("８：３０", time(8, 30)),
        ("时间:8:30", time(8, 30)),
        ("08:30", time(8, 30)),
        ("02:30", time(2, 30)),
        ("14点", time(14)),
        ("14:30", time(14, 30)),
        ("下午两点", time(14)),
        ("下午3:30", time(15, 30)),
        ("下午三点三刻", time(15, 45)),
        ("晚上8点", time(20)),
        ("今晚七点半", time(19, 30)),
        ("明早8点", time(8)),
        ("傍晚六点", time(18)),
        ("中午12点", time(12)),
        ("中午1点", time(13)),
        ("中午十一点半", time(11, 30)),
        ("凌晨12点", time(0)),
        ("晚上12点", time(0)),
        ("凌晨三点", time(3)),
        ("24点", time(0)),
        ("九点", time(9)),
        ("九点钟", time(9)),
        ("九点整", time(9)),
        ("九点一刻", time(9, 15)),
        ("八点过五分", time(8, 5)),
        ("8点零5分", time(8, 5)),
        ("10时15分", time(10, 15)),
        ("二十点", time(20)),
        ("约周三早上八点半", time(8, 30)),
        ("早一点,上午9点", time(9)),
    ],
)
def test_a_time(text: str, expected: time) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("两点", Problem("time.which_half", {"hour": 2}, ("下午2点", "上午2点"))),
        ("晌午", Problem("time.unreadable", {}, ("中午12点",))),
        ("2:30", Problem("time.which_half", {"hour": 2})),
        ("25:00", Problem("time.impossible")),
        ("8:75", Problem("time.impossible")),
        ("上午14点", Problem("time.impossible")),
        ("上午9点到10点", Problem("time.several")),
        ("早一点", Problem("time.unreadable")),
        ("不晓得", Problem("time.unreadable")),
        ("", Problem("time.unreadable")),
    ],
)
def test_what_must_be_asked_again(text: str, problem: Problem) -> None:
    assert parse_time(text) == problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("差一刻九点", time(8, 45)),
        ("差十分下午三点", time(14, 50)),
        ("九点差五分", time(8, 55)),
        ("半夜12点", time(0, 0)),
        ("晌午1点", time(13, 0)),
        ("晌午十二点半", time(12, 30)),
    ],
)
def test_a_clock_is_read_in_other_ways(text: str, expected: time) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize("text", ["两点", "晌午", "中午", "5点"])
def test_what_is_suggested_is_a_time(text: str) -> None:
    result = parse_time(text)
    assert isinstance(result, Problem)
    assert result.suggestions
    assert all(isinstance(parse_time(one), time) for one in result.suggestions)


@given(st.times())
def test_a_clock_time_is_read_back(moment: time) -> None:
    assert parse_time(f"{moment:%H:%M}") == time(moment.hour, moment.minute)


@given(st.integers(1, 11), st.integers(1, 59), st.sampled_from(["早上", "上午", "下午", "晚上"]))
def test_a_spoken_time_is_read_back(hour: int, minute: int, period: str) -> None:
    later = 12 if period in {"下午", "晚上"} else 0
    assert parse_time(f"{period}{hour}点{minute}分") == time(hour + later, minute)


def test_find_times() -> None:
    text = "周三上午8点半或者14:00,早一点好,有一点远,2点也行"
    assert [hit.value for hit in find_times(text)] == [time(8, 30), time(14)]
    assert [text[hit.start : hit.end] for hit in find_times(text)] == ["上午8点半", "14:00"]

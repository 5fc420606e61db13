"""Numbers and head counts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.numerals import (
    Count,
    digits_of,
    find_counts,
    find_numbers,
    parse_count,
    parse_decimal,
    parse_integer,
    small_number,
)
from bot.values.problem import Problem

EXACT = {
    "一家三口": 3,
    "13人": 13,
    "13": 13,
    "１３人": 13,
    "我们五个": 5,
    "加我五个": 5,
    "一个人": 1,
    "就我一个": 1,
    "我自己": 1,
    "我们俩": 2,
    "两口子": 2,
    "二百五十人": 250,
    "三个月没发,我们13个人": 13,
    "十三个人 去年10月到12月": 13,
    "一共有二十三名工友": 23,
}
ABOUT = {
    "三十好几": (31, 39),
    "十几个人": (11, 19),
    "我们十几个人的工钱都没给": (11, 19),
    "三十多": (31, 39),
    "三十几号人": (31, 39),
    "三十几号": (31, 39),
    "二三十个": (20, 30),
    "七八个": (7, 8),
    "一两个": (1, 2),
    "百把人": (100, 100),
    "上百人": (100, 200),
    "大概三十": (30, 30),
    "30人左右": (30, 30),
    "一百二十多人": (121, 129),
    "快三十个人": (20, 30),
}
REFUSED = {
    "一个班组": "count.unreadable",
    "": "count.unreadable",
    "13号": "count.unreadable",
    "3个月": "count.unreadable",
    "2000年": "count.unreadable",
    "5.5个人": "count.unreadable",
    "好多人": "count.vague",
    "不晓得": "count.vague",
    "30个里有5个女的": "count.several",
    "0": "count.too_few",
    "1000000000人": "count.too_many",
}


@pytest.mark.parametrize("text", EXACT)
def test_exact_count(text: str) -> None:
    assert parse_count(text) == Count(EXACT[text], EXACT[text])


@pytest.mark.parametrize("text", ABOUT)
def test_count_about(text: str) -> None:
    assert parse_count(text) == Count(*ABOUT[text], about=True)


@pytest.mark.parametrize("text", REFUSED)
def test_count_refused(text: str) -> None:
    result = parse_count(text)
    assert isinstance(result, Problem)
    assert result.code == REFUSED[text]


def test_count_range_and_limits() -> None:
    assert parse_count("30-40人") == Count(30, 40)
    assert parse_count("三到五个", minimum=5) == Count(3, 5)
    assert parse_count("我自己", minimum=2) == Problem("count.unreadable")
    assert parse_count("5人", minimum=10) == Problem("count.too_few", {"minimum": 10})
    assert parse_count("50人", maximum=20) == Problem("count.too_many", {"maximum": 20})


@given(
    st.integers(1, 999_999),
    st.sampled_from(["人", "个人", "个", "", "名工友"]),
    st.sampled_from(["", "我们", "一共"]),
)
def test_a_counted_number_is_read(number: int, measure: str, before: str) -> None:
    assert parse_count(f"{before}{number}{measure}嘛") == Count(number, number)


def test_find_counts_needs_a_word_for_people() -> None:
    assert [hit.value for hit in find_counts("3个月没发,我们13个人,2026年")] == [Count(13, 13)]
    assert find_counts("第2号 13") == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [("是12嘛", "12"), ("１２", "12"), ("三点五万", "35000"), ("一万二", "12000"), ("1 200", "1200")],
)
def test_parse_decimal(text: str, value: str) -> None:
    assert parse_decimal(text) == Decimal(value)


def test_parse_integer() -> None:
    assert parse_integer("二十三") == 23
    assert parse_integer("2.5") == Problem("number.not_whole")
    assert parse_integer("几") == Problem("number.unreadable")


def test_find_numbers() -> None:
    assert [hit.value for hit in find_numbers("干了三年,每月3500,欠1.2万")] == [3, 3500, 12000]


@given(st.integers(0, 99))
def test_small_numbers(number: int) -> None:
    assert small_number(str(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("十", 10), ("十五", 15), ("二十", 20), ("廿五", 25), ("三十一", 31), ("两", 2), ("abc", None), ("", None)],
)
def test_small_number_words(text: str, number: int | None) -> None:
    assert small_number(text) == number


def test_digits_of() -> None:
    assert digits_of("幺三八 ００零零-5") == "13800005"[:3] + "0000" + "5"

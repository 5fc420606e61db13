"""Sums of money."""

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.money import Money, find_money, parse_money
from bot.values.problem import Problem

EXACT_YUAN = {
    "一万二": 12_000,
    "1万2": 12_000,
    "1w2": 12_000,
    "1.2万": 12_000,
    "3千5": 3_500,
    "3千5百块": 3_500,
    "5000块": 5_000,
    "5000": 5_000,
    "５０００元": 5_000,
    "¥3,000": 3_000,
    "三千五百块钱": 3_500,
    "两百五": 250,
    "欠我一万二千块": 12_000,
    "一个月三千五": 3_500,
    "三个月一万二": 12_000,
    "欠了三个月工资,一共三万": 30_000,
    "3000块5个人": 3_000,
    "月薪八千": 8_000,
    "工资4500一个月": 4_500,
    "4500块/月": 4_500,
    "三千五一个月": 3_500,
    "0": 0,
}
ABOUT_YUAN = {
    "八千多": (8_000, 9_000),
    "3000+": (3_000, 4_000),
    "八千多块": (8_000, 9_000),
    "三万左右": (30_000, 30_000),
    "三万块左右": (30_000, 30_000),
    "大概三千": (3_000, 3_000),
    "三四千": (3_000, 4_000),
    "八九百块": (800, 900),
    "一千二三": (1_200, 1_300),
    "万把块": (10_000, 10_000),
    "几千块": (2_000, 9_000),
    "十几万": (110_000, 190_000),
    "不到三千": (2_000, 3_000),
    "8k多": (8_000, 9_000),
}
RANGES_YUAN = {
    "5-8千": (5_000, 8_000),
    "5~8k": (5_000, 8_000),
    "三到五千": (3_000, 5_000),
    "5000到8000": (5_000, 8_000),
    "一万到一万五": (10_000, 15_000),
    "5千–8千": (5_000, 8_000),
}


@pytest.mark.parametrize("text", EXACT_YUAN)
def test_one_sum(text: str) -> None:
    cents = EXACT_YUAN[text] * 100
    assert parse_money(text) == Money(cents, cents)


@pytest.mark.parametrize("text", ABOUT_YUAN)
def test_a_sum_about(text: str) -> None:
    low, high = ABOUT_YUAN[text]
    assert parse_money(text) == Money(low * 100, high * 100, about=True)


@pytest.mark.parametrize("text", RANGES_YUAN)
def test_a_range(text: str) -> None:
    low, high = RANGES_YUAN[text]
    money = parse_money(text)
    assert money == Money(low * 100, high * 100)
    assert isinstance(money, Money)
    assert money.is_range


@pytest.mark.parametrize(
    ("text", "cents"),
    [("3000.50", 300_050), ("五块五", 550), ("三块五毛", 350), ("3元5角2分", 352), ("5毛", 50), ("两块半", 250)],
)
def test_below_a_yuan(text: str, cents: int) -> None:
    assert parse_money(text) == Money(cents, cents)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("200一天", Problem("money.per_day")),
        ("每天150块", Problem("money.per_day")),
        ("3000块和5000块", Problem("money.several")),
        ("10亿", Problem("money.too_large", {"maximum": 100_000_000})),
        ("不晓得", Problem("money.vague")),
        ("好多", Problem("money.vague")),
        ("2026年7月1日", Problem("money.unreadable")),
        ("三个月", Problem("money.unreadable")),
        ("", Problem("money.unreadable")),
    ],
)
def test_what_must_be_asked_again(text: str, problem: Problem) -> None:
    assert parse_money(text) == problem


@given(st.integers(1, 99_999_999), st.sampled_from(["{}块", "{}元", "欠{}块钱", "{}", "一共{}"]))
def test_a_written_sum_is_read_back(yuan: int, pattern: str) -> None:
    expected = Money(yuan * 100, yuan * 100)
    assert parse_money(pattern.format(yuan)) == expected
    assert parse_money(pattern.format(f"{yuan:,}")) == expected
    assert parse_money(pattern.format(cn2an.an2cn(yuan, "low"))) == expected


@given(st.integers(1, 9_999_999))
def test_cents_are_kept(cents: int) -> None:
    assert parse_money(f"{cents // 100}.{cents % 100:02d}元") == Money(cents, cents)


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("13个人欠了3个月,一共三万块", [3_000_000]),
        ("工资5千欠了3个月", [500_000]),
        ("三千人,2026年7月1日,13800000000", []),
        ("一个月三千五到四千", [350_000]),
    ],
)
def test_find_money(text: str, sums: list[int]) -> None:
    assert [hit.value.low_cents for hit in find_money(text)] == sums

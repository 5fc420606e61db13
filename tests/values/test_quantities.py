"""Exact and about quantities."""

from decimal import Decimal

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.quantities import Interval, IntervalScanner, read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("13", "13"),
        ("0", "0"),
        ("3,000.50", "3000.5"),
        ("一万二", "12000"),
        ("3千5", "3500"),
        ("一百二", "120"),
        ("两千三百零五", "2305"),
        ("1.2万", "12000"),
        ("三点五万", "35000"),
        ("十五点五", "15.5"),
        ("二〇二六", "2026"),
        ("幺", None),
        ("廿五", "25"),
        ("8k", "8000"),
        ("1w2", "12000"),
        ("叁佰", "300"),
        ("十", "10"),
        ("百", None),
        ("万一", None),
        ("百十五", None),
        ("1,00", None),
        ("", None),
        ("1" * 20, None),
    ],
)
def test_read_number(text: str, value: str | None) -> None:
    assert read_number(text) == (None if value is None else Decimal(value))


@given(st.integers(0, 99_999_999))
def test_every_written_number_is_read_back(number: int) -> None:
    assert read_number(str(number)) == number
    assert read_number(f"{number:,}") == number
    assert read_number(cn2an.an2cn(number, "low")) == number


PEOPLE = IntervalScanner("人|个")


def _only(text: str) -> Interval:
    readings = PEOPLE.scan(text)
    assert len(readings) == 1, readings
    return readings[0].interval


@pytest.mark.parametrize(
    ("text", "low", "high", "about"),
    [
        ("三十", 30, 30, False),
        ("三四十", 30, 40, True),
        ("十五六", 15, 16, True),
        ("几十", 20, 90, True),
        ("十几", 11, 19, True),
        ("三千几", 3100, 3900, True),
        ("八千多", 8000, 9000, True),
        ("二十多万", 200_000, 300_000, True),
        ("万把", 10_000, 10_000, True),
        ("上百", 100, 200, True),
        ("将近三十", 20, 30, True),
        ("三十左右", 30, 30, True),
        ("5-8千", 5000, 8000, False),
        ("三到五万", 30_000, 50_000, False),
        ("五千到八千", 5000, 8000, False),
        ("5000~8000", 5000, 8000, False),
        ("3、4个", 3, 4, False),
    ],
)
def test_interval(text: str, low: int, high: int, about: bool) -> None:
    interval = _only(text)
    assert (int(interval.low), int(interval.high), interval.about) == (low, high, about)


@pytest.mark.parametrize("text", ["15-8", "8000到5000", "3、10个", "5个、6个"])
def test_two_numbers_that_make_no_range_stay_two(text: str) -> None:
    assert len(PEOPLE.scan(text)) == 2


def test_a_reading_knows_its_place_and_measure() -> None:
    text = "我们十几个人,等了3天"
    first, second = PEOPLE.scan(text)
    assert text[first.start : first.end] == "十几个"
    assert (first.measure, second.measure) == ("个", "")

"""Slots from a few words: days, hours and places as people write them."""

from datetime import date, time

import pytest

from bot.programmes.slot_plan import PLAN_SLOTS_MAX, Hours, SlotPlan, days_of, read_days, read_hours, too_many
from bot.values.problem import Problem

WORKDAYS = {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    "line",
    ["8:30-9:30 12", "08:30－09：30　12人", "8点30分到9点30分 12个", "8:30~9:30，12", "8.30-9.30 12名"],
)
def test_hours_are_read_as_people_write_them(line: str) -> None:
    assert read_hours(line, places=None) == (Hours(time(8, 30), time(9, 30), 12),)


def test_hours_come_in_order_and_take_the_common_number_of_places() -> None:
    assert read_hours("14:30-15:30 8\n\n8:30-9:30\n", places=20) == (
        Hours(time(8, 30), time(9, 30), 20),
        Hours(time(14, 30), time(15, 30), 8),
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "programme.hours_none"),
        ("上午 12", "programme.hours_unreadable"),
        ("9:30-8:30 12", "programme.hours_wrong_way"),
        ("25:30-26:30 12", "programme.hours_wrong_way"),
        ("8:30-9:30", "programme.hours_without_places"),
        ("8:30-9:30 0", "programme.hours_places_range"),
        ("8:30-9:30 12\n9:00-10:00 12", "programme.hours_overlap"),
    ],
)
def test_hours_that_cannot_be_meant_are_named(text: str, code: str) -> None:
    found = read_hours(text, places=None)
    assert isinstance(found, Problem)
    assert found.code == code


def test_days_are_those_weekdays_without_the_exceptions() -> None:
    assert days_of(date(2026, 6, 19), date(2026, 6, 24), WORKDAYS, {date(2026, 6, 22)}) == (
        date(2026, 6, 19),
        date(2026, 6, 23),
        date(2026, 6, 24),
    )


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (date(2026, 6, 24), date(2026, 6, 19), "programme.days_ends_before_start"),
        (date(2026, 6, 20), date(2026, 6, 21), "programme.days_none"),
        (date(2026, 6, 20), date(2028, 6, 20), "programme.days_too_many"),
    ],
)
def test_days_that_are_none_or_too_many_are_named(first: date, last: date, code: str) -> None:
    found = days_of(first, last, WORKDAYS)
    assert isinstance(found, Problem)
    assert found.code == code


def test_single_days_are_read_in_several_spellings() -> None:
    assert read_days("2026-06-20、6月22日, 6.23 6/23", 2026) == (
        date(2026, 6, 20),
        date(2026, 6, 22),
        date(2026, 6, 23),
    )
    assert read_days("2月30日", 2026) == Problem("programme.day_unreadable", {"word": "2月30日"})
    assert read_days("端午", 2026) == Problem("programme.day_unreadable", {"word": "端午"})
    assert read_days("  ", 2026) == ()


def test_a_plan_is_every_site_on_every_day_at_every_hour_and_not_too_much_at_once() -> None:
    hours = (Hours(time(8), time(9), 5), Hours(time(9), time(10), 6))
    plan = SlotPlan("p", (1, 2), (date(2026, 6, 22), date(2026, 6, 23)), hours)
    assert len(plan.slots) == 8
    assert {(slot.site_id, slot.day, slot.start, slot.capacity) for slot in plan.slots} >= {
        (1, date(2026, 6, 22), time(8), 5),
        (2, date(2026, 6, 23), time(9), 6),
    }
    assert too_many(plan) is None
    many = SlotPlan("p", tuple(range(2_501)), plan.days[:1], hours)
    assert too_many(many) == Problem("programme.slots_too_many", {"slots": 5_002, "most": PLAN_SLOTS_MAX})

"""When staff are there."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox.calendar_table import CalendarTable, read_seed
from bot.inbox.rules import Stretch, WorkingCalendar
from bot.values.clock import LOCAL_ZONE, MovedClock

MORNING, AFTERNOON = Stretch(time(9), time(12)), Stretch(time(14), time(17, 30))
WEEK = dict.fromkeys(range(5), (MORNING, AFTERNOON))
CALENDAR = WorkingCalendar(WEEK, {date(2026, 6, 19): None, date(2026, 6, 21): 4})


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("moment", "there"),
    [
        (_at(15, 9), True),
        (_at(15, 8, 59), False),
        (_at(15, 12), False),
        (_at(15, 14), True),
        (_at(15, 17, 29), True),
        (_at(15, 17, 30), False),
        (_at(19, 10), False),  # a holiday on a Friday
        (_at(20, 10), False),  # a Saturday
        (_at(21, 10), True),  # a Sunday that is worked like a Friday
    ],
)
def test_open_and_closed(moment: datetime, there: bool) -> None:
    assert CALENDAR.is_open(moment) == there


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        (_at(15, 10), _at(15, 10)),
        (_at(15, 7), _at(15, 9)),
        (_at(15, 13), _at(15, 14)),
        (_at(15, 20), _at(16, 9)),
        (_at(18, 18), _at(21, 9)),
        (_at(21, 18), _at(22, 9)),
    ],
)
def test_the_next_opening(moment: datetime, opening: datetime) -> None:
    assert CALENDAR.next_opening(moment) == opening


def test_a_calendar_without_hours_never_opens() -> None:
    assert WorkingCalendar({}).next_opening(_at(15, 10)) is None


@given(st.integers(0, 60 * 24 * 20))
def test_staff_are_there_at_every_next_opening_and_not_before(minutes: int) -> None:
    moment = _at(1, 0) + timedelta(minutes=minutes)
    opening = CALENDAR.next_opening(moment)
    assert opening is not None
    assert CALENDAR.is_open(opening)
    assert not any(
        CALENDAR.is_open(moment + timedelta(minutes=step))
        for step in range(0, int((opening - moment).total_seconds() // 60), 7)
    )


async def test_seeded_rows_come_back_as_a_calendar(calendar_table: CalendarTable) -> None:
    calendar = await calendar_table.calendar()
    assert [str(stretch) for stretch in calendar.stretches(date(2026, 6, 15))] == ["09:00–17:00"]
    assert calendar.stretches(date(2026, 6, 20)) == ()
    assert calendar.stretches(date(2026, 10, 1)) == ()


async def test_seeding_again_leaves_what_people_changed(calendar_table: CalendarTable, clock: MovedClock) -> None:
    before = await calendar_table.calendar()
    await calendar_table.seed(read_seed(), now=clock.now())
    assert await calendar_table.calendar() == before


def test_the_seed_has_thirteen_days_off_a_year() -> None:
    days = [row.day for row in read_seed().days if row.works_as is None]
    assert {year: sum(day.year == year for day in days) for year in (2026, 2027)} == {2026: 13, 2027: 13}

"""By when chats should be answered and ended, and when followers are told that nobody is there."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox.filters import Scope
from bot.inbox.lists import ChatLists
from bot.inbox.rules import (
    DueMoments,
    Mark,
    Stretch,
    Targets,
    WorkingCalendar,
    due_moments,
    mark_of,
    must_be_told,
)
from bot.inbox.service import InboxService, Recorded
from bot.values.clock import LOCAL_ZONE, MovedClock

WEEK = dict.fromkeys(range(5), (Stretch(time(9), time(12)), Stretch(time(14), time(17))))
CALENDAR = WorkingCalendar(WEEK, {date(2026, 6, 19): None})
DAY_MINUTES = 360


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (_at(15, 10), 30, _at(15, 10, 30)),
        (_at(15, 11, 50), 30, _at(15, 14, 20)),
        (_at(15, 12, 30), 30, _at(15, 14, 30)),
        (_at(15, 16, 50), 30, _at(16, 9, 20)),
        (_at(18, 16), 90, _at(22, 9, 30)),  # over a holiday and a weekend
        (_at(15, 9), DAY_MINUTES, _at(15, 17)),
    ],
)
def test_minutes_of_working_time_are_counted_on(start: datetime, minutes: int, due: datetime) -> None:
    assert CALENDAR.after(start, minutes) == due


def test_without_hours_no_moment_is_due() -> None:
    assert WorkingCalendar({}).after(_at(15, 10), 5) is None
    assert due_moments(_at(15, 10), Targets(5, 10, around_the_clock=False), WorkingCalendar({})) == DueMoments(
        None, None
    )


def test_around_the_clock_the_calendar_does_not_count() -> None:
    due = due_moments(_at(20, 23), Targets(5, 240, around_the_clock=True), CALENDAR)
    assert due == DueMoments(_at(20, 23, 5), _at(21, 3))


@given(st.integers(0, 60 * 24 * 9), st.integers(1, 5 * DAY_MINUTES))
def test_what_is_counted_on_is_counted_back(ahead: int, minutes: int) -> None:
    start = _at(1, 0) + timedelta(minutes=ahead)
    due = CALENDAR.after(start, minutes)
    assert due is not None
    assert CALENDAR.minutes_between(start, due) == minutes
    assert due >= start + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("due", "done", "now", "mark"),
    [
        (None, None, 40, Mark.NONE),
        (40, None, 20, Mark.IN_TIME),
        (40, None, 31, Mark.SOON),
        (40, None, 40, Mark.SOON),
        (40, None, 41, Mark.OVERDUE),
        (40, 40, 90, Mark.MET),
        (40, 41, 90, Mark.MISSED),
    ],
)
def test_marks(due: int | None, done: int | None, now: int, mark: Mark) -> None:
    began = _at(15, 9)

    def at(minute: int | None) -> datetime | None:
        return None if minute is None else began + timedelta(minutes=minute)

    assert mark_of(began, at(due), at(done), began + timedelta(minutes=now)) == mark


@pytest.mark.parametrize(
    ("told", "now", "opens"),
    [
        (None, _at(15, 10), None),
        (None, _at(15, 18), _at(16, 9)),
        (_at(15, 10), _at(15, 18), _at(16, 9)),
        (_at(15, 17, 30), _at(15, 18), None),
        (_at(15, 18), _at(16, 7), None),
        (_at(15, 18), _at(16, 18), _at(17, 9)),
    ],
)
def test_one_word_for_each_time_that_nobody_is_there(
    told: datetime | None, now: datetime, opens: datetime | None
) -> None:
    assert must_be_told(CALENDAR, told, now) == opens


async def test_a_chat_is_due_by_its_queues_targets(inbox: InboxService, lists: ChatLists, clock: MovedClock) -> None:
    clock.move(timedelta(hours=6, minutes=45))  # a quarter of an hour before closing
    legal = await lists.get((await inbox.escalate("o-1", "legal", "", "k-1")).chat_id, Scope())
    crisis = await lists.get((await inbox.escalate("o-2", "crisis", "", "k-2")).chat_id, Scope())
    assert (legal.first_answer_due_at, legal.resolution_due_at) == (_at(16, 9, 45), _at(17, 16, 45))
    assert crisis.first_answer_due_at == clock.now() + timedelta(minutes=5)


async def test_a_chat_that_becomes_urgent_is_due_sooner(
    inbox: InboxService, lists: ChatLists, clock: MovedClock
) -> None:
    chat_id = (await inbox.escalate("o-1", "general", "", "k-1")).chat_id
    clock.move(timedelta(minutes=10))
    await inbox.escalate("o-1", "crisis", "想不开", "k-2", reason="self_harm", moves=True)
    chat = await lists.get(chat_id, Scope())
    assert (chat.topic, chat.is_urgent) == ("crisis", True)
    assert chat.first_answer_due_at == clock.now() + timedelta(minutes=5)
    steps = [(line.step, line.detail) for line in (await lists.lines(chat_id)).lines]
    assert steps[-1] == ("escalated", "general>crisis")


async def test_out_of_hours_the_follower_is_told_once_a_night(inbox: InboxService, clock: MovedClock) -> None:
    await inbox.escalate("o-1", "general", "", "k-1")
    during = await inbox.record_inbound("o-1", "m-1", text="在吗")
    clock.move(timedelta(hours=9))
    evening = await inbox.record_inbound("o-1", "m-2", text="还在等")
    repeated = await inbox.record_inbound("o-1", "m-2", text="还在等")
    clock.move(timedelta(hours=1))
    later = await inbox.record_inbound("o-1", "m-3", text="急")
    clock.move(timedelta(days=1))
    next_evening = await inbox.record_inbound("o-1", "m-4", text="？")
    told = [one.opens_at for one in (during, evening, repeated, later, next_evening) if isinstance(one, Recorded)]
    assert told == [None, _at(16, 9), _at(16, 9), None, _at(17, 9)]


async def test_whoever_was_handed_over_out_of_hours_has_been_told(inbox: InboxService, clock: MovedClock) -> None:
    clock.move(timedelta(hours=9))
    await inbox.escalate("o-1", "general", "", "k-1")
    clock.move(timedelta(minutes=1))
    recorded = await inbox.record_inbound("o-1", "m-1", text="在吗")
    assert isinstance(recorded, Recorded)
    assert recorded.opens_at is None


async def test_in_danger_nobody_hears_of_closing_hours(inbox: InboxService, clock: MovedClock) -> None:
    await inbox.escalate("o-1", "crisis", "", "k-1")
    clock.move(timedelta(hours=12))
    recorded = await inbox.record_inbound("o-1", "m-1", text="在吗")
    assert isinstance(recorded, Recorded)
    assert recorded.opens_at is None


async def test_whoever_waits_can_ask_where_they_stand(inbox: InboxService) -> None:
    await inbox.escalate("o-1", "legal", "", "k-1")
    await inbox.escalate("o-2", "legal", "", "k-2")
    place = await inbox.place_of("o-2")
    assert place is not None
    assert (place.position, place.usual_minutes, place.topic) == (2, 30, "legal")
    assert await inbox.place_of("o-3") is None

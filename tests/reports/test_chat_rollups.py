"""Chats are counted by day: each thing that happened on its own day, and all of them, however late."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete

from bot.inbox.calendar_table import CalendarTable, read_seed
from bot.inbox.desk import ChatDesk
from bot.inbox.models import Chat, ChatMessage, Satisfaction
from bot.inbox.service import InboxService
from bot.reports.chat_rollups import DAYS_AT_ONCE, ChatRollups
from bot.reports.models import Period
from bot.reports.rules import percentile
from bot.reports.service import Reports
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import LOCAL_ZONE, MovedClock
from tests.reports.turns import JUNE

SONGTAO, SINAN = "520628", "520624"


@pytest.fixture
def rollups(database: Database, clock: MovedClock) -> ChatRollups:
    return ChatRollups(database, clock)


@pytest.fixture
def inbox(database: Database, cipher: FieldCipher, clock: MovedClock) -> InboxService:
    return InboxService(database, cipher, clock)


@pytest.fixture(autouse=True)
async def _reasons(database: Database, clock: MovedClock) -> None:
    await CalendarTable(database).seed(read_seed(), now=clock.now())


@pytest.fixture
def desk(database: Database, cipher: FieldCipher, clock: MovedClock) -> ChatDesk:
    return ChatDesk(database, cipher, clock, trail=AuditTrail(database, cipher, clock))


def _day(day: date) -> Period:
    return Period(day, day)


async def _put(database: Database, *opened: datetime, county: str | None = None) -> None:
    async with database.transaction() as session:
        session.add_all(
            Chat(openid=f"{at}", topic="other", idempotency_key=f"{at}", opened_at=at, county=county) for at in opened
        )


async def test_how_quickly_people_are_answered_and_what_they_say(
    inbox: InboxService, desk: ChatDesk, clock: MovedClock, rollups: ChatRollups, reports: Reports
) -> None:
    for number, minutes in enumerate((2, 10, 30)):
        opened = await inbox.escalate(f"o-{number}", "other", "…", f"k-{number}", county=SONGTAO)
        clock.move(timedelta(minutes=minutes))
        await desk.answer(opened.chat_id, "li", "好", "a")
        clock.move(timedelta(minutes=5))
        await desk.close(opened.chat_id, "li", "solved")
        await inbox.rate(f"o-{number}", Satisfaction.SATISFIED if number else Satisfaction.FAIR, f"r-{number}")
    await inbox.escalate("o-9", "other", "…", "k-9", county=SINAN)
    for _ in range(2):
        assert await rollups.renew() == 0
        found = await reports.chats(JUNE)
        assert (found.opened, found.first_answer.by_minutes) == (4, {2: 1, 10: 1, 30: 1})
        assert found.resolution.by_minutes == {7: 1, 15: 1, 35: 1}
        assert (percentile(found.first_answer, 0.5), percentile(found.first_answer, 0.9)) == (10, 30)
        assert (found.satisfied, found.fair, found.dissatisfied, found.rated) == (2, 1, 0, 3)
        assert {day: count for day, count in found.by_day if count} == {date(2026, 6, 15): 4}
    own = await reports.chats(JUNE, county=SINAN)
    assert (own.opened, own.first_answer.count, own.satisfied_share) == (1, 0, None)


async def test_each_thing_counts_on_its_own_day(
    inbox: InboxService, desk: ChatDesk, clock: MovedClock, rollups: ChatRollups, reports: Reports
) -> None:
    monday = clock.now().date()
    opened = await inbox.escalate("o", "other", "…", "k")
    await rollups.renew()
    clock.move(timedelta(days=1))
    await desk.answer(opened.chat_id, "li", "好", "a")
    await rollups.renew()
    clock.move(timedelta(days=2))
    await desk.close(opened.chat_id, "li", "solved")
    await rollups.renew()
    first, second, fourth = [await reports.chats(_day(monday + timedelta(days=number))) for number in (0, 1, 3)]
    assert (first.opened, first.first_answer.count, first.resolution.count) == (1, 0, 0)
    assert (second.opened, second.first_answer.by_minutes, second.resolution.count) == (0, {1440: 1}, 0)
    assert (fourth.opened, fourth.first_answer.count, fourth.resolution.by_minutes) == (0, 0, {3 * 1440: 1})


async def test_an_end_that_was_taken_back_does_not_count(
    inbox: InboxService, desk: ChatDesk, clock: MovedClock, rollups: ChatRollups, reports: Reports
) -> None:
    opened = await inbox.escalate("o", "other", "…", "k")
    clock.move(timedelta(days=1))
    await desk.close(opened.chat_id, "li", "solved")
    await rollups.renew()
    assert (await reports.chats(_day(clock.now().date()))).resolution.count == 1
    await desk.reopen(opened.chat_id, "li")
    await rollups.renew()
    assert (await reports.chats(_day(clock.now().date()))).resolution.count == 0
    assert (await reports.chats(_day(clock.now().date() - timedelta(days=1)))).opened == 1


async def test_what_is_stored_just_after_midnight_counts_for_the_day_before(
    database: Database, clock: MovedClock, rollups: ChatRollups, reports: Reports
) -> None:
    clock.set(datetime(2026, 6, 16, 0, 0, 1, tzinfo=LOCAL_ZONE))
    await rollups.renew()
    await _put(database, datetime(2026, 6, 15, 23, 59, 59, tzinfo=LOCAL_ZONE))
    await rollups.renew()
    assert (await reports.chats(_day(date(2026, 6, 15)))).opened == 1


async def test_a_worker_that_was_away_catches_up(
    database: Database, clock: MovedClock, rollups: ChatRollups, reports: Reports
) -> None:
    begin = clock.now()
    await rollups.renew()
    await _put(database, *(begin + timedelta(days=number) for number in range(70)))
    clock.move(timedelta(days=69))
    runs = 1
    while await rollups.renew():
        runs += 1
    assert runs == 3
    assert DAYS_AT_ONCE < 70
    assert (await reports.chats(Period(begin.date(), clock.now().date()))).opened == 70


async def test_the_first_count_begins_with_the_first_chat(
    database: Database, clock: MovedClock, rollups: ChatRollups, reports: Reports
) -> None:
    begin = clock.now() - timedelta(days=50)
    await _put(database, begin, clock.now())
    while await rollups.renew():
        pass
    assert (await reports.chats(Period(begin.date(), clock.now().date()))).opened == 2


async def test_workers_that_count_at_once_agree(database: Database, clock: MovedClock, reports: Reports) -> None:
    await _put(database, clock.now(), county=SONGTAO)
    await asyncio.gather(*(ChatRollups(database, clock).renew() for _ in range(4)))
    assert (await reports.chats(JUNE)).opened == 1


async def test_rebuilding_counts_again_what_is_there_and_keeps_what_is_not(
    database: Database, clock: MovedClock, rollups: ChatRollups, reports: Reports
) -> None:
    await _put(database, clock.now() - timedelta(days=40), clock.now())
    while await rollups.renew():
        pass
    wide = Period(date(2026, 4, 1), date(2026, 6, 30))
    await _put(database, clock.now() - timedelta(days=40, minutes=1))
    assert (await reports.chats(wide)).opened == 2
    await rollups.rebuild(wide)
    assert (await reports.chats(wide)).opened == 3
    async with database.transaction() as session:
        await session.execute(delete(ChatMessage))
        await session.execute(delete(Chat))
    await rollups.rebuild(wide)
    assert (await reports.chats(wide)).opened == 3

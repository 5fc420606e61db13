"""Turns are counted by day: all of them, once, however late they come and however many workers count."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import ProgrammeKind
from bot.programmes.service import ProgrammeService
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.reports.models import Conversion, Period, TurnDay, Turns
from bot.reports.personal_data import ReportData
from bot.reports.rollups import CONVERTED_WITHIN, Counts, TurnRollups
from bot.reports.service import Reports
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.turns.log import TurnLog
from bot.values.clock import LOCAL_ZONE, MovedClock
from tests.registrations.factories import stage_screening, submitted
from tests.reports.turns import JUNE, turn, written

SCREENING = ProgrammeKind.HEALTH_SCREENING.value


async def test_messages_are_counted_by_the_local_day_and_hour(
    log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    await written(log, clock)
    for _ in range(2):
        assert await rollups.renew() == 0
        found = await reports.messages(JUNE)
        assert found.all == Turns(understood=3, asked_back=1, lost=1, guided=1)
        assert dict(found.by_day)[date(2026, 6, 15)] == Turns(understood=2, asked_back=1, lost=1, guided=1)
        assert dict(found.by_day)[date(2026, 6, 14)] == Turns(understood=1)
        assert len(found.by_day) == 30
        assert {hour: turns.total for hour, turns in found.by_hour if turns.total} == {7: 1, 10: 4, 23: 1}
        assert found.by_intent == [("check_status", 2), ("greet", 1)]
        assert found.all.understood_share == pytest.approx(0.6)


async def test_one_intent_is_shown_by_day(
    log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    await written(log, clock)
    await rollups.renew()
    found = await reports.messages(JUNE, intent="greet")
    assert found.all == Turns(understood=1)
    assert dict(found.by_day)[date(2026, 6, 14)] == Turns(understood=1)
    assert not any(turns.total for _, turns in found.by_hour)


async def test_turns_that_come_days_late_are_counted(
    log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    """A worker that was away moves the log of a week ago; nobody would look at that day by the calendar."""
    await written(log, clock)
    await rollups.renew()
    await log.write([turn("late", clock.now() - timedelta(days=9), intent="thank", certainty="sure")])
    await rollups.renew()
    assert dict((await reports.messages(JUNE)).by_day)[date(2026, 6, 6)] == Turns(understood=1)


async def test_a_batch_that_is_written_twice_counts_once(
    log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    for _ in range(2):
        await written(log, clock)
        await rollups.renew()
    assert (await reports.messages(JUNE)).all.total == 6


async def test_a_long_backlog_is_counted_in_turns(
    log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    begin = clock.now() - timedelta(days=39)
    await log.write([turn(f"{day}", begin + timedelta(days=day), certainty="lost") for day in range(40)])
    assert await rollups.renew() > 0
    assert await rollups.renew() == 0
    period = Period(begin.date(), clock.now().date())
    assert (await reports.messages(period)).all == Turns(lost=40)


async def test_counts_stay_when_the_log_is_gone(
    log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    await written(log, clock)
    await rollups.renew()
    await log.erase("o")
    assert await rollups.rebuild(JUNE) == 0
    assert (await reports.messages(JUNE)).all.total == 6


async def test_counts_that_were_spoilt_are_rebuilt(
    database: Database, log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    await written(log, clock)
    await rollups.renew()
    async with database.transaction() as session:
        await session.execute(delete(TurnDay))
    await rollups.renew()
    assert (await reports.messages(JUNE)).all.total == 0
    assert await rollups.rebuild(JUNE) == 2
    assert (await reports.messages(JUNE)).all.total == 6


class SlowRollups(TurnRollups):
    """Counts, and then waits before it writes."""

    counted: asyncio.Event
    go_on: asyncio.Event

    async def _replace(self, day: date, counts: Counts) -> None:
        self.counted.set()
        await self.go_on.wait()
        await super()._replace(day, counts)


class UnguardedRollups(SlowRollups):
    """The null guard: whoever writes last is right."""

    async def _may_replace(self, session: AsyncSession, day: date, writes: int) -> bool:  # noqa: ARG002
        return True


async def _overtaken(slow: SlowRollups, log: TurnLog, rollups: TurnRollups, clock: MovedClock) -> None:
    """Let a worker write what it counted before another one, which was quicker, counted more."""
    slow.counted, slow.go_on = asyncio.Event(), asyncio.Event()
    await log.write([turn("1", clock.now(), certainty="lost")])
    counting = asyncio.create_task(slow.renew())
    await slow.counted.wait()
    await log.write([turn("2", clock.now(), certainty="lost")])
    await rollups.renew()
    slow.go_on.set()
    await counting
    await rollups.renew()


async def test_old_counts_do_not_replace_newer_ones(
    database: Database, log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    await _overtaken(SlowRollups(database, clock), log, rollups, clock)
    assert (await reports.messages(JUNE)).all == Turns(lost=2)


async def test_without_the_guard_a_slow_worker_loses_turns(
    database: Database, log: TurnLog, rollups: TurnRollups, reports: Reports, clock: MovedClock
) -> None:
    """The control."""
    await _overtaken(UnguardedRollups(database, clock), log, rollups, clock)
    assert (await reports.messages(JUNE)).all == Turns(lost=1)


async def test_workers_that_count_at_once_agree(
    database: Database, log: TurnLog, reports: Reports, clock: MovedClock
) -> None:
    await written(log, clock)
    await asyncio.gather(*(TurnRollups(database, clock).renew() for _ in range(4)))
    assert (await reports.messages(JUNE)).all.total == 6


async def _asked(log: TurnLog, at: datetime, *serials: int, intent: str = "faq_health_screening") -> None:
    await log.write(
        [turn(f"{at}-{serial}", at, intent=intent, certainty="sure", openid=f"openid-{serial}") for serial in serials]
    )


async def _screenings(reports: Reports, period: Period = JUNE) -> Conversion:
    return next(one for one in await reports.conversions(period) if one.kind == SCREENING)


async def test_whoever_asked_and_registered_within_a_fortnight_counts_once(
    database: Database, cipher: FieldCipher, clock: MovedClock, log: TurnLog, rollups: TurnRollups, reports: Reports
) -> None:
    stage = await stage_screening(ProgrammeService(database, clock), *[9] * 66)
    service = RegistrationService(database, cipher, clock, RowPlaceLock())
    await submitted(service, stage, 5, slot=65)
    clock.move(timedelta(minutes=1))
    first = clock.now()
    await _asked(log, first, 0, 1, 2, 3, 5)
    await _asked(log, first + timedelta(minutes=1), 0, 1)
    await rollups.renew()
    assert await _screenings(reports) == Conversion(SCREENING, 5, 0)
    clock.move(timedelta(days=1))
    # The first follower asks again and registers then; the ninth never asked; the fifth registered before asking.
    await _asked(log, clock.now(), 0)
    await submitted(service, stage, 0, 1, 9, slot=65)
    await rollups.renew()
    assert await _screenings(reports) == Conversion(SCREENING, 5, 2)
    clock.set(first + CONVERTED_WITHIN + timedelta(seconds=1))
    await submitted(service, stage, 2, slot=65)
    await rollups.renew()
    assert await _screenings(reports) == Conversion(SCREENING, 5, 2)
    assert await _screenings(reports, Period(date(2026, 6, 16), date(2026, 6, 16))) == Conversion(SCREENING, 1, 1)
    await rollups.rebuild(JUNE)
    assert await _screenings(reports) == Conversion(SCREENING, 5, 2)


async def test_a_day_that_is_counted_again_keeps_who_registered(
    database: Database, cipher: FieldCipher, clock: MovedClock, log: TurnLog, rollups: TurnRollups, reports: Reports
) -> None:
    stage = await stage_screening(ProgrammeService(database, clock), 9)
    service = RegistrationService(database, cipher, clock, RowPlaceLock())
    await _asked(log, clock.now(), 0)
    await submitted(service, stage, 0)
    await rollups.renew()
    clock.move(timedelta(days=60))
    await _asked(log, datetime(2026, 6, 15, 20, tzinfo=LOCAL_ZONE), 1)
    await rollups.renew()
    assert await _screenings(reports) == Conversion(SCREENING, 2, 1)


async def test_a_follower_sees_and_erases_what_reports_keep(
    database: Database, clock: MovedClock, log: TurnLog, rollups: TurnRollups, reports: Reports
) -> None:
    await _asked(log, clock.now(), 0, 1)
    await rollups.renew()
    data = ReportData(database)
    assert await data.export("openid-0") == [
        {"day": "2026-06-15", "asked_about": "faq_health_screening", "has_registered": False}
    ]
    assert await data.erase("openid-0") == 1
    assert await data.erase("openid-0") == 0
    assert await data.export("openid-0") == []
    assert (await _screenings(reports)).asked == 1

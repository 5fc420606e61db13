"""Figures of a period over each database, and the rules that keep small groups out of them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inbox.desk import ChatDesk
from bot.inbox.models import Satisfaction
from bot.inbox.service import InboxService
from bot.programmes.models import ProgrammeKind
from bot.programmes.service import ProgrammeService
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.reports.models import Conversion, Period
from bot.reports.rollups import TurnRollups
from bot.reports.rules import percentile, suppressed
from bot.reports.service import Reports, previous
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.turns.log import TurnLog, TurnRecord
from bot.values.clock import LOCAL_ZONE, MovedClock
from tests.registrations.factories import application, receipt_of, stage_screening, submitted

JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))


def _turn(
    key: str, at: datetime, *, intent: str | None = None, certainty: str | None = None, openid: str = "o"
) -> TurnRecord:
    return TurnRecord(
        key=key,
        openid=openid,
        received_at=at,
        kind="TextMessage",
        said="…",
        answered=(),
        intent=intent,
        confidence=None,
        certainty=certainty,
        flow=None,
        trace=(),
        took_ms=5,
        late=False,
    )


@pytest.fixture
def log(database: Database, cipher: FieldCipher) -> TurnLog:
    return TurnLog(database, cipher)


@pytest.fixture
def reports(database: Database) -> Reports:
    return Reports(database)


async def _written(log: TurnLog, clock: MovedClock) -> None:
    now = clock.now()
    turns: Sequence[TurnRecord] = [
        _turn("1", now, intent="check_status", certainty="sure"),
        _turn("2", now, intent="check_status", certainty="sure"),
        _turn("3", now, intent="complaint", certainty="unsure"),
        _turn("4", now, intent=None, certainty="lost"),
        _turn("5", now - timedelta(hours=3)),
        _turn("6", datetime(2026, 6, 14, 23, 59, tzinfo=LOCAL_ZONE), intent="greet", certainty="sure"),
    ]
    await log.write(turns)


async def test_messages_are_counted_by_the_local_day_and_hour(
    database: Database, clock: MovedClock, log: TurnLog, reports: Reports
) -> None:
    await _written(log, clock)
    rollups = TurnRollups(database, clock)
    for _ in range(2):
        assert await rollups.renew() == 0
        found = await reports.messages(JUNE)
        assert (found.total, found.asked, found.understood, found.asked_back, found.lost) == (6, 5, 3, 1, 1)
        assert dict(found.by_day)[date(2026, 6, 15)] == 5
        assert dict(found.by_day)[date(2026, 6, 14)] == 1
        assert len(found.by_day) == 30
        assert {hour: turns for hour, turns in found.by_hour if turns} == {7: 1, 10: 4, 23: 1}
        assert found.by_intent == [("check_status", 2), ("greet", 1)]
        assert found.understood_share == pytest.approx(0.6)


async def test_counts_stay_when_the_log_is_gone(
    database: Database, clock: MovedClock, log: TurnLog, reports: Reports
) -> None:
    await _written(log, clock)
    rollups = TurnRollups(database, clock)
    await rollups.renew()
    await log.erase("o")
    await rollups.rebuild(JUNE.first, JUNE.last)
    assert (await reports.messages(JUNE)).total == 6


async def test_registrations_of_a_screening_hide_small_groups(
    database: Database, cipher: FieldCipher, clock: MovedClock, reports: Reports
) -> None:
    stage = await stage_screening(ProgrammeService(database, clock), 30)
    service = RegistrationService(database, cipher, clock, RowPlaceLock())
    for serial in range(25):
        county = "520628" if serial < 12 else "520624" if serial < 22 else "520602"
        made = application(serial, stage.programme, county=county, slot_id=stage.slots[0].id)
        receipt_of(await service.submit(made))
    [found] = await reports.registrations(JUNE)
    assert found.total == 25
    assert dict(found.by_county) == {"520628": 12, "520624": None, "520602": None}
    [own] = await reports.registrations(JUNE, county="520602")
    assert own.total is None


async def test_whoever_asked_and_registered_within_a_fortnight_counts_once(
    database: Database, cipher: FieldCipher, clock: MovedClock, log: TurnLog, reports: Reports
) -> None:
    stage = await stage_screening(ProgrammeService(database, clock), *[9] * 66)
    service = RegistrationService(database, cipher, clock, RowPlaceLock())
    now = clock.now()
    turns = [
        _turn(
            f"{serial}-{time}",
            now + timedelta(minutes=time),
            intent="faq_health_screening",
            openid=f"openid-{serial}",
        )
        for serial in range(4)
        for time in range(2)
    ]
    await log.write(turns)
    clock.move(timedelta(days=1))
    await submitted(service, stage, 0, 1, 9, slot=65)
    clock.move(timedelta(days=13, hours=1))
    await submitted(service, stage, 2, slot=65)
    kinds = {one.kind: one for one in await reports.conversions(JUNE)}
    assert kinds[ProgrammeKind.HEALTH_SCREENING] == Conversion(ProgrammeKind.HEALTH_SCREENING.value, 4, 2)
    assert kinds[ProgrammeKind.WORK_STUDY].share is None


async def test_how_quickly_people_are_answered_and_what_they_say(
    database: Database, cipher: FieldCipher, clock: MovedClock, reports: Reports
) -> None:
    inbox, desk = InboxService(database, cipher, clock), ChatDesk(database, cipher, clock)
    for number, minutes in enumerate((2, 10, 30)):
        opened = await inbox.escalate(f"o-{number}", "other", "…", f"k-{number}", county="520628")
        clock.move(timedelta(minutes=minutes))
        await desk.answer(opened.chat_id, "li", "好", "a")
        clock.move(timedelta(minutes=5))
        await desk.close(opened.chat_id, "li", "answered")
        await inbox.rate(f"o-{number}", Satisfaction.SATISFIED if number else Satisfaction.FAIR, f"r-{number}")
    await inbox.escalate("o-9", "other", "…", "k-9", county="520624")
    found = await reports.chats(JUNE)
    assert (found.opened, found.answered, found.closed) == (4, 3, 3)
    assert (found.first_answer_median, found.first_answer_p90) == (10, 30)
    assert (found.resolution_median, found.satisfied, found.fair, found.rated) == (15, 2, 1, 3)
    assert (await reports.chats(JUNE, county="520624")).opened == 1


def test_the_period_before_has_the_same_length() -> None:
    assert previous(JUNE) == Period(date(2026, 5, 2), date(2026, 5, 31))


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 60), max_size=12))
def test_what_is_hidden_cannot_be_worked_out_from_the_total(counts: dict[int, int]) -> None:
    shown = suppressed(counts)
    hidden = [key for key in counts if shown[key] is None]
    assert all(shown[key] in (None, counts[key]) for key in counts)
    assert not any(0 < counts[key] < 10 and shown[key] is not None for key in counts)
    if len(hidden) == 1:
        assert all(count < 10 for count in counts.values()), "there was no larger group to hide it behind"


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_enough_are_below(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values if found is not None) >= share * len(values)
    assert percentile([], share) is None

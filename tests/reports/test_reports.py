"""Who registered, over each database."""

from datetime import date, timedelta

import pytest

from bot.programmes.errors import UnknownProgramme
from bot.programmes.service import ProgrammeService
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.reports.models import Period
from bot.reports.overview import Overview
from bot.reports.registered import RegistrationFigures
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import application, receipt_of, stage_screening, stage_work_study
from tests.reports.turns import JUNE
from tests.support.statements import plan_of, recorded_statements

SONGTAO, SINAN, BIJIANG = "520628", "520624", "520602"


@pytest.fixture
def service(database: Database, cipher: FieldCipher, clock: MovedClock) -> RegistrationService:
    return RegistrationService(database, cipher, clock, RowPlaceLock())


async def _screened(database: Database, clock: MovedClock, service: RegistrationService) -> None:
    """Let 12, 10 and 3 people of three counties register for a screening, on two days."""
    stage = await stage_screening(ProgrammeService(database, clock), 30)
    for serial in range(25):
        if serial == 24:
            clock.move(timedelta(days=1))
        county = SONGTAO if serial < 12 else SINAN if serial < 22 else BIJIANG
        made = application(serial, stage.programme, county=county, slot_id=stage.slots[0].id)
        receipt_of(await service.submit(made))


async def test_registrations_of_a_screening_hide_small_groups(
    database: Database, clock: MovedClock, service: RegistrationService, registrations: RegistrationFigures
) -> None:
    await _screened(database, clock, service)
    [found] = await registrations.programmes(JUNE)
    assert (found.total, found.is_whole, found.by_status) == (25, True, {"approved": 25})
    assert dict(found.by_county) == {SONGTAO: 12, SINAN: None, BIJIANG: None}
    [own] = await registrations.programmes(JUNE, county=BIJIANG)
    assert (own.total, dict(own.by_county)) == (None, {BIJIANG: None})
    closer = await registrations.programme("screening", JUNE)
    assert [(one.county, one.total, one.by_status) for one in closer.counties] == [
        (SONGTAO, 12, {}),
        (BIJIANG, None, {}),
        (SINAN, None, {}),
    ]
    assert closer.by_day == []


@pytest.mark.parametrize("county", [None, SINAN], ids=["everywhere", "in a county"])
async def test_a_period_and_the_one_before_count_screenings_once_along_their_index(
    sqlite_database: Database, cipher: FieldCipher, clock: MovedClock, county: str | None
) -> None:
    await _screened(sqlite_database, clock, RegistrationService(sqlite_database, cipher, clock, RowPlaceLock()))
    overview = Overview(sqlite_database)
    with recorded_statements(sqlite_database) as statements:
        [found] = (await overview.figures(JUNE, county=county)).programmes
        assert (await overview.before(JUNE, county=county)).programmes == []
    assert found.is_whole
    [counting] = [one for one in statements if "FROM registrations" in one.text]
    plan = await plan_of(sqlite_database, counting)
    assert "USING COVERING INDEX ix_registrations_screened" in plan
    assert "TEMP B-TREE" not in plan


async def test_neighbouring_periods_of_a_screening_tell_nothing_about_a_day(
    database: Database, clock: MovedClock, service: RegistrationService, registrations: RegistrationFigures
) -> None:
    """One person registered on the second day: the difference of two periods would be that person."""
    await _screened(database, clock, service)
    one_day = await registrations.programmes(Period(date(2026, 6, 15), date(2026, 6, 15)))
    two_days = await registrations.programmes(Period(date(2026, 6, 15), date(2026, 6, 16)))
    assert one_day == two_days
    assert await registrations.programmes(Period(date(2026, 5, 1), date(2026, 5, 31))) == []


async def test_work_study_is_counted_by_period_county_status_and_day(
    database: Database, clock: MovedClock, service: RegistrationService, registrations: RegistrationFigures
) -> None:
    stage = await stage_work_study(ProgrammeService(database, clock), {"松桃": 5})
    for serial, county in enumerate((SONGTAO, SONGTAO, BIJIANG)):
        made = application(serial, stage.programme, county=county, post_id=stage.posts[0].id)
        receipt_of(await service.submit(made))
        clock.move(timedelta(days=1))
    first_two = Period(date(2026, 6, 15), date(2026, 6, 16))
    [found] = await registrations.programmes(first_two)
    assert (found.total, found.is_whole, dict(found.by_county)) == (2, False, {SONGTAO: 2})
    closer = await registrations.programme("work-study", JUNE)
    assert [(one.county, one.total, sum(one.by_status.values())) for one in closer.counties] == [
        (SONGTAO, 2, 2),
        (BIJIANG, 1, 1),
    ]
    assert {day: count for day, count in closer.by_day if count} == {
        date(2026, 6, 15): 1,
        date(2026, 6, 16): 1,
        date(2026, 6, 17): 1,
    }
    own = await registrations.programme("work-study", JUNE, county=BIJIANG)
    assert (own.registered.total, [one.county for one in own.counties]) == (1, [BIJIANG])


async def test_a_programme_that_is_none_is_named(registrations: RegistrationFigures) -> None:
    with pytest.raises(UnknownProgramme):
        await registrations.programme("nothing", JUNE)

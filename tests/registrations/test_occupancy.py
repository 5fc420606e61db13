"""How full programmes are: counted from the registrations, in as many queries for a million as for one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.programmes.models import ProgrammeKind
from bot.programmes.service import ProgrammeService
from bot.registrations.occupancy import Occupancy, Use
from bot.registrations.outcomes import Held
from bot.registrations.service import RegistrationService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import application, receipt_of, stage_screening, stage_work_study
from tests.support.many_registrations import store_many
from tests.support.statements import recorded_statements


@pytest.fixture
def occupancy(database: Database, clock: MovedClock) -> Occupancy:
    return Occupancy(database, clock)


async def test_a_screening_is_counted_by_slot_and_site(
    programmes: ProgrammeService, registrations: RegistrationService, occupancy: Occupancy, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1, 5)
    first, second = stage.slots
    one = receipt_of(await registrations.submit(application(1, stage.programme, slot_id=first.id)))
    for serial in (2, 3):
        await registrations.submit(application(serial, stage.programme, slot_id=first.id))
    await registrations.submit(application(4, stage.programme, slot_id=second.id))
    assert isinstance(await registrations.hold_place(stage.programme.id, second.id, "somebody", key="hold"), Held)

    assert await occupancy.of_slots(stage.programme.id, stage.slots) == {
        first.id: Use(1, taken=1, waiting=2),
        second.id: Use(5, taken=1, held=1),
    }
    use = await occupancy.of(stage.programme)
    assert use.total == Use(6, taken=2, held=1, waiting=2)
    assert use.by_site == {first.site_id: use.total}
    assert list(use.by_county.values()) == [use.total]
    assert (use.total.used, use.total.free, use.total.percent) == (3, 3, 50)
    assert await occupancy.totals([stage.programme]) == {stage.programme.id: use.total}

    # The place that becomes free is offered; nobody else can have it meanwhile.
    await registrations.cancel(one, "openid-1", key="away")
    assert await occupancy.of_slots(stage.programme.id, [first]) == {first.id: Use(1, offered=1, waiting=1)}
    clock.move(timedelta(minutes=11))
    assert (await occupancy.of_slots(stage.programme.id, [second]))[second.id].held == 0
    assert (await occupancy.of(stage.programme)).total.held == 0
    assert (await occupancy.totals([stage.programme]))[stage.programme.id].offered == 1


async def test_what_is_closed_has_no_capacity_but_its_people_count(
    programmes: ProgrammeService, registrations: RegistrationService, occupancy: Occupancy
) -> None:
    stage = await stage_screening(programmes, 2, 3)
    first, _ = stage.slots
    await registrations.submit(application(1, stage.programme, slot_id=first.id))
    await programmes.edit_row(replace(first, closed=True), editor="liu", note="")
    use = await occupancy.of(stage.programme)
    assert use.total == Use(3, taken=1)
    assert await occupancy.of_slots(stage.programme.id, [first]) == {first.id: Use(2, taken=1)}
    assert await occupancy.totals([stage.programme]) == {stage.programme.id: use.total}


async def test_work_study_is_counted_by_county_and_post(programmes: ProgrammeService, occupancy: Occupancy) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 2})
    use = await occupancy.of(stage.programme)
    assert use.total == Use(10)
    assert use.by_county == {"碧江区": Use(3)}
    assert [post.capacity for post in use.by_post.values()] == [2]


async def test_a_list_of_programmes_costs_four_queries_and_one_of_them_two(
    database: Database, cipher: FieldCipher, clock: MovedClock, programmes: ProgrammeService, occupancy: Occupancy
) -> None:
    await store_many(database, cipher, clock, 3_000)
    listed = await programmes.published(ProgrammeKind.WORK_STUDY)
    with recorded_statements(database) as statements:
        totals = await occupancy.totals(listed)
    assert len(statements) == 4
    assert sum(use.waiting for use in totals.values()) > 0
    with recorded_statements(database) as statements:
        use = await occupancy.of(listed[0])
    assert len(statements) == 2
    assert use.total == totals[listed[0].id]
    assert sum(part.waiting for part in use.by_county.values()) == use.total.waiting

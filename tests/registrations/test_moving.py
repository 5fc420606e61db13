"""A whole slot is moved: everybody has a place elsewhere or is told, whoever books at the same moment."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import select

from bot.programmes.errors import UnknownRow
from bot.programmes.service import ProgrammeService
from bot.registrations.models import Notice, Registration
from bot.registrations.moving import NoRoom, SlotEmptied, SlotMove, SlotMoving
from bot.registrations.places import PlaceLock, RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import Stage, application, stage_screening, submitted
from tests.registrations.test_race import LooseDatabase, NullPlaceLock


@pytest.fixture
def moving(database: Database, clock: MovedClock, audit: AuditTrail) -> SlotMoving:
    return SlotMoving(database, clock, RowPlaceLock(), trail=audit)


def _move(stage: Stage, *targets: int, cancel_rest: bool = False) -> SlotMove:
    """A move of the first slot to those with the indexes ``targets``."""
    chosen = tuple(stage.slots[index].id for index in targets)
    return SlotMove(stage.programme.id, stage.slots[0].id, chosen, "liu", cancel_rest, "医生出差", "10.0.0.1")


async def _rows(database: Database) -> list[tuple[str, int | None, bool]]:
    async with database.reading() as session:
        rows = await session.scalars(select(Registration).order_by(Registration.id))
        return [(row.status, row.slot_id, row.place_taken) for row in rows]


async def _notices(database: Database, kind: str) -> list[str]:
    async with database.reading() as session:
        rows = await session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.registration_id))
        return [str(row.fields.get("when", "")) for row in rows]


async def test_everybody_moves_with_a_place_and_is_told_when(
    database: Database,
    programmes: ProgrammeService,
    registrations: RegistrationService,
    moving: SlotMoving,
    audit: AuditTrail,
) -> None:
    stage = await stage_screening(programmes, 3, 2, 5)
    await submitted(registrations, stage, 1, 2, 3)
    await submitted(registrations, stage, 4, slot=1)
    assert await moving.move(_move(stage, 1, 2)) == SlotEmptied(moved=3, cancelled=0, waiting=0)
    _, second, third = stage.slots
    assert await _rows(database) == [
        ("approved", second.id, True),
        ("approved", third.id, True),
        ("approved", third.id, True),
        ("approved", second.id, True),
    ]
    assert await _notices(database, "slot_moved") == [
        "6月20日（周六）10:00",
        "6月20日（周六）12:00",
        "6月20日（周六）12:00",
    ]
    assert stage.slots[0].id not in {slot.slot_id for slot in await registrations.slots(stage.programme.id)}
    [event] = await audit.events(action="registrations:slot:move")
    assert (event.record.actor, event.record.reason, event.record.source) == ("liu", "3/0/0:医生出差", "10.0.0.1")
    # Once more, there is nobody left, and nothing is said twice.
    assert await moving.move(_move(stage, 1, 2)) == SlotEmptied(0, 0, 0)
    assert len(await _notices(database, "slot_moved")) == 3
    assert len(await audit.events(action="registrations:slot:move")) == 1


async def test_nobody_moves_unless_all_fit(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService, moving: SlotMoving
) -> None:
    stage = await stage_screening(programmes, 3, 2)
    await submitted(registrations, stage, 1, 2, 3)
    before = await _rows(database)
    assert await moving.move(_move(stage, 1)) == NoRoom(people=3, room=2)
    assert await _rows(database) == before
    assert await _notices(database, "slot_moved") == []


async def test_who_finds_no_room_is_cancelled_and_may_choose_again(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService, moving: SlotMoving
) -> None:
    stage = await stage_screening(programmes, 2, 1, 5)
    await submitted(registrations, stage, 1, 2)
    assert await moving.move(_move(stage, 1, cancel_rest=True)) == SlotEmptied(moved=1, cancelled=1, waiting=0)
    assert [status for status, _, _ in await _rows(database)] == ["approved", "cancelled"]
    assert len(await _notices(database, "slot_cancelled")) == 1
    await submitted(registrations, stage, 2, slot=2)


async def test_who_waits_goes_on_waiting_behind_those_who_were_there(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService, moving: SlotMoving
) -> None:
    stage = await stage_screening(programmes, 1, 1, 1)
    first, second, third = stage.slots
    await submitted(registrations, stage, 1, 2)
    await submitted(registrations, stage, 3, 4, slot=1)
    assert await moving.move(_move(stage, 1, 2)) == SlotEmptied(moved=1, cancelled=0, waiting=1)
    assert await _rows(database) == [
        ("approved", third.id, True),
        ("waitlisted", second.id, False),
        ("approved", second.id, True),
        ("waitlisted", second.id, False),
    ]
    positions = [(await registrations.find_for(f"openid-{serial}"))[0].waitlist_position for serial in (4, 2)]
    assert positions == [1, 2]
    assert first.id not in {slot_id for _, slot_id, _ in await _rows(database)}


async def _book_meanwhile(
    service: RegistrationService, moving: SlotMoving, stage: Stage, bookers: int
) -> tuple[object, ...]:
    wanted = stage.slots[1].id
    bookings = [service.submit(application(100 + n, stage.programme, slot_id=wanted)) for n in range(bookers)]
    return tuple(await asyncio.gather(moving.move(_move(stage, 1)), *bookings, return_exceptions=True))


async def test_a_slot_of_another_programme_is_refused(programmes: ProgrammeService, moving: SlotMoving) -> None:
    stage, other = await stage_screening(programmes, 1), await stage_screening(programmes, 1, id="other")
    with pytest.raises(UnknownRow):
        await moving.move(SlotMove(other.programme.id, stage.slots[0].id, (), "liu"))
    with pytest.raises(UnknownRow):
        await moving.move(SlotMove(other.programme.id, 10**6, (), "liu"))


PLACES, BOOKERS = 4, 8


async def _taken_there(database: Database, stage: Stage) -> int:
    return sum(taken and slot == stage.slots[1].id for _, slot, taken in await _rows(database))


async def test_nobody_is_booked_between_counting_and_moving(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService, moving: SlotMoving
) -> None:
    stage = await stage_screening(programmes, 3, PLACES)
    await submitted(registrations, stage, 1, 2, 3)
    moved, *booked = await _book_meanwhile(registrations, moving, stage, BOOKERS)
    assert isinstance(moved, SlotEmptied | NoRoom), moved
    assert not [outcome for outcome in booked if isinstance(outcome, BaseException)]
    assert await _taken_there(database, stage) == PLACES
    stayed = sum(taken and slot == stage.slots[0].id for _, slot, taken in await _rows(database))
    assert stayed == (0 if isinstance(moved, SlotEmptied) else 3)


async def test_without_the_guard_the_target_is_overbooked(
    database_url: str,
    database: Database,
    programmes: ProgrammeService,
    registrations: RegistrationService,
    audit: AuditTrail,
    cipher: FieldCipher,
    clock: MovedClock,
) -> None:
    stage = await stage_screening(programmes, 3, PLACES)
    await submitted(registrations, stage, 1, 2, 3)
    unguarded: PlaceLock = NullPlaceLock(BOOKERS + 1)
    async with AsyncExitStack() as stack:
        loose = database
        if database.is_sqlite:
            loose = LooseDatabase(database_url)
            stack.push_async_callback(loose.close)
        service = RegistrationService(loose, cipher, clock, unguarded)
        await _book_meanwhile(service, SlotMoving(loose, clock, unguarded, trail=audit), stage, BOOKERS)
    assert await _taken_there(database, stage) > PLACES

"""The audit trail shows whatever is done to it behind the key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff import append_only, audit
from bot.staff.audit import AuditTrail, ChainBroken, ChainIntact
from bot.staff.models import AuditEvent, AuditHead, AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock

RECORD = AuditRecord(
    "li", "registrations:application:unmask", "registration", "QG26-0615-0001", "电话核实", "10.0.0.8"
)


TRIGGERS = {
    "sqlite": ("DROP TRIGGER audit_events_no_update", "DROP TRIGGER audit_events_no_delete"),
    "postgresql": ("ALTER TABLE audit_events DISABLE TRIGGER USER",),
}
RESTORED = {"sqlite": append_only.SQLITE, "postgresql": ("ALTER TABLE audit_events ENABLE TRIGGER USER",)}


@pytest.fixture
async def unguarded(database: Database) -> AsyncIterator[Database]:
    """The database of somebody who owns it, and has lifted what keeps the rows as they are."""
    dialect = database.engine.dialect.name
    await _execute(database, TRIGGERS[dialect])
    yield database
    # The tables of PostgreSQL outlive the test.
    await _execute(database, RESTORED[dialect])


async def _execute(database: Database, statements: Sequence[str]) -> None:
    async with database.connection() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def _fill(trail: AuditTrail, rows: int) -> None:
    for number in range(rows):
        await trail.record(AuditRecord("li", "test:row:write", "row", str(number)))


async def test_a_record_comes_back_as_it_was_written(trail: AuditTrail, clock: MovedClock) -> None:
    await trail.record(RECORD)
    (event,) = await trail.events()
    assert (event.record, event.at, event.position) == (RECORD, clock.now(), 1)


async def test_an_empty_and_an_untouched_trail_are_intact(trail: AuditTrail) -> None:
    assert await trail.verify() == ChainIntact(0)
    await _fill(trail, 5)
    assert await trail.verify() == ChainIntact(5)


async def test_a_long_trail_is_followed_in_batches(trail: AuditTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "VERIFY_BATCH", 3)
    await _fill(trail, 7)
    assert await trail.verify() == ChainIntact(7)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET reason = '' WHERE position = 2",
        "DELETE FROM audit_events WHERE position = 2",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
    ],
)
async def test_the_database_itself_keeps_the_rows(trail: AuditTrail, database: Database, statement: str) -> None:
    await _fill(trail, 3)
    refused = "syntax error" if database.is_sqlite and statement.startswith("TRUNCATE") else "append-only"
    with pytest.raises(DBAPIError, match=refused):
        await _execute(database, [statement])
    assert await trail.verify() == ChainIntact(3)


async def _change(session: AsyncSession) -> None:
    await session.execute(update(AuditEvent).where(AuditEvent.position == 3).values(actor="somebody-else"))


async def _remove(session: AsyncSession) -> None:
    await session.execute(delete(AuditEvent).where(AuditEvent.position == 3))


async def _swap(session: AsyncSession) -> None:
    third, fourth = list(
        await session.scalars(select(AuditEvent).where(AuditEvent.position.in_([3, 4])).order_by(AuditEvent.position))
    )
    third.object_id, fourth.object_id = fourth.object_id, third.object_id
    third.chain_hash, fourth.chain_hash = fourth.chain_hash, third.chain_hash


async def _shift_time(session: AsyncSession) -> None:
    third = (await session.scalars(select(AuditEvent).where(AuditEvent.position == 3))).one()
    third.at = third.at.replace(year=2020)


@pytest.mark.parametrize("tamper", [_change, _remove, _swap, _shift_time])
async def test_tampering_in_the_middle_shows(
    trail: AuditTrail, unguarded: Database, tamper: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    await _fill(trail, 5)
    async with unguarded.transaction() as session:
        await tamper(session)
    assert await trail.verify() == ChainBroken(3)


async def test_cutting_off_the_newest_rows_shows(trail: AuditTrail, unguarded: Database) -> None:
    await _fill(trail, 5)
    async with unguarded.transaction() as session:
        await session.execute(delete(AuditEvent).where(AuditEvent.position > 3))
    assert await trail.verify() == ChainBroken(4)


async def test_a_row_slipped_in_at_the_end_shows(trail: AuditTrail, database: Database, clock: MovedClock) -> None:
    await _fill(trail, 2)
    forged = {
        "position": 3,
        "at": clock.now(),
        "actor": "li",
        "action": "x",
        "object_kind": "x",
        "object_id": "x",
        "reason": "",
        "source": "",
        "previous_hash": "0" * 64,
        "chain_hash": "0" * 64,
    }
    async with database.transaction() as session:
        await session.execute(insert(AuditEvent).values(**forged))
    assert await trail.verify() == ChainBroken(3)


async def test_who_lacks_the_key_cannot_mend_the_chain(
    trail: AuditTrail, unguarded: Database, clock: MovedClock
) -> None:
    await _fill(trail, 3)
    other_key = FieldCipher({"k1": bytes(32)}, current="k1", hash_key=bytes(32))
    forger = AuditTrail(unguarded, other_key, clock)
    async with unguarded.transaction() as session:
        await session.execute(delete(AuditEvent))
        await session.execute(delete(AuditHead))
    await _fill(forger, 3)
    assert await forger.verify() == ChainIntact(3)
    assert await trail.verify() == ChainBroken(1)


async def test_writers_at_once_make_one_chain(trail: AuditTrail) -> None:
    await asyncio.gather(*(trail.record(RECORD) for _ in range(12)))
    assert await trail.verify() == ChainIntact(12)


async def _next_place(database: Database, looked: asyncio.Barrier) -> int:
    """Where a row would go if the head were read without a lock."""
    async with database.reading() as session:
        position = await session.scalar(select(AuditHead.position)) or 0
    await looked.wait()
    return position + 1


async def test_the_control_without_the_lock_gives_one_place_twice(trail: AuditTrail, database: Database) -> None:
    await _fill(trail, 1)
    looked = asyncio.Barrier(2)
    places = await asyncio.gather(_next_place(database, looked), _next_place(database, looked))
    assert list(places) == [2, 2]


async def test_the_row_stands_or_falls_with_what_was_done(trail: AuditTrail, database: Database) -> None:
    async def unmask_and_fail() -> None:
        async with database.transaction() as session:
            await trail.append(session, RECORD)
            raise RuntimeError("the unmasking failed")

    with pytest.raises(RuntimeError):
        await unmask_and_fail()
    assert await trail.events() == []
    assert await trail.verify() == ChainIntact(0)


async def test_events_are_found_by_who_what_and_which(trail: AuditTrail) -> None:
    await _fill(trail, 4)
    await trail.record(RECORD)
    assert [event.position for event in await trail.events(limit=2)] == [5, 4]
    assert [event.position for event in await trail.events(limit=2, before=4)] == [3, 2]
    assert [event.record for event in await trail.events(object_kind="registration")] == [RECORD]
    assert [event.record for event in await trail.events(object_kind="row", object_id="2")] == [
        AuditRecord("li", "test:row:write", "row", "2")
    ]
    assert await trail.events(actor="nobody") == []

"""The promises of ``Database`` on SQLite and PostgreSQL, and the faults they prevent."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import ForeignKey, MetaData, String, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bot.storage.sql import FRUGAL, ROOMY, Base, Database, SqliteMemory
from bot.values.clock import LOCAL_ZONE


class OwnBase(DeclarativeBase):
    """Tables of these tests, beside the metadata of the code."""

    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    type_annotation_map = Base.type_annotation_map


class Counter(OwnBase):
    __tablename__ = "test_counters"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int]


class Moment(OwnBase):
    __tablename__ = "test_moments"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime | None]
    counter_id: Mapped[int | None] = mapped_column(ForeignKey("test_counters.id"))


@pytest.fixture
async def counted(database: Database) -> AsyncIterator[Database]:
    """A database with one counter that stands at 0."""
    async with database.connection() as connection:
        await connection.run_sync(OwnBase.metadata.create_all)
    async with database.transaction() as session:
        session.add(Counter(id=1, value=0))
    yield database
    async with database.connection() as connection:
        await connection.run_sync(OwnBase.metadata.drop_all)


async def value_of(database: Database) -> int:
    async with database.reading() as session:
        return (await session.execute(select(Counter.value))).scalar_one()


class Adder:
    """Adds one to the counter: reads it, waits for ``go``, writes what it has read plus one."""

    def __init__(self, *, locking: bool) -> None:
        self.has_read = asyncio.Event()
        self.go = asyncio.Event()
        self._locking = locking

    async def add(self, session: AsyncSession) -> None:
        query = select(Counter.value).where(Counter.id == 1)
        value = (await session.execute(query.with_for_update() if self._locking else query)).scalar_one()
        self.has_read.set()
        await self.go.wait()
        await session.execute(update(Counter).values(value=value + 1))

    async def guarded(self, database: Database) -> None:
        async with database.transaction() as session:
            await self.add(session)

    async def unguarded(self, database: Database) -> None:
        """Read without taking the write lock first, as a plain session does."""
        async with database.reading() as session:
            await self.add(session)
            await session.commit()


async def test_what_a_transaction_has_read_cannot_change_before_it_writes(counted: Database) -> None:
    first, second = Adder(locking=True), Adder(locking=True)
    first_task = asyncio.create_task(first.guarded(counted))
    await first.has_read.wait()
    second_task = asyncio.create_task(second.guarded(counted))
    # The second one gets a fair chance to read the old value.
    with suppress(TimeoutError):
        await asyncio.wait_for(second.has_read.wait(), 0.2)
    assert not second.has_read.is_set()
    first.go.set()
    second.go.set()
    await asyncio.gather(first_task, second_task)
    assert await value_of(counted) == 2


async def test_control_without_the_lock_an_addition_is_lost_or_fails(counted: Database) -> None:
    first, second = Adder(locking=False), Adder(locking=False)
    first_task = asyncio.create_task(first.unguarded(counted))
    await first.has_read.wait()
    second_task = asyncio.create_task(second.unguarded(counted))
    await second.has_read.wait()
    first.go.set()
    await first_task
    second.go.set()
    if counted.is_sqlite:
        with pytest.raises(OperationalError, match="locked"):
            await second_task
    else:
        await second_task
    assert await value_of(counted) == 1


async def test_many_writers_of_two_processes_lose_nothing(counted: Database, database_url: str) -> None:
    other = Database(database_url)
    adders = [Adder(locking=True) for _ in range(40)]
    for adder in adders:
        adder.go.set()
    await asyncio.gather(*(adder.guarded(counted if number % 2 else other) for number, adder in enumerate(adders)))
    await other.close()
    assert await value_of(counted) == 40


async def test_readers_do_not_wait_for_a_writer(counted: Database) -> None:
    async with counted.transaction() as session:
        await session.execute(update(Counter).values(value=7))
        assert await asyncio.wait_for(value_of(counted), 5) == 0
    assert await value_of(counted) == 7


async def test_a_new_file_that_another_process_writes_to_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("CREATE TABLE kept (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    # The control: SQLite itself does not wait, however long it may.
    with closing(sqlite3.connect(file, timeout=60)) as plain, pytest.raises(sqlite3.OperationalError, match="locked"):
        plain.execute("PRAGMA journal_mode=WAL")
    database = Database(f"sqlite+aiosqlite:///{file}")

    async def names() -> list[str]:
        async with database.connection() as connection:
            return list(await connection.scalars(text("SELECT name FROM sqlite_master")))

    opening = asyncio.create_task(names())
    done, _ = await asyncio.wait({opening}, timeout=0.2)
    assert not done
    other.execute("COMMIT")
    assert await opening == ["kept"]
    other.close()
    await database.close()


async def test_an_exception_rolls_everything_back(counted: Database) -> None:
    async def write_and_fail() -> None:
        async with counted.transaction() as session:
            await session.execute(update(Counter).values(value=7))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await write_and_fail()
    assert await value_of(counted) == 0


async def test_what_is_written_while_reading_is_not_kept(counted: Database) -> None:
    async with counted.reading() as session:
        await session.execute(update(Counter).values(value=7))
    assert await value_of(counted) == 0


async def test_references_are_guarded(counted: Database) -> None:
    with pytest.raises(IntegrityError):
        async with counted.transaction() as session:
            session.add(Moment(name="of nobody", counter_id=99))


async def test_moments_come_back_the_same_in_local_time(counted: Database) -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    moments = {
        "utc": datetime(2026, 6, 15, 2, 0, 0, 123456, tzinfo=UTC),
        "local": datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE),
        "elsewhere": datetime(2026, 6, 15, 7, 45, 1, tzinfo=kathmandu),
        # Shanghai had summer time once; identity numbers reach back that far.
        "long ago": datetime(1988, 7, 1, 0, 30, tzinfo=LOCAL_ZONE),
    }
    async with counted.transaction() as session:
        session.add_all([Moment(name=name, at=at) for name, at in moments.items()])
        session.add(Moment(name="none", at=None))
    async with counted.reading() as session:
        rows = await session.execute(select(Moment.name, Moment.at))
        found = {name: at for name, at in rows}  # noqa: C416  # dict() does not know what a row holds.
        early = select(Moment.name).where(Moment.at <= datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE))
        ordered = (await session.execute(early.order_by(Moment.at))).scalars().all()
    assert found == {**moments, "none": None}
    assert {at.tzinfo for at in found.values() if at is not None} == {LOCAL_ZONE}
    assert ordered == ["long ago", "local"]


async def test_a_moment_without_a_zone_is_refused(counted: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        async with counted.transaction() as session:
            session.add(Moment(name="naive", at=datetime(2026, 6, 15, 10, 0)))  # noqa: DTZ001


async def test_an_error_does_not_repeat_the_values(counted: Database) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with counted.transaction() as session:
            await session.execute(text("INSERT INTO nowhere (phone) VALUES (:phone)"), {"phone": "13985600000"})
    assert "1398560" not in str(failed.value)


async def test_bulk_statements_share_a_transaction(counted: Database) -> None:
    async def insert_twice() -> None:
        async with counted.connection() as connection:
            await connection.execute(insert(Counter), [{"id": 2, "value": 0}, {"id": 3, "value": 0}])
            await connection.execute(insert(Counter), [{"id": 3, "value": 0}])

    with pytest.raises(IntegrityError):
        await insert_twice()
    async with counted.reading() as session:
        assert (await session.execute(select(Counter.id))).scalars().all() == [1]


@pytest.mark.parametrize("memory", [ROOMY, FRUGAL, SqliteMemory(4096 * 100, 4096 * 10)])
async def test_a_process_chooses_how_much_of_a_file_it_keeps_in_memory(sqlite_url: str, memory: SqliteMemory) -> None:
    database = Database(sqlite_url, memory=memory)
    async with database.reading() as session:
        assert await session.scalar(text("PRAGMA mmap_size")) == memory.mapped_bytes
        assert await session.scalar(text("PRAGMA cache_size")) == -memory.cached_bytes // 1024
    await database.close()


# --- Units of several transactions ---------------------------------------------------------------------------------


class OutOfPaper(Exception):
    """What goes wrong in the middle."""


async def _fail() -> None:
    raise OutOfPaper


async def _nothing(session: AsyncSession) -> None:
    del session


async def _set(database: Database, value: int, *, at_once: bool = False) -> None:
    async with database.transaction(at_once=at_once) as session:
        await session.execute(update(Counter).values(value=value))


async def test_a_unit_is_kept_as_a_whole_and_seen_by_its_own_task_before(counted: Database) -> None:
    async with counted.unit(_nothing) as unit:
        assert await value_of(counted) == 0
        written = [unit.has_written]
        await _set(counted, 1)
        written.append(unit.has_written)
        assert written == [False, True]
        assert await value_of(counted) == 1
        assert await asyncio.create_task(value_of(counted)) == 0, "another task sees it when it is committed"
        await _set(counted, 2)
    assert await value_of(counted) == 2


async def test_without_a_unit_the_first_of_two_transactions_is_kept_when_the_second_fails(counted: Database) -> None:
    """The control of the test below."""
    with suppress(OutOfPaper):
        await _set(counted, 1)
        await _fail()
    assert await value_of(counted) == 1


async def test_a_unit_that_fails_keeps_nothing(counted: Database) -> None:
    with suppress(OutOfPaper):
        async with counted.unit(_nothing):
            await _set(counted, 1)
            await _fail()
    assert await value_of(counted) == 0
    await _set(counted, 3)
    assert await value_of(counted) == 3


async def test_a_transaction_that_fails_within_a_unit_is_undone_alone(counted: Database) -> None:
    async with counted.unit(_nothing):
        await _set(counted, 1)
        with suppress(IntegrityError):
            async with counted.transaction() as session:
                await session.execute(update(Counter).values(value=2))
                session.add(Counter(id=1, value=3))
        assert await value_of(counted) == 1
        async with counted.reading() as session:
            await session.execute(update(Counter).values(value=4))
        assert await value_of(counted) == 1, "what a reading session writes is not kept"
    assert await value_of(counted) == 1


async def test_what_is_wanted_at_once_outlives_a_unit_that_fails(counted: Database) -> None:
    with suppress(OutOfPaper):
        async with counted.unit(_nothing):
            await _set(counted, 1, at_once=True)
            await _set(counted, 2)
            await _set(counted, 3, at_once=True)
            await _fail()
    assert await value_of(counted) == 1


async def test_the_look_comes_before_everything_and_once(counted: Database) -> None:
    looks: list[int] = []

    async def look(session: AsyncSession) -> None:
        looks.append((await session.execute(select(Counter.value))).scalar_one())

    async with counted.unit(look):
        assert looks == []
        await value_of(counted)
        await _set(counted, 1)
    assert looks == [0]
    async with counted.unit(look):
        await _set(counted, 2)
        await value_of(counted)
    assert looks == [0, 1]


async def test_a_task_has_one_unit_at_a_time(counted: Database) -> None:
    async with counted.unit(_nothing):
        with pytest.raises(RuntimeError):
            async with counted.unit(_nothing):
                pass
    async with counted.unit(_nothing):
        await _set(counted, 1)
    assert await value_of(counted) == 1

"""The SQL engine: one ``Database`` a process, SQLite (WAL) or PostgreSQL behind the same calls."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import DateTime, MetaData, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util import await_only

from bot.values.clock import LOCAL_ZONE

BUSY_TIMEOUT_S = 15
"""How long a SQLite writer waits for another one before it gives up."""
_BUSY_STEP_S = 0.01
_PRIMARY_CODE = 0xFF
"""The bits of SQLite's code of an error that do not say what kind of it: a file being recovered is busy too."""
SQLITE_WRITES = {"sqlite_begin": "IMMEDIATE"}
"""The execution options of a transaction that will write."""


@dataclass(frozen=True, slots=True)
class SqliteMemory:
    """What reading a SQLite file may take; it counts as memory of the process.

    ``mapped_bytes`` of the file are read in place, through the system's own cache: lists over a long table need no
    copies then. ``cached_bytes`` are pages that each connection keeps for itself.
    """

    mapped_bytes: int = 1024**3
    cached_bytes: int = 2000 * 1024


ROOMY = SqliteMemory()
FRUGAL = SqliteMemory(mapped_bytes=0, cached_bytes=256 * 1024)
"""For a process that walks tables in their order: what it has read it does not need again."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment: stored in UTC, read back in Tongren's zone, on every database alike."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return value.astimezone(LOCAL_ZONE)


class Base(DeclarativeBase):
    """The declarative base of every subject's ``models.py``."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime}


Look = Callable[[AsyncSession], Awaitable[None]]
"""Looks at the records before anything else does."""


class Unit:
    """What one task does with a database, from its first write on kept as a whole or not at all.

    Reads before that see what everybody sees; from then on all of the task's sessions share one connection.
    """

    def __init__(self, database: "Database", look: Look, stack: AsyncExitStack) -> None:
        self._database = database
        self._look = look
        self._looked = False
        self._stack = stack
        self._connection: AsyncConnection | None = None

    @property
    def has_written(self) -> bool:
        """Whether a transaction was begun in it."""
        return self._connection is not None

    async def first_look(self, session: AsyncSession) -> None:
        """Let the owner look at the records, once, before what ``session`` is wanted for."""
        if not self._looked:
            self._looked = True
            await self._look(session)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session over the unit's own connection; what it does not commit is rolled back."""
        if self._connection is None:
            self._connection = await self._stack.enter_async_context(self._database.writing_connection())
        within = AsyncSession(self._connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        async with within as session:
            await self.first_look(session)
            yield session


class Database:
    """Sessions over one engine.

    ``url`` is an SQLAlchemy URL: ``sqlite+aiosqlite:///…`` or ``postgresql+asyncpg://…``. The values of a statement
    stay out of the errors it raises; what PostgreSQL itself says of a broken constraint may still quote them.
    ``memory`` matters to SQLite alone.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        pool_timeout_s: float = 30.0,
        memory: SqliteMemory = ROOMY,
    ) -> None:
        self.engine = _create_engine(url, pool_size, pool_timeout_s, memory)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        # SQLite's own waiting is a poll without an order, in which a writer can starve until it gives up. The writers
        # of one process queue here instead, first come first served; only other processes are waited for by polling.
        self._writing = asyncio.Lock() if self.is_sqlite else nullcontext()
        self._units: dict[asyncio.Task[object], Unit] = {}

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def unit(self, look: Look) -> AsyncIterator[Unit]:
        """Make everything that this task writes inside the block one transaction, committed at its end.

        ``look`` is called when the records are first touched; what it raises reaches whoever touched them. Tasks that
        are begun inside the block are not part of it. Raises RuntimeError where the task is in a unit already.
        """
        task = asyncio.current_task()
        if task is None or task in self._units:
            raise RuntimeError("a unit is of one task, and a task has one unit")
        async with AsyncExitStack() as stack:
            self._units[task] = unit = Unit(self, look, stack)
            try:
                yield unit
            finally:
                del self._units[task]

    def _unit(self) -> Unit | None:
        return self._units.get(task) if self._units and (task := asyncio.current_task()) is not None else None

    @asynccontextmanager
    async def transaction(self, *, at_once: bool = False) -> AsyncIterator[AsyncSession]:
        """One unit of work, committed at the end of the block and rolled back on any exception.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that what a transaction has read cannot
        change before it writes. On PostgreSQL lock the rows that decide with ``with_for_update()``. Inside ``unit``
        it is a part of that, unless it is wanted ``at_once`` and comes before everything else that is written.
        """
        unit = self._unit()
        if unit is not None and (unit.has_written or not at_once):
            async with unit.session() as session:
                yield session
                await session.commit()
            return
        async with self._writing, self._sessions() as session, session.begin():
            if self.is_sqlite:
                await session.connection(execution_options=SQLITE_WRITES)
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for reads only; nothing written in it is kept. Inside ``unit`` it sees what that has written."""
        unit = self._unit()
        if unit is not None and unit.has_written:
            async with unit.session() as session:
                yield session
            return
        async with self._sessions() as session:
            if unit is not None:
                await unit.first_look(session)
            yield session

    @asynccontextmanager
    async def writing_connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that may write from its beginning, as ``transaction`` has."""
        async with self._writing, self.engine.connect() as connection:
            if self.is_sqlite:
                await connection.execution_options(**SQLITE_WRITES)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare connection in a transaction, for bulk statements and schema work."""
        async with self.engine.begin() as connection:
            yield connection

    async def create_tables(self) -> None:
        """Create every table that the imported models declare. Tests use it; production migrates instead."""
        async with self.connection() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def close(self) -> None:
        await self.engine.dispose()


def _create_engine(url: str, pool_size: int, pool_timeout_s: float, memory: SqliteMemory) -> AsyncEngine:
    if url.startswith("sqlite"):
        engine = create_async_engine(
            url,
            connect_args={"timeout": BUSY_TIMEOUT_S, "autocommit": sqlite3.LEGACY_TRANSACTION_CONTROL}
            if hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL")
            else {"timeout": BUSY_TIMEOUT_S},
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, memory=memory))
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=pool_timeout_s,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _prepare_sqlite(connection: Any, _record: object, *, memory: SqliteMemory) -> None:
    # The driver's own transaction handling is switched off, so that BEGIN IMMEDIATE can be sent by us.
    connection.isolation_level = None
    cursor = connection.cursor()
    # A negative size is in KiB, a positive one in pages.
    sizes = f"mmap_size={memory.mapped_bytes}", f"cache_size=-{memory.cached_bytes // 1024}"
    _write_ahead(cursor)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", *sizes):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Let the file have a write-ahead log, which it keeps from then on.

    A file that somebody else writes to is refused at once: SQLite does not wait where waiting might never end
    (https://www.sqlite.org/c3ref/busy_handler.html), and processes that start together on a new file all want it.
    """
    until_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() >= until_s:
                raise
            await_only(asyncio.sleep(_BUSY_STEP_S))
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")

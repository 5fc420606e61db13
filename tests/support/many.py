"""Very many rows, stored quickly on either database.

Their values go to the driver as they are stored, past SQLAlchemy, and indexes are made when the rows are there.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from itertools import islice
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.sql import Base, Database

CHUNK_ROWS = 5_000
CACHE_KIB = 400_000
Row = Mapping[str, Any]
INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table",
}


async def store_few(database: Database, table: type[Base], rows: Iterator[Row]) -> None:
    """Store rows whose values only SQLAlchemy can write."""
    async with database.connection() as connection:
        await connection.execute(insert(table), list(rows))


async def store_rows(database: Database, table: type[Base], rows: Iterator[Row]) -> None:
    """Store ``rows``, all of them with the same columns."""
    store = _insert if database.is_sqlite else _copy
    async with database.connection() as connection, _without_indexes(connection, table.__tablename__):
        while chunk := list(islice(rows, CHUNK_ROWS)):
            await store(connection, table.__tablename__, chunk)


async def settle(database: Database) -> None:
    """Let PostgreSQL count what it holds, as it does by itself in the course of days. SQLite never does."""
    if database.is_sqlite:
        return
    async with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


@asynccontextmanager
async def _without_indexes(connection: AsyncConnection, table: str) -> AsyncIterator[None]:
    if connection.dialect.name == "sqlite":
        await connection.execute(text(f"PRAGMA cache_size = -{CACHE_KIB}"))
    found = await connection.execute(text(INDEXES[connection.dialect.name]), {"table": table})
    plain = {name: made for name, made in found if " UNIQUE " not in made}
    for name in plain:
        await connection.execute(text(f"DROP INDEX {name}"))
    yield
    for made in plain.values():
        await connection.exec_driver_sql(made)


async def _insert(connection: AsyncConnection, table: str, rows: list[Row]) -> None:
    names = list(rows[0])
    columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" for _ in names)
    values = [tuple(_written(row[name]) for name in names) for row in rows]
    await connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({places})", values)  # noqa: S608 - Names of our own columns.


async def _copy(connection: AsyncConnection, table: str, rows: list[Row]) -> None:
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None
    # What is not on the disk yet does not count as visible to all, and then no index answers by itself.
    await driver.execute("SET synchronous_commit = on")
    names = list(rows[0])
    records = [tuple(_copied(row[name]) for name in names) for row in rows]
    await driver.copy_records_to_table(table, records=records, columns=names)


def _copied(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _written(value: Any) -> Any:
    """Return a value as SQLAlchemy stores it in SQLite."""
    write = WRITTEN.get(type(value))
    return value if write is None else write(value)


WRITTEN: Mapping[type, Callable[[Any], Any]] = {
    datetime: lambda moment: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}",
    time: lambda hour: f"{hour:%H:%M:%S.%f}",
    list: json.dumps,
    dict: json.dumps,
}

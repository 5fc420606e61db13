"""Fixtures for every test: a private Redis, SQLite and PostgreSQL with all tables, a clock and a cipher.

Servers start when the first test needs them, once a process, and end with it. ``BOT_TEST_DATABASE_URL`` names a
PostgreSQL to use instead (an account that may create databases).
"""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.loader import load_catalog
from bot.storage.encryption import FieldCipher
from bot.storage.redis_server import RedisServer
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.support.assistant import MONDAY, demonstration
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.postgres import running_postgres
from tests.support.redis import flush
from tests.support.tables import import_all_tables

# A shared machine is slow at times, which says nothing about the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


@pytest.fixture
def clock() -> MovedClock:
    """A clock that stands at ten on a Monday morning in Tongren."""
    return MovedClock(MONDAY)


@pytest.fixture(scope="session")
def _reading_of_flows() -> Callable[[Path], FlowCatalog]:
    return cache(load_catalog)


@pytest.fixture(autouse=True)
def _flows_are_read_once(_reading_of_flows: Callable[[Path], FlowCatalog], monkeypatch: pytest.MonkeyPatch) -> None:
    """Share the flows, which nothing changes, between the assistants of a session."""
    monkeypatch.setattr("bot.app.assistant.load_catalog", _reading_of_flows)


@pytest.fixture(scope="session")
def cipher() -> FieldCipher:
    """Field encryption with fixed keys, so that look-up hashes are the same in every run."""
    return FieldCipher({"k1": bytes(range(32))}, current="k1", hash_key=bytes(range(32, 64)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server() -> AsyncIterator[RedisServer]:
    """The private Redis server of this test process. Use ``redis_url``, which empties it."""
    # The socket's path must be short, and pytest's own temporary folders are not.
    with tempfile.TemporaryDirectory(prefix="bot-redis-") as folder:
        async with RedisServer(Path(folder)) as server:
            yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of a Redis that is empty at the start of the test: ``unix:///…``."""
    flush(redis_server.socket)
    return redis_server.url


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Makes SQLite databases with all tables."""
    import_all_tables()
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Makes PostgreSQL databases, on the server that is given or on one of our own."""
    import_all_tables()
    given = os.environ.get("BOT_TEST_DATABASE_URL")
    if given:
        databases = PostgresDatabases(given)
        yield databases
        databases.drop_all()
        databases.close()
        return
    with running_postgres() as server_url:
        databases = PostgresDatabases(server_url)
        yield databases
        databases.close()


@pytest.fixture
def sqlite_url(sqlite_databases: SqliteDatabases, tmp_path: Path) -> str:
    """The URL of a fresh SQLite database with all tables."""
    return sqlite_databases.copy_to(tmp_path / "records.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with all tables and no rows; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    databases.empty()
    return databases.url


@pytest.fixture
def seeded_sqlite_url(sqlite_databases: SqliteDatabases, tmp_path: Path) -> str:
    """The URL of a fresh SQLite database with the demonstration's rows, as of the day of ``clock``."""
    return sqlite_databases.filled_copy_to(tmp_path / "records.db", demonstration)


@pytest.fixture(params=["sqlite", "postgresql"])
def seeded_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with the demonstration's rows; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("seeded_sqlite_url")
        return url
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    databases.refill(demonstration)
    return databases.url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database; the test runs on SQLite and on PostgreSQL."""
    # Races queue for connections, and a busy machine is slow to serve them.
    opened = Database(database_url, pool_timeout_s=110.0)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """An empty SQLite database, for tests whose subject is not the database."""
    opened = Database(sqlite_url)
    yield opened
    await opened.close()

"""The whole assistant for conversation tests: one a test process, as new before every case."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.loader import load_catalog
from bot.settings import Settings
from bot.storage.redis_server import RedisServer
from bot.values.clock import MovedClock
from tests.conversations.chats import AssistantChat
from tests.support.assistant import MONDAY, Assistant, demonstration, running_assistant, settings_for
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.nlu import is_ready, running_nlu
from tests.support.redis import flush

FLOWS = Path("flows")
PATIENCE_S = 30.0
"""How long everybody waits for an answer here: a busy machine says nothing about what is answered."""


@dataclass(frozen=True, slots=True)
class Town:
    """An assistant over SQLite that forgets everything before each case. ``pristine`` is its database as seeded."""

    assistant: Assistant
    clock: MovedClock
    live: Path
    pristine: Path
    redis_socket: Path

    def fresh_chat(self) -> AssistantChat:
        """Return a new follower's chat in a town where nothing has happened yet."""
        flush(self.redis_socket)
        self.clock.set(MONDAY)
        self.assistant.platform.reset()
        _copy(self.pristine, self.live)
        return AssistantChat(self.assistant, self.clock)


@pytest.fixture(scope="session")
def nlu_url() -> Iterator[str]:
    """The address of the real NLU with the current model."""
    if not is_ready():
        pytest.skip("no trained NLU model: `make nlu` prepares it")
    with running_nlu() as url:
        yield url


@pytest.fixture(scope="session")
def catalog() -> FlowCatalog:
    """The flows of the product."""
    return load_catalog(FLOWS)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(
    nlu_url: str,
    redis_server: RedisServer,
    sqlite_databases: SqliteDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Town]:
    """The assistant that the cases of this process share."""
    folder = tmp_path_factory.mktemp("town")
    live, pristine = folder / "records.db", folder / "pristine.db"
    flush(redis_server.socket)
    settings = _patient(
        settings_for(
            database_url=sqlite_databases.filled_copy_to(live, demonstration),
            redis_url=redis_server.url,
            data_dir=folder,
            nlu_url=nlu_url,
        )
    )
    clock = MovedClock(MONDAY)
    async with running_assistant(settings, clock, deadline_s=PATIENCE_S) as assistant:
        _copy(live, pristine)
        yield Town(assistant, clock, live, pristine, redis_server.socket)


@pytest.fixture
def chat(town: Town) -> AssistantChat:
    """A new follower's chat with the assistant over SQLite."""
    return town.fresh_chat()


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases) -> str:
    """The address of a PostgreSQL database that holds the demonstration."""
    postgres_databases.refill(demonstration)
    return postgres_databases.url


@pytest_asyncio.fixture(loop_scope="session")
async def postgres_chat(
    nlu_url: str, redis_url: str, postgres_url: str, tmp_path: Path
) -> AsyncIterator[AssistantChat]:
    """A new follower's chat with an assistant over PostgreSQL, which is started for it."""
    settings = _patient(
        settings_for(database_url=postgres_url, redis_url=redis_url, data_dir=tmp_path, nlu_url=nlu_url)
    )
    clock = MovedClock(MONDAY)
    async with running_assistant(settings, clock, deadline_s=PATIENCE_S) as assistant:
        yield AssistantChat(assistant, clock)


def _patient(settings: Settings) -> Settings:
    return replace(settings, nlu_timeout_s=PATIENCE_S / 3, turn_deadline_s=PATIENCE_S - 5)


def _copy(source: Path, target: Path) -> None:
    """Make ``target`` hold what ``source`` holds, under the connections that are open to it."""
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(target)) as after:
        before.backup(after)

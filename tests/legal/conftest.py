"""The legal services over each database, with the seeded table of time limits."""

import pytest

from bot.legal.deadline_table import DeadlineTable, read_seed
from bot.legal.queue import LegalQueue
from bot.legal.service import LegalService
from bot.legal.topics import TopicCatalogue
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture(scope="session")
def topics() -> TopicCatalogue:
    return TopicCatalogue.load()


@pytest.fixture
async def deadline_table(database: Database) -> DeadlineTable:
    table = DeadlineTable(database)
    await table.seed(read_seed())
    return table


@pytest.fixture
def legal(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    topics: TopicCatalogue,
    deadline_table: DeadlineTable,
) -> LegalService:
    return LegalService(database, cipher, clock, topics=topics, deadline_table=deadline_table)


@pytest.fixture
def queue(database: Database, cipher: FieldCipher, clock: MovedClock) -> LegalQueue:
    return LegalQueue(database, cipher, clock)

"""Knowledge over each database, seeded."""

import pytest

from bot.knowledge.entries import EntryTable
from bot.knowledge.models import Entry
from bot.knowledge.retrieval import NgramRetriever
from bot.knowledge.seed import read_seed
from bot.knowledge.service import KnowledgeService
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture(scope="session")
def seed() -> list[Entry]:
    return read_seed()


@pytest.fixture
async def entry_table(database: Database, clock: MovedClock, seed: list[Entry]) -> EntryTable:
    table = EntryTable(database, clock)
    await table.seed(seed)
    return table


@pytest.fixture
def knowledge(entry_table: EntryTable, clock: MovedClock) -> KnowledgeService:
    return KnowledgeService(entry_table, clock, retriever=NgramRetriever())

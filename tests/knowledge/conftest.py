"""Knowledge over each database, seeded, and the sentence encoder where there is one."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import pytest_asyncio

from bot.knowledge.entries import EntryTable
from bot.knowledge.evaluation import Asked, questions_of, read_questions
from bot.knowledge.models import Entry
from bot.knowledge.retrieval import HybridRetriever
from bot.knowledge.scores import Scores
from bot.knowledge.seed import read_seed
from bot.knowledge.service import KnowledgeService
from bot.storage.sql import Database
from bot.understanding.client import NluClient
from bot.understanding.embedding import Embedded, HttpEmbedding
from bot.values.clock import MovedClock, SystemClock
from tests.support.nlu import is_ready, running_nlu

HERE = Path(__file__).parent


class SeededRetriever:
    """An index of the seed that is worked out once for all tests; changed questions are found word for word only."""

    def __init__(self, whole: HybridRetriever) -> None:
        self._whole = whole
        self._added: dict[str, str] = {}

    @property
    def is_complete(self) -> bool:
        return True

    async def rebuild(self, questions: Mapping[str, Sequence[str]]) -> None:
        self._added = {text: code for code, said in questions.items() for text in said}

    async def scores(self, text: str) -> Scores:
        found = await self._whole.scores(text)
        exact = {self._added[text]: 1.0} if text in self._added else {}
        return Scores({**found.by_code, **exact}, with_meaning=found.with_meaning)


@pytest.fixture(scope="session")
def seed() -> list[Entry]:
    return read_seed()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def by_words(seed: list[Entry]) -> HybridRetriever:
    """The seed's entries, found by written form and sound alone."""
    retriever = HybridRetriever()
    await retriever.rebuild(questions_of(seed))
    return retriever


@pytest.fixture
async def entry_table(database: Database, clock: MovedClock, seed: list[Entry]) -> EntryTable:
    table = EntryTable(database, clock)
    await table.seed(seed)
    return table


@pytest.fixture
async def knowledge(
    entry_table: EntryTable, clock: MovedClock, by_words: HybridRetriever
) -> AsyncIterator[KnowledgeService]:
    service = KnowledgeService(entry_table, clock, retriever=SeededRetriever(by_words))
    yield service
    await service.close()


@pytest.fixture(scope="session")
def questions() -> list[Asked]:
    """One question an entry, written together with the seed's first version."""
    return read_questions(HERE / "questions.yml")


@pytest.fixture(scope="session")
def heldout() -> list[Asked]:
    """Four questions an entry, written separately from the seed; never to be tuned on."""
    return read_questions(HERE / "heldout.yml")


@pytest.fixture(scope="session")
def nlu_url() -> Iterator[str]:
    """The address of the real NLU with the current model."""
    if not is_ready():
        pytest.skip("no trained NLU model: `make nlu` prepares it")
    with running_nlu() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nlu(nlu_url: str) -> AsyncIterator[tuple[NluClient, HttpEmbedding]]:
    """The real understanding and embedding."""
    clock = SystemClock()
    async with aiohttp.ClientSession() as http:
        yield NluClient(http, nlu_url, clock, timeout_s=30.0), HttpEmbedding(http, nlu_url, clock)


class ToyEmbedding:
    """Tells apart the texts of a table by their topic; counts what it is asked for."""

    def __init__(self, topics: Mapping[str, int], encoder: str = "toy") -> None:
        self.topics = topics
        self.encoder = encoder
        self.asked: list[str] = []
        self.is_away = False

    async def vectors(self, texts: Sequence[str], budget_s: float) -> Embedded | None:
        assert budget_s > 0
        if self.is_away:
            return None
        self.asked += texts
        rows = np.zeros((len(texts), 8), dtype=np.float32)
        for number, text in enumerate(texts):
            rows[number, self.topics.get(text, 7)] = 1.0
        return Embedded(self.encoder, rows)

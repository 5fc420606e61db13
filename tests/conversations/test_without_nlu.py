"""With the NLU down, keywords and the dialogue itself carry each service from the first words to the end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.dialogue.catalog import FlowCatalog
from bot.values.clock import MovedClock
from tests.conversations.chats import AssistantChat
from tests.conversations.conftest import PATIENCE_S
from tests.support.assistant import MONDAY, NO_NLU, running_assistant, settings_for
from tests.support.conversations import Case, load_directory, run_case

WHOLE_WAYS = (
    "work_study: a parent registers a grown-up student, in dialect",
    "health_screening: a worker books a time, in dialect",
    "legal: unpaid wages of thirteen people, from the first words to the lawyers' queue",
    "people: danger to life comes before everything, with the numbers to call",
)
CASES = {str(case): case for case in load_directory(Path(__file__).parent)}

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def unaided_chat(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[AssistantChat]:
    """A new follower's chat with an assistant whose NLU does not answer."""
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path, nlu_url=NO_NLU)
    clock = MovedClock(MONDAY)
    settings = replace(settings, turn_deadline_s=PATIENCE_S - 5)
    async with running_assistant(settings, clock, deadline_s=PATIENCE_S) as assistant:
        yield AssistantChat(assistant, clock)


@pytest.mark.parametrize("case", [CASES[name] for name in WHOLE_WAYS], ids=str)
async def test_a_whole_way_without_the_nlu(case: Case, catalog: FlowCatalog, unaided_chat: AssistantChat) -> None:
    await run_case(case, unaided_chat, catalog, surroundings=unaided_chat)

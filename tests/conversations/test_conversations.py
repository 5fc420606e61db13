"""Every conversation of ``*.yml`` over the real turn: platform, gateway, NLU, Redis, SQL."""

from pathlib import Path

import pytest

from bot.dialogue.catalog import FlowCatalog
from tests.conversations.chats import AssistantChat
from tests.support.conversations import Case, load_directory, run_case

CASES = load_directory(Path(__file__).parent)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_conversation(case: Case, catalog: FlowCatalog, chat: AssistantChat) -> None:
    await run_case(case, chat, catalog, surroundings=chat)


@pytest.mark.parametrize("case", [case for case in CASES if case.also_on == "postgresql"], ids=str)
async def test_conversation_on_postgresql(case: Case, catalog: FlowCatalog, postgres_chat: AssistantChat) -> None:
    await run_case(case, postgres_chat, catalog, surroundings=postgres_chat)

"""Whole conversations in which every single answer is lost once: people notice nothing, and nothing is done twice."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.dialogue.catalog import FlowCatalog
from bot.turns.answers import Answer
from bot.turns.kept_answers import KeptAnswers
from bot.wechat.models import Inbound
from tests.conversations.chats import AssistantChat
from tests.support.conversations import Case, ConversationFailed, load_directory, run_case
from tests.turns.losing import How, Losing

CASES = load_directory(Path(__file__).parent)
WRITING = [case for case in CASES if case.file.stem in {"common", "legal", "people", "registrations"}]
"""Those in which records are made, changed or looked at; the other ones are forms being filled in."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _run(case: Case, catalog: FlowCatalog, chat: AssistantChat, how: How) -> None:
    turns, link = chat.assistant.bot.turns, chat.assistant.bot.link
    answering = turns.responder
    turns.responder = losing = Losing(answering, link, how)
    try:
        await run_case(case, chat, catalog, surroundings=chat)
    finally:
        turns.responder = answering
    assert losing.lost, "no answer was lost"


@pytest.mark.parametrize("case", WRITING, ids=str)
async def test_a_conversation_whose_answers_are_lost(case: Case, catalog: FlowCatalog, chat: AssistantChat) -> None:
    await _run(case, catalog, chat, "killed")


@pytest.mark.parametrize("case", [case for case in CASES if case.also_on == "postgresql"], ids=str)
async def test_a_conversation_whose_answers_redis_forgets(
    case: Case, catalog: FlowCatalog, postgres_chat: AssistantChat
) -> None:
    await _run(case, catalog, postgres_chat, "forgotten")


@pytest.mark.parametrize(
    "name",
    [
        "common: without consent the form does not go on",
        "people: whoever waits for people can leave, and the form is still there",
        "registrations: sent back for what was filled in, and back to review once it is right",
    ],
)
async def test_without_what_is_kept_people_notice(
    name: str, catalog: FlowCatalog, chat: AssistantChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same losses without the guard."""

    async def anew(
        self: KeptAnswers, message: Inbound, stored: bytes, work: Callable[[], Awaitable[Answer]], *, repeated: bool
    ) -> Answer:
        del self, message, stored, repeated
        return await work()

    monkeypatch.setattr(KeptAnswers, "once", anew)
    case = next(case for case in CASES if str(case) == name)
    with pytest.raises(ConversationFailed):
        await _run(case, catalog, chat, "killed")

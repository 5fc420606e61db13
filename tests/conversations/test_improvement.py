"""An unclear message on its whole way: asked back, chosen, listed, relabelled, exported for the next training."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from bot.commands import review
from bot.understanding.review.models import Filter, Outcome, Reason, ReviewItem, Status
from bot.understanding.training_data import read_utterances
from bot.values.clock import MovedClock
from nlu.fingerprint import reviewed_in
from tests.conversations.chats import AssistantChat
from tests.support.assistant import running_assistant, settings_for

Opened = AsyncIterator[AssistantChat]
UNCLEAR = "幺妹那张单子还要搞哪样"
MISTAKEN = "上回那个事给我弄起走"
CORRECTION = "不对，我是想看办到哪里了"
DRAMATIC = "今天累得不成人形"
RANKINGS: Mapping[str, Mapping[str, float]] = {
    UNCLEAR: {"check_status": 0.42, "register_work_study": 0.36, "chitchat": 0.1},
    MISTAKEN: {"faq_membership": 0.91, "check_status": 0.05},
    CORRECTION: {"check_status": 0.93},
    DRAMATIC: {"crisis": 0.61, "chitchat": 0.3},
}


@dataclass
class ScriptedNlu:
    """Answers ``POST /model/parse`` as ``RANKINGS`` say."""

    asked: list[str] = field(default_factory=list)

    async def parse(self, request: web.Request) -> web.Response:
        """Answer one text; what is not in the table is small talk."""
        text = (await request.json())["text"]
        self.asked.append(text)
        ranking = RANKINGS.get(text.replace(",", "，"), {"chitchat": 0.9})
        rows = [{"name": name, "confidence": confidence} for name, confidence in ranking.items()]
        return web.json_response({"intent_ranking": rows, "model_id": "model-of-may"})


@pytest.fixture
async def nlu_server() -> AsyncIterator[TestServer]:
    """A server in the place of Rasa's."""
    app = web.Application()
    app.router.add_post("/model/parse", ScriptedNlu().parse)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    yield server
    await server.close()


@asynccontextmanager
async def open_chat(nlu: TestServer, redis_url: str, database_url: str, data_dir: Path, clock: MovedClock) -> Opened:
    """Give a follower's chat with the whole assistant."""
    settings = settings_for(
        database_url=database_url, redis_url=redis_url, data_dir=data_dir, nlu_url=str(nlu.make_url("/"))
    )
    async with running_assistant(settings, clock) as assistant:
        yield AssistantChat(assistant, clock)


@pytest.fixture
async def chat(nlu_server: TestServer, redis_url: str, sqlite_url: str, tmp_path: Path, clock: MovedClock) -> Opened:
    """A chat over SQLite."""
    async with open_chat(nlu_server, redis_url, sqlite_url, tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def either_chat(
    nlu_server: TestServer, redis_url: str, database_url: str, tmp_path: Path, clock: MovedClock
) -> Opened:
    """A chat over SQLite, and one over PostgreSQL."""
    async with open_chat(nlu_server, redis_url, database_url, tmp_path, clock) as opened:
        yield opened


async def listed(chat: AssistantChat) -> list[ReviewItem]:
    """Let the worker move the log; return the list, oldest first."""
    await chat.assistant.work_off()
    page = await chat.assistant.bot.records.reviews.page(Filter())
    return list(reversed(page.items))


async def test_an_unclear_message_teaches_the_next_model(either_chat: AssistantChat) -> None:
    chat = either_chat
    records, paper = chat.assistant.bot.records, Console(file=StringIO(), width=200)
    asked = await chat.say(UNCLEAR, None)
    assert "报名勤工俭学" in asked[-1].options
    await chat.move_clock(timedelta(seconds=20))
    await chat.tap("报名勤工俭学")

    (item,) = await listed(chat)
    assert (item.said, item.reason, item.model_id) == (UNCLEAR, Reason.ASKED_BACK, "model-of-may")
    assert [guess.intent for guess in item.guesses] == ["check_status", "register_work_study", "chitchat"]
    assert (item.outcome, item.suggested) == (Outcome.CHOSE, "register_work_study")

    file = reviewed_in(records.settings.data_dir)
    assert await review.export(paper, records, None) == 0
    assert not await asyncio.to_thread(file.exists)
    assert await review.relabel(paper, records, item.id, None, "chen", None) == 0
    assert (await records.reviews.get(item.id)).status is Status.RELABELLED
    assert await review.export(paper, records, None) == 0
    assert read_utterances([file]) == {"register_work_study": [UNCLEAR]}

    await review.undo(paper, records, item.id)
    await review.export(paper, records, None)
    assert not await asyncio.to_thread(file.exists)


async def test_a_message_that_was_misunderstood_for_sure_is_listed_when_the_follower_says_so(
    chat: AssistantChat,
) -> None:
    await chat.say(MISTAKEN, None)
    assert await listed(chat) == []
    await chat.move_clock(timedelta(seconds=20))
    await chat.say(CORRECTION, None)
    (item,) = await listed(chat)
    assert (item.said, item.reason, item.outcome) == (MISTAKEN, Reason.CORRECTED, Outcome.CONTRADICTED)
    assert item.suggested == "check_status"
    assert item.guesses[0].intent == "faq_membership"


async def test_an_alarm_by_the_model_alone_is_listed(chat: AssistantChat) -> None:
    await chat.say(DRAMATIC, None)
    await chat.move_clock(timedelta(seconds=20))
    await chat.say("我要跳楼", None)  # Words need no model, and nothing is to be learnt from that.
    (item,) = await listed(chat)
    assert (item.said, item.reason) == (DRAMATIC, Reason.ALARM_BY_MODEL)


async def test_a_person_wanted_right_after_is_listed(chat: AssistantChat) -> None:
    await chat.say(MISTAKEN, None)
    await chat.move_clock(timedelta(seconds=20))
    await chat.say("人工", None)
    (item,) = await listed(chat)
    assert (item.said, item.outcome, item.suggested) == (MISTAKEN, Outcome.HANDED_OVER, None)


async def test_the_list_forgets_with_the_follower_and_with_age(chat: AssistantChat) -> None:
    records = chat.assistant.bot.records
    await chat.say(UNCLEAR, None)
    (item,) = await listed(chat)
    exported = await records.privacy.export(chat.openid)
    assert exported["review"] == [{"at": item.at.isoformat(), "said": UNCLEAR, "reason": "asked_back", "label": None}]
    await chat.move_clock(timedelta(days=records.settings.review_days + 1))
    assert await listed(chat) == []
    await chat.say(UNCLEAR, None)
    assert len(await listed(chat)) == 1
    await records.privacy.erase(chat.openid, requested_by="test")
    assert await listed(chat) == []

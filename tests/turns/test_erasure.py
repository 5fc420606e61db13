"""An erasure by the follower's own words whose answer is lost: the next delivery gets the answer of the first."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from bot.app.records import open_records
from bot.followers.models import Erasure, Follower
from bot.simulator.models import Attempt, BodyKind
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.pushes import follow, text
from bot.storage.redis import RedisLink
from bot.storage.redis_server import RedisServer
from bot.storage.sql import Database
from bot.turns.answers import Answer
from bot.turns.models import FollowerKeys
from bot.turns.personal_data import DialogueData
from bot.turns.service import Responder
from bot.turns.store import TurnStore
from bot.wechat.models import Inbound
from tests.support.assistant import Assistant, simulated_platform
from tests.turns.gateways import Gateways, gateways, settings_over
from tests.turns.scripted import said

SURE = "好的"
"""Yes where a question is open, a courtesy where none is."""
ERASED = "已经删除您的信息"
FORM = "我要预约两癌筛查"
LOST_AFTER_THE_ERASURE = "the answer is lost"
"""How long the platform waits: a busy machine says nothing about what is answered."""

GATEWAYS = pytest.mark.xdist_group("gateway processes")


@dataclass
class Losing:
    """Answers as ``inner`` does, but the first answer to ``SURE`` never reaches the store."""

    inner: Responder
    link: RedisLink
    how: str
    lost: int = 0

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        """Answer, and lose it where it is the first of its kind."""
        answer = await self.inner.respond(message, stored)
        if said(message) == SURE and not self.lost:
            self.lost += 1
            if self.how == "failed":
                raise RuntimeError(LOST_AFTER_THE_ERASURE)
            await self.link.call("DEL", FollowerKeys.of(message.openid).lock)
        return answer

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        """Leave that to ``inner``."""
        return self.inner.apologise(message, stored)


async def at_the_question(platform: SimulatedPlatform, callback_url: str = "") -> str:
    """Let somebody begin a form and ask for the erasure, up to “确定删除吗”; return the OpenID."""
    openid = platform.add_follower("杨师傅").openid
    await platform.do(openid, follow("", ""), callback_url)
    for words in (FORM, "删除我的信息"):
        exchange = await platform.say(openid, words, callback_url=callback_url)
    assert "确定删除吗" in exchange.text
    return openid


async def lost_and_repeated(assistant: Assistant, how: str) -> tuple[str, list[Attempt]]:
    """Confirm the erasure with a first delivery whose answer is lost; return the follower and both attempts."""
    openid = await at_the_question(assistant.platform)
    turns = assistant.bot.turns
    turns.responder = Losing(turns.responder, assistant.bot.link, how)
    delivery = assistant.platform.prepare(openid, text(SURE))
    return openid, await assistant.platform.deliver(delivery, times=2, at_once=False)


async def proofs(database: Database) -> int:
    """Return how many erasures are proved."""
    async with database.reading() as session:
        return len(list(await session.scalars(select(Erasure.id))))


async def is_known(database: Database, openid: str) -> bool:
    """Say whether the follower has a row."""
    async with database.reading() as session:
        return await session.get(Follower, openid) is not None


@pytest.mark.parametrize("how", ["lock lost", "failed"])
async def test_the_next_delivery_gets_the_answer_of_the_erasure(assistant: Assistant, how: str) -> None:
    openid, (first, second) = await lost_and_repeated(assistant, how)
    assert first.body_kind is not BodyKind.REPLY
    assert ERASED in str(second.result)
    database = assistant.bot.records.database
    assert not await is_known(database, openid)
    assert await proofs(database) == 1
    assert await assistant.bot.store.stored_state(openid) == b"", "the dialogue is gone with the answer"
    data = DialogueData(assistant.bot.store)
    assert await data.erase(openid) == 0
    assert ERASED not in (await assistant.say(openid, SURE)).text, "a message of its own is no repetition"


@pytest.mark.parametrize("seeded_url", ["sqlite"], indirect=True)
async def test_with_a_dialogue_that_goes_at_once_it_would_be_read_as_something_else(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the erasure takes the question away from the message that answers it."""

    async def forget(store: TurnStore, openid: str) -> int:
        keys = FollowerKeys.of(openid)
        del store
        return int(await assistant.bot.link.call("DEL", keys.state, keys.held) or 0)  # type: ignore[arg-type]

    monkeypatch.setattr(TurnStore, "forget", forget)
    # What was lost with a lock is answered from what is kept; what failed begins again, and needs its question.
    _, (_, second) = await lost_and_repeated(assistant, "failed")
    assert second.body_kind is BodyKind.REPLY
    assert ERASED not in str(second.result)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def group(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateways]:
    """Gateways with the real flows, in processes of their own."""
    settings = settings_over(request, redis_server, tmp_path_factory.mktemp("erasures"))
    with gateways(settings) as running:
        yield running


@GATEWAYS
async def test_a_gateway_killed_after_the_erasure_leaves_its_answer_to_the_next(group: Gateways) -> None:
    survivor, mortal = group.survivor(flows=True), group.mortal("written", SURE, flows=True)
    async with simulated_platform(group.settings) as platform, open_records(group.settings) as records:
        openid = await at_the_question(platform, survivor.url)
        assert await is_known(records.database, openid)
        delivery = platform.prepare(openid, text(SURE))
        first, second = await platform.deliver(
            delivery, times=2, at_once=False, callback_urls=[mortal.url, survivor.url]
        )
        assert mortal.died_by_signal() == signal.SIGKILL
        assert first.body_kind is BodyKind.DISCONNECTED
        assert ERASED in str(second.result)
        assert not await is_known(records.database, openid)
        assert await proofs(records.database) == 1

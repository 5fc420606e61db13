"""Redis goes away and comes back: deliveries are refused meanwhile, and nothing is lost or done twice."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.simulator.models import Attempt, Delivery
from bot.simulator.pushes import text
from bot.storage.encryption import FieldCipher
from bot.storage.redis_server import RedisServer
from bot.turns.models import FollowerKeys
from tests.support.waiting import until
from tests.turns.line import Line, open_line
from tests.turns.scripted import Scripted


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    """A Redis of this test alone."""
    with tempfile.TemporaryDirectory(prefix="bot-redis-") as folder:
        started = RedisServer(Path(folder))
        async with started:
            yield started


@pytest.fixture
async def line(server: RedisServer, cipher: FieldCipher, responder: Scripted) -> AsyncIterator[Line]:
    """A line over that Redis, patient enough to notice what Redis does; locks that nobody gives back run out soon."""
    async with open_line(server.url, cipher, responder, deadline_s=5.0, lock_ttl_ms=500) as opened:
        yield opened


async def answered(line: Line, delivery: Delivery) -> Attempt:
    """Deliver until the gateway answers, as a platform with more patience would."""
    attempts: list[Attempt] = []

    async def one_more() -> bool:
        attempts.extend(await line.platform.deliver(delivery))
        return attempts[-1].answered

    await until(one_more)
    return attempts[-1]


async def test_a_message_that_comes_while_redis_is_down_is_refused_and_answered_later(
    line: Line, server: RedisServer, responder: Scripted
) -> None:
    yang = line.platform.add_follower()
    await line.platform.say(yang.openid, "在吗")
    await server.stop()
    exchange = await line.platform.say(yang.openid, "还在吗")
    assert [attempt.status for attempt in exchange.attempts] == [503, 503, 503]
    assert responder.begun == ["在吗"]
    async with server:
        repeated = await answered(line, exchange.delivery)
    assert "第2条：还在吗" in repeated.reply_xml
    assert responder.begun == ["在吗", "还在吗"]


async def test_a_message_whose_commit_fails_is_worked_on_again_and_advances_the_dialogue_once(
    line: Line, server: RedisServer, responder: Scripted
) -> None:
    yang = line.platform.add_follower()
    responder.go_on.clear()
    delivery = line.platform.prepare(yang.openid, text("在吗"))
    delivering = asyncio.create_task(line.platform.deliver(delivery))
    await until(partial(_begun, responder))
    await server.stop()
    responder.go_on.set()
    (refused,) = await delivering
    assert (refused.status, refused.body) == (503, b"")
    async with server:
        assert await line.redis.hlen(FollowerKeys.of(yang.openid).payloads) == 1, "the message outlived the server"
        await answered(line, delivery)
        assert (await line.platform.say(yang.openid, "还在吗")).text == "第2条：还在吗"
    assert line.texts(yang.openid) == ["第1条：在吗", "第2条：还在吗"]


async def _begun(responder: Scripted) -> bool:
    return bool(responder.begun)

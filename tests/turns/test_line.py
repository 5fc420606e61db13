"""The turn behind the real gateway and in front of the real outbox, with the platform's own timing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest

from bot.simulator.models import BodyKind, Follower
from bot.simulator.pushes import text
from bot.storage.encryption import FieldCipher
from bot.turns.models import FollowerKeys, Incoming
from bot.turns.reading import dump
from bot.turns.service import FAILURES_MAX, Attempt
from bot.values.clock import MovedClock, SystemClock
from bot.wechat.models import Inbound, PassiveReply
from bot.wechat.parser import read_inbound
from tests.support.waiting import until
from tests.turns.line import DEADLINE_S, Line, open_line
from tests.turns.scripted import APOLOGY, BROKEN, Scripted


@pytest.fixture
def yang(line: Line) -> Follower:
    """Somebody who follows the account."""
    return line.platform.add_follower("杨师傅")


async def nothing_pending(line: Line, openid: str) -> bool:
    keys = FollowerKeys.of(openid)
    return await line.redis.hlen(keys.payloads) == 0


async def begun(responder: Scripted, count: int) -> bool:
    return len(responder.begun) >= count


@pytest.mark.parametrize("keep_alive", [False, True], ids=["connection closed", "connection kept"])
async def test_a_slow_turn_is_acknowledged_in_time_and_answered_once_later(
    redis_url: str, cipher: FieldCipher, responder: Scripted, keep_alive: bool
) -> None:
    async with open_line(redis_url, cipher, responder, keep_alive=keep_alive) as line:
        await slow_turn(line, responder)


async def slow_turn(line: Line, responder: Scripted) -> None:
    yang = line.platform.add_follower()
    responder.go_on.clear()
    responder.more = ("还有一句",)
    exchange = await line.platform.say(yang.openid, "在吗")
    assert [attempt.body_kind for attempt in exchange.attempts] == [BodyKind.SUCCESS]
    assert DEADLINE_S <= exchange.latency_s < 2.0
    assert exchange.shown == []
    responder.go_on.set()
    await until(partial(nothing_pending, line, yang.openid))
    await line.relayed()
    await line.relayed()
    assert line.texts(yang.openid) == ["第1条：在吗\n\n还有一句"]
    await line.platform.deliver(exchange.delivery)
    assert line.texts(yang.openid) == ["第1条：在吗\n\n还有一句"]
    assert responder.begun == ["在吗"]


async def test_the_next_message_after_a_slow_one_is_answered_behind_it(
    line: Line, responder: Scripted, yang: Follower
) -> None:
    responder.go_on.clear()
    await line.platform.say(yang.openid, "第一句")
    await line.platform.say(yang.openid, "第二句")
    responder.go_on.set()
    await until(partial(nothing_pending, line, yang.openid))
    await line.relayed()
    assert line.texts(yang.openid) == ["第1条：第一句", "第2条：第二句"]


async def test_a_platform_that_hangs_up_gets_the_answer_on_its_next_delivery(
    redis_url: str, cipher: FieldCipher, responder: Scripted
) -> None:
    """The gateway would have waited longer than the platform does: it sees the closed connection."""
    async with open_line(redis_url, cipher, responder, deadline_s=60.0) as line:
        yang = line.platform.add_follower()
        delivery = line.platform.prepare(yang.openid, text("在吗"))
        responder.go_on.clear()
        hasty = asyncio.create_task(line.platform.deliver(delivery))
        await until(partial(begun, responder, 1))
        hasty.cancel()
        await asyncio.gather(hasty, return_exceptions=True)
        again = asyncio.create_task(line.platform.deliver(delivery))
        await until(partial(waiting, line, yang.openid))
        responder.go_on.set()
        (attempt,) = await again
        await line.relayed()
        shown = line.texts(yang.openid)
        assert shown == ["第1条：在吗"], attempt
        assert responder.begun == ["在吗"]


async def test_what_a_platform_that_hung_up_did_not_get_is_sent_later(
    redis_url: str, cipher: FieldCipher, responder: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_line(redis_url, cipher, responder, deadline_s=60.0) as line:
        attempts: list[Attempt] = []
        handle = line.turns.handle

        async def watched(message: Inbound, attempt: Attempt) -> PassiveReply | None:
            attempts.append(attempt)
            return await handle(message, attempt)

        async def closed() -> bool:
            return not attempts[0].open

        monkeypatch.setattr(line.turns, "handle", watched)
        yang = line.platform.add_follower()
        responder.go_on.clear()
        hasty = asyncio.create_task(line.platform.say(yang.openid, "在吗"))
        await until(partial(begun, responder, 1))
        assert attempts[0].open
        hasty.cancel()
        await until(closed)
        responder.go_on.set()
        await until(partial(nothing_pending, line, yang.openid))
        await line.relayed()
        assert line.texts(yang.openid) == ["第1条：在吗"]


async def waiting(line: Line, openid: str) -> bool:
    return bool(await line.redis.exists(FollowerKeys.of(openid).waiters))


async def test_a_failing_turn_makes_the_platform_repeat_until_the_apology(
    line: Line, responder: Scripted, yang: Follower
) -> None:
    responder.errors = [BROKEN] * FAILURES_MAX
    exchange = await line.platform.say(yang.openid, "坏的")
    assert [attempt.status for attempt in exchange.attempts] == [503, 503, 200]
    assert [attempt.body for attempt in exchange.attempts[:2]] == [b"", b""]
    assert line.texts(yang.openid) == [APOLOGY]
    assert (await line.platform.say(yang.openid, "在吗")).text == "第1条：在吗"


# What nobody finished ------------------------------------------------------------------------------------------


@pytest.fixture
async def once(redis_url: str, cipher: FieldCipher, responder: Scripted) -> AsyncIterator[Line]:
    """A line whose platform delivers only once."""
    async with open_line(redis_url, cipher, responder, attempts=1) as opened:
        yield opened


async def test_a_message_whose_gateway_died_is_taken_up_by_the_worker(once: Line, responder: Scripted) -> None:
    yang = once.platform.add_follower()
    delivery = once.platform.prepare(yang.openid, text("在吗"))
    message = read_inbound({name: str(value) for name, value in delivery.fields("gh_1").items()})
    # The gateway claims the message and dies; later the lock runs out.
    await once.store.claim(Incoming(message.delivery_key, message.openid, dump(message)))
    await once.redis.delete(FollowerKeys.of(yang.openid).lock)
    assert await once.swept(SystemClock(), age_s=60.0) == 0, "it is left to the platform's own deliveries first"
    assert await once.swept(MovedClock(SystemClock().now() + timedelta(seconds=61)), age_s=60.0) == 1
    await once.platform.deliver(delivery)
    await once.relayed()
    assert once.texts(yang.openid) == ["第1条：在吗"]
    assert responder.begun == ["在吗"]


async def test_a_failing_message_holds_up_neither_the_worker_nor_its_follower(
    once: Line, responder: Scripted
) -> None:
    yang, long = once.platform.add_follower(), once.platform.add_follower()
    responder.errors = [BROKEN] * FAILURES_MAX
    await once.platform.say(yang.openid, "坏的")
    await once.platform.say(yang.openid, "还有")
    clock = MovedClock(SystemClock().now())
    for _ in range(FAILURES_MAX):
        clock.move(timedelta(seconds=30))
        await once.swept(clock, age_s=20.0)
        tried = len(responder.begun)
        clock.move(timedelta(seconds=1))
        await once.swept(clock, age_s=20.0)
        assert len(responder.begun) == tried, "it is left alone for a while"
    await until(partial(nothing_pending, once, yang.openid))
    await once.relayed()
    assert [one for one in once.texts(yang.openid) if "服务" not in one] == [APOLOGY, "第1条：还有"]
    assert (await once.platform.say(long.openid, "在吗")).text == "第1条：在吗"


async def test_a_message_that_cannot_be_read_any_more_is_passed_over(once: Line) -> None:
    yang = once.platform.add_follower()
    keys = FollowerKeys.of(yang.openid)
    await once.redis.hset(keys.payloads, "m:1", b"sealed with a key that nobody has")
    await once.redis.zadd(keys.pending, {"m:1": 1})
    clock = MovedClock(SystemClock().now())
    assert await once.swept(clock, age_s=20.0) == 0
    assert await once.redis.hlen(keys.payloads) == 1, "it is kept for the day when the key is back"


async def test_a_busy_follower_does_not_hold_up_the_worker(once: Line) -> None:
    yang = once.platform.add_follower()
    message = read_inbound(
        {"ToUserName": "gh_1", "FromUserName": yang.openid, "CreateTime": "1", "MsgType": "text", "MsgId": "7"}
    )
    await once.store.claim(Incoming(message.delivery_key, message.openid, dump(message)))
    async with asyncio.timeout(5):
        assert await once.swept(MovedClock(SystemClock().now() + timedelta(seconds=60))) == 0

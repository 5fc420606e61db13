"""A message that cannot be answered: its follower is told in the end, and no other message waits for it."""

import asyncio
from functools import partial

import pytest

from bot.storage.redis import RedisLink
from bot.turns.models import FollowerKeys, Run
from bot.turns.service import FAILURES_MAX, Attempt, TurnFailed, TurnService
from bot.turns.store import Arrivals, TurnStore
from bot.values.clock import MovedClock
from tests.support.waiting import until
from tests.turns.messages import OPENID, incoming_of, text, words
from tests.turns.scripted import APOLOGY, BROKEN, Scripted

KEYS = FollowerKeys.of(OPENID)


async def fail(turns: TurnService, times: int, *, msg_id: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(TurnFailed):
            await turns.handle(text("坏的", msg_id=msg_id), Attempt())


async def test_the_last_failure_is_answered_with_an_apology(
    turns: TurnService, responder: Scripted, link: RedisLink
) -> None:
    await turns.handle(text("在吗"), Attempt())
    responder.errors = [BROKEN] * FAILURES_MAX
    await fail(turns, FAILURES_MAX - 1, msg_id=2)
    assert words(await turns.handle(text("坏的", msg_id=2), Attempt())) == APOLOGY
    assert await link.call("HLEN", KEYS.payloads) == 0
    assert words(await turns.handle(text("坏的", msg_id=2), Attempt())) == APOLOGY, "stored like any reply"
    assert words(await turns.handle(text("还在吗", msg_id=3), Attempt())) == "第2条：还在吗"


async def test_a_failure_that_passes_is_forgotten(turns: TurnService, responder: Scripted) -> None:
    responder.errors = [BROKEN] * (FAILURES_MAX - 1)
    await fail(turns, FAILURES_MAX - 1)
    assert words(await turns.handle(text("坏的"), Attempt())) == "第1条：坏的"


async def test_a_later_message_waits_for_the_failing_one_and_then_goes_on(
    turns: TurnService, responder: Scripted, link: RedisLink
) -> None:
    responder.errors = [BROKEN] * FAILURES_MAX
    await fail(turns, 1)
    later = asyncio.create_task(turns.handle(text("还有", msg_id=2), Attempt()))
    await until(partial(queued, link, 2))
    await fail(turns, FAILURES_MAX - 2)
    assert not later.done()
    assert words(await turns.handle(text("坏的"), Attempt())) == APOLOGY
    assert words(await later) == "第1条：还有"


async def queued(link: RedisLink, count: int) -> bool:
    return await link.call("ZCARD", KEYS.queue) == count


async def test_a_message_that_kills_its_process_is_not_tried_for_ever(
    turns: TurnService, responder: Scripted, store: TurnStore, link: RedisLink
) -> None:
    for _ in range(FAILURES_MAX):
        # A process that dies commits nothing and gives nothing back; its lock runs out.
        assert isinstance(await store.claim(incoming_of(text("坏的"))), Run)
        await link.call("DEL", KEYS.lock)
    assert words(await turns.handle(text("坏的"), Attempt())) == APOLOGY
    assert responder.begun == []


async def test_an_answer_that_hangs_is_a_failure(
    store: TurnStore, arrivals: Arrivals, responder: Scripted, clock: MovedClock
) -> None:
    turns = TurnService(store, arrivals, responder, clock, link_choices=False, work_max_s=0.01)
    responder.go_on.clear()
    await fail(turns, FAILURES_MAX - 1)
    assert words(await turns.handle(text("坏的"), Attempt())) == APOLOGY
    responder.go_on.set()
    assert words(await turns.handle(text("在吗", msg_id=2), Attempt())) == "第1条：在吗"


async def test_nothing_personal_is_logged_of_a_failure(
    turns: TurnService, responder: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    responder.errors = [ValueError("杨小芳 13985600018")]
    with pytest.raises(TurnFailed):
        await turns.handle(text("我叫杨小芳"), Attempt())
    logged = capsys.readouterr()
    assert "ValueError" in logged.out + logged.err
    assert "杨小芳" not in logged.out + logged.err
    assert OPENID not in logged.out + logged.err

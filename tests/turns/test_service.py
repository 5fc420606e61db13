"""One turn in one process: once for each message, in order for each follower, and its answer always arrives."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisLink, RedisUnavailable
from bot.turns.models import Commit, FollowerKeys, Incoming
from bot.turns.service import Attempt, TurnGivenUp, TurnService
from bot.turns.store import Arrivals, TurnStore
from bot.values.clock import MovedClock
from tests.support.waiting import until
from tests.turns.messages import OPENID, incoming_of, text, words
from tests.turns.scripted import Scripted

KEYS = FollowerKeys.of(OPENID)


async def length(link: RedisLink, command: str, key: str) -> int:
    found = await link.call(command, key)
    assert isinstance(found, int)
    return found


async def queued(link: RedisLink, count: int) -> bool:
    return await length(link, "ZCARD", KEYS.queue) == count


async def waiting(link: RedisLink) -> bool:
    return await length(link, "EXISTS", KEYS.waiters) == 1


async def test_every_delivery_of_a_message_gets_the_same_reply(turns: TurnService, responder: Scripted) -> None:
    replies = [words(await turns.handle(text("在吗"), Attempt())) for _ in range(3)]
    assert replies == ["第1条：在吗"] * 3
    assert responder.begun == ["在吗"]


async def test_a_delivery_that_comes_while_the_first_is_worked_on_waits_for_its_reply(
    turns: TurnService, responder: Scripted, link: RedisLink
) -> None:
    responder.go_on.clear()
    first = asyncio.create_task(turns.handle(text("在吗"), Attempt()))
    second = asyncio.create_task(turns.handle(text("在吗"), Attempt()))
    await until(partial(waiting, link))
    responder.go_on.set()
    assert [words(reply) for reply in await asyncio.gather(first, second)] == ["第1条：在吗"] * 2
    assert responder.begun == ["在吗"]


async def test_messages_that_come_together_are_answered_in_their_order(
    turns: TurnService, responder: Scripted, link: RedisLink
) -> None:
    responder.go_on.clear()
    tasks = []
    for number in (1, 2, 3, 4):
        tasks.append(asyncio.create_task(turns.handle(text(f"话{number}", msg_id=number), Attempt())))
        await until(partial(queued, link, number))
    responder.go_on.set()
    replies = [words(reply) for reply in await asyncio.gather(*tasks)]
    assert replies == ["第1条：话1", "第2条：话2", "第3条：话3", "第4条：话4"]


async def test_who_waits_is_woken_by_a_notification(store: TurnStore, arrivals: Arrivals) -> None:
    message = incoming_of(text("在吗"))
    run = await store.claim(message)
    async with arrivals.expect(OPENID) as released:
        await store.claim(message)
        assert not released.is_set()
        await store.release(message, run.fence)  # type: ignore[union-attr] # The first claim of a message runs.
        await asyncio.wait_for(released.wait(), timeout=5)


async def test_a_follower_who_stays_busy_is_given_up_and_the_message_kept(
    turns: TurnService, store: TurnStore, link: RedisLink
) -> None:
    await store.claim(incoming_of(text("在吗")))
    with pytest.raises(TurnGivenUp):
        await turns.handle(text("在吗"), Attempt(patience_s=0))
    assert await length(link, "HLEN", KEYS.payloads) == 1


# The connection closes ------------------------------------------------------------------------------------------


@pytest.fixture
def closing(store: TurnStore, link: RedisLink, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let connections close while a turn is committed, after ``takers`` deliveries have the reply in hand."""
    whole = store.commit

    def close(*attempts: Attempt, takers: int) -> None:
        async def taken(key: str) -> bool:
            return await link.call("HGET", KEYS.delivery(key), "takers") == str(takers).encode()

        async def commit(incoming: Incoming, content: Commit) -> bool:
            written = await whole(incoming, content)
            await until(partial(taken, incoming.key))
            for attempt in attempts:
                attempt.close()
            return written

        monkeypatch.setattr(store, "commit", commit)

    return close


async def test_what_the_connection_cannot_take_any_more_is_sent_later(
    turns: TurnService, link: RedisLink, closing: Callable[..., None]
) -> None:
    attempt = Attempt()
    closing(attempt, takers=1)
    assert await turns.handle(text("在吗"), attempt) is None
    assert await length(link, "XLEN", KEYS.outbox) == 1
    assert await turns.handle(text("在吗"), Attempt()) is None, "the answer is on its way and is not given twice"
    assert await length(link, "XLEN", KEYS.outbox) == 1


async def test_a_reply_that_another_delivery_answers_with_is_not_sent_too(
    turns: TurnService, responder: Scripted, link: RedisLink, closing: Callable[..., None]
) -> None:
    responder.go_on.clear()
    first, second = Attempt(), Attempt()
    closing(first, takers=2)
    tasks = [asyncio.create_task(turns.handle(text("在吗"), attempt)) for attempt in (first, second)]
    await until(partial(waiting, link))
    responder.go_on.set()
    assert [words(reply) for reply in await asyncio.gather(*tasks)] == [None, "第1条：在吗"]
    assert await length(link, "XLEN", KEYS.outbox) == 0


async def test_a_reply_that_no_delivery_can_answer_with_is_sent_once(
    turns: TurnService, responder: Scripted, link: RedisLink, closing: Callable[..., None]
) -> None:
    responder.go_on.clear()
    attempts = Attempt(), Attempt()
    tasks = [asyncio.create_task(turns.handle(text("在吗"), attempt)) for attempt in attempts]
    closing(*attempts, takers=1)
    await until(partial(waiting, link))
    responder.go_on.set()
    assert [words(reply) for reply in await asyncio.gather(*tasks)] == [None, None]
    assert await length(link, "XLEN", KEYS.outbox) == 1


async def test_a_delivery_that_is_over_when_it_gets_the_reply_does_not_keep_it(
    turns: TurnService,
) -> None:
    """The first delivery dies with its process after the commit; the second was answered without a reply."""
    await turns.handle(text("在吗"), Attempt())
    over = Attempt()
    over.close()
    assert await turns.handle(text("在吗"), over) is None
    assert words(await turns.handle(text("在吗"), Attempt())) == "第1条：在吗"


# The lock -------------------------------------------------------------------------------------------------------


async def test_who_lost_the_lock_serves_what_the_other_attempt_wrote(
    turns: TurnService, responder: Scripted, link: RedisLink
) -> None:
    responder.go_on.clear()
    slow = asyncio.create_task(turns.handle(text("在吗"), Attempt()))
    await until(partial(begun, responder, 1))
    await link.call("DEL", KEYS.lock)
    quick = asyncio.create_task(turns.handle(text("在吗"), Attempt()))
    await until(partial(begun, responder, 2))
    responder.go_on.set()
    assert [words(reply) for reply in await asyncio.gather(slow, quick)] == ["第1条：在吗"] * 2
    assert words(await turns.handle(text("还在吗", msg_id=2), Attempt())) == "第2条：还在吗"


async def begun(responder: Scripted, count: int) -> bool:
    return len(responder.begun) == count


async def test_who_lost_the_lock_to_nobody_leaves_the_message_for_the_next_delivery(
    turns: TurnService, responder: Scripted, link: RedisLink
) -> None:
    responder.go_on.clear()
    slow = asyncio.create_task(turns.handle(text("在吗"), Attempt()))
    await until(partial(begun, responder, 1))
    await link.call("DEL", KEYS.lock)
    responder.go_on.set()
    with pytest.raises(TurnGivenUp):
        await slow
    assert words(await turns.handle(text("在吗"), Attempt())) == "第1条：在吗"


@pytest.fixture
def short_store(link: RedisLink, cipher: FieldCipher, clock: MovedClock) -> TurnStore:
    """A store whose locks run out after 0.4 s."""
    return TurnStore(link, cipher, clock, state_ttl_s=86_400, lock_ttl_ms=400)


async def lock_is_gone(link: RedisLink) -> bool:
    return await length(link, "EXISTS", KEYS.lock) == 0


async def test_a_long_turn_keeps_its_lock(
    short_store: TurnStore, arrivals: Arrivals, responder: Scripted, clock: MovedClock, link: RedisLink
) -> None:
    turns = TurnService(short_store, arrivals, responder, clock, link_choices=False)
    responder.go_on.clear()
    turn = asyncio.create_task(turns.handle(text("在吗"), Attempt()))
    await until(partial(begun, responder, 1))
    with pytest.raises(TimeoutError):
        await until(partial(lock_is_gone, link), timeout_s=1.2)
    responder.go_on.set()
    assert words(await turn) == "第1条：在吗"


async def test_without_the_heartbeat_the_lock_would_run_out(
    short_store: TurnStore,
    arrivals: Arrivals,
    responder: Scripted,
    clock: MovedClock,
    link: RedisLink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: the same turn when nothing extends the lock."""

    async def extend(_incoming: Incoming, _fence: int) -> bool:
        return True

    monkeypatch.setattr(short_store, "extend", extend)
    turns = TurnService(short_store, arrivals, responder, clock, link_choices=False)
    responder.go_on.clear()
    turn = asyncio.create_task(turns.handle(text("在吗"), Attempt()))
    await until(partial(begun, responder, 1))
    await until(partial(lock_is_gone, link))
    responder.go_on.set()
    with pytest.raises(TurnGivenUp):
        await turn


async def test_a_store_that_fails_at_the_commit_costs_the_message_no_try(
    turns: TurnService, store: TurnStore, responder: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_incoming: Incoming, _commit: Commit) -> bool:
        raise RedisUnavailable("gone", may_have_run=False)

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", fail)
        for _ in range(5):
            with pytest.raises(RedisUnavailable):
                await turns.handle(text("在吗"), Attempt())
    assert words(await turns.handle(text("在吗"), Attempt())) == "第1条：在吗"
    assert len(responder.begun) == 6

"""Claims and commits over a real Redis: one holder a follower, messages in order, stale holders refused."""

import asyncio

from bot.storage.redis import RedisLink
from bot.turns.models import Commit, FollowerKeys, Incoming, OutboxEntry, Replay, Run, Wait
from bot.turns.store import TurnStore
from bot.wechat.allowance import Allowance

OPENID = "oFollower"


def incoming(key: str = "m:1", openid: str = OPENID) -> Incoming:
    return Incoming(key, openid, b'{"Content":"secret words"}')


def commit(run: Run, *, reply: bytes = b"reply", state: bytes = b"state", **changes: object) -> Commit:
    values: dict[str, object] = {
        "fence": run.fence,
        "reply": reply,
        "state": state,
        "outbox": (),
        "log_entry": b"{}",
        "allowance": None,
        "release_held": False,
    }
    return Commit(**(values | changes))  # type: ignore[arg-type] # The table above is checked by the constructor.


async def run_of(store: TurnStore, message: Incoming) -> Run:
    claim = await store.claim(message)
    assert isinstance(claim, Run)
    return claim


async def test_a_repeated_delivery_gets_the_stored_reply(store: TurnStore) -> None:
    run = await run_of(store, incoming())
    assert run.state == b""
    assert await store.commit(incoming(), commit(run))
    assert await store.claim(incoming()) == Replay(b"reply")


async def test_the_next_message_finds_the_state(store: TurnStore) -> None:
    run = await run_of(store, incoming())
    await store.commit(incoming(), commit(run, state=b"after the first"))
    assert (await run_of(store, incoming("m:2"))).state == b"after the first"


async def test_a_second_attempt_waits_while_the_first_works(store: TurnStore) -> None:
    run = await run_of(store, incoming())
    assert isinstance(await store.claim(incoming()), Wait)
    await store.commit(incoming(), commit(run))
    assert isinstance(await store.claim(incoming()), Replay)


async def test_messages_of_one_follower_keep_their_order(store: TurnStore) -> None:
    run = await run_of(store, incoming("m:1"))
    assert isinstance(await store.claim(incoming("m:2")), Wait)
    assert isinstance(await store.claim(incoming("m:3")), Wait)
    await store.commit(incoming("m:1"), commit(run))
    assert isinstance(await store.claim(incoming("m:3")), Wait), "the second message comes first"
    run = await run_of(store, incoming("m:2"))
    await store.commit(incoming("m:2"), commit(run))
    assert isinstance(await store.claim(incoming("m:3")), Run)


async def test_other_followers_do_not_wait(store: TurnStore) -> None:
    await run_of(store, incoming("m:1"))
    assert isinstance(await store.claim(incoming("m:2", "oAnother")), Run)


async def test_a_holder_that_lost_the_lock_writes_nothing(store: TurnStore, link: RedisLink) -> None:
    slow = await run_of(store, incoming())
    # The lock runs out, as it does for a process that stood still, and another attempt takes over.
    await link.call("DEL", FollowerKeys.of(OPENID).lock)
    fresh = await run_of(store, incoming())
    assert fresh.fence > slow.fence
    assert await store.commit(incoming(), commit(fresh, reply=b"fresh"))
    assert not await store.commit(incoming(), commit(slow, reply=b"stale"))
    assert await store.claim(incoming()) == Replay(b"fresh")


async def test_without_the_fence_the_stale_holder_would_win(store: TurnStore, link: RedisLink) -> None:
    """The control: a holder that borrows the current fence, as if there were none, overwrites the fresh outcome."""
    await run_of(store, incoming())
    await link.call("DEL", FollowerKeys.of(OPENID).lock)
    fresh = await run_of(store, incoming())
    assert await store.commit(incoming(), commit(fresh, reply=b"stale"))
    assert await store.claim(incoming()) == Replay(b"stale")


async def test_a_release_leaves_the_message_pending(store: TurnStore, link: RedisLink) -> None:
    run = await run_of(store, incoming())
    await store.release(incoming(), run.fence)
    assert await link.call("HLEN", FollowerKeys.of(OPENID).payloads) == 1
    again = await run_of(store, incoming())
    await store.commit(incoming(), commit(again))
    assert await link.call("HLEN", FollowerKeys.of(OPENID).payloads) == 0


async def test_the_commit_writes_outbox_log_and_allowance(store: TurnStore, link: RedisLink) -> None:
    run = await run_of(store, incoming())
    entries = (OutboxEntry("m:1:1", b"later"),)
    until_ms = 4_000_000_000_000
    await store.commit(incoming(), commit(run, outbox=entries, allowance=Allowance(5, until_ms)))
    keys = FollowerKeys.of(OPENID)
    assert await link.call("XLEN", keys.outbox) == 1
    assert await link.call("XLEN", keys.log) == 1
    assert (await run_of(store, incoming("m:2"))).allowance == Allowance(5, until_ms)


async def test_a_reply_nobody_took_is_sent_later_once(store: TurnStore, link: RedisLink) -> None:
    run = await run_of(store, incoming())
    await store.commit(incoming(), commit(run))
    entry = (OutboxEntry("m:1:late", b"reply"),)
    assert await store.redirect(incoming(), entry)
    assert not await store.redirect(incoming(), entry)
    assert await store.claim(incoming()) == Replay(b"")
    assert await link.call("XLEN", FollowerKeys.of(OPENID).outbox) == 1


async def test_a_reply_that_a_repetition_took_is_not_sent_again(store: TurnStore) -> None:
    run = await run_of(store, incoming())
    await store.commit(incoming(), commit(run))
    await store.claim(incoming())
    assert not await store.redirect(incoming(), (OutboxEntry("m:1:late", b"reply"),))


async def test_nothing_personal_is_readable_in_redis(store: TurnStore, link: RedisLink) -> None:
    await run_of(store, incoming())
    payloads = await link.call("HGETALL", FollowerKeys.of(OPENID).payloads)
    assert isinstance(payloads, list)
    assert not any(b"secret" in part for part in payloads if isinstance(part, bytes))


async def test_a_hundred_attempts_at_once_give_one_run(store: TurnStore) -> None:
    claims = await asyncio.gather(*(store.claim(incoming()) for _ in range(100)))
    assert sum(isinstance(claim, Run) for claim in claims) == 1

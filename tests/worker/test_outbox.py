"""The outbox relay against the simulated platform: in order, within the allowance, each message once."""

import pytest
from redis.asyncio import Redis

from bot.simulator.faults import Fault
from bot.simulator.models import Follower
from bot.simulator.platform import SimulatedPlatform
from bot.storage.encryption import FieldCipher
from bot.storage.shards import shard_of
from bot.turns.models import Commit, FollowerKeys, Incoming, Run
from bot.turns.outbox import Fallback, Parcel, pack, pack_all
from bot.turns.store import TurnStore
from bot.values.clock import SystemClock
from bot.wechat.allowance import Allowance
from bot.wechat.models import CustomerText
from bot.worker.outbox import OutboxRelay, Outcome

SEND = "/cgi-bin/message/custom/send"


@pytest.fixture
async def follower(platform: SimulatedPlatform) -> Follower:
    """A follower who has just written, so that five messages may be sent."""
    added = platform.add_follower()
    await platform.say(added.openid, "在吗")
    return added


def allowance(left: int = 5) -> Allowance:
    return Allowance(left, int(SystemClock().now().timestamp() * 1000) + 48 * 3_600_000)


async def committed(
    store: TurnStore, follower: Follower, *texts: str, key: str = "m:1", left: int = 5, release_held: bool = False
) -> None:
    """Commit a turn whose later messages are ``texts``."""
    incoming = Incoming(key, follower.openid, b"{}")
    run = await store.claim(incoming)
    assert isinstance(run, Run)
    commit = Commit(
        fence=run.fence,
        reply=b"",
        state=b"",
        outbox=pack_all(key, [CustomerText(text) for text in texts]),
        log_entry=b"{}",
        allowance=allowance(left),
        release_held=release_held,
    )
    assert await store.commit(incoming, commit)


async def relayed(relay: OutboxRelay, follower: Follower) -> dict[Outcome, int]:
    return await relay.relay([shard_of(follower.openid)], block_ms=1)


def seen(platform: SimulatedPlatform, follower: Follower) -> list[str]:
    return [shown.text for shown in platform.seen(follower.openid) if shown.channel.value == "customer"]


async def test_messages_arrive_in_order(
    relay: OutboxRelay, store: TurnStore, platform: SimulatedPlatform, follower: Follower
) -> None:
    await committed(store, follower, "一", "二", "三")
    assert await relayed(relay, follower) == {Outcome.SENT: 3}
    assert seen(platform, follower) == ["一", "二", "三"]
    assert await relayed(relay, follower) == {}


async def test_what_exceeds_the_allowance_waits_for_the_next_message(
    relay: OutboxRelay, store: TurnStore, platform: SimulatedPlatform, follower: Follower
) -> None:
    await committed(store, follower, "一", "二", "三", left=2)
    assert await relayed(relay, follower) == {Outcome.SENT: 2, Outcome.HELD: 1}
    await platform.say(follower.openid, "还有吗")
    await committed(store, follower, "四", key="m:2", release_held=True)
    assert await relayed(relay, follower) == {Outcome.SENT: 2}
    assert seen(platform, follower) == ["一", "二", "三", "四"]


async def test_the_platforms_own_count_is_believed(
    relay: OutboxRelay, store: TurnStore, platform: SimulatedPlatform, follower: Follower
) -> None:
    for _ in range(5):
        platform.spend_allowance(follower.openid)
    await committed(store, follower, "一")
    assert await relayed(relay, follower) == {Outcome.HELD: 1}
    assert seen(platform, follower) == []
    await platform.say(follower.openid, "在吗")
    await committed(store, follower, key="m:2", release_held=True)
    assert await relayed(relay, follower) == {Outcome.SENT: 1}
    assert seen(platform, follower) == ["一"]


async def test_a_busy_platform_gets_it_later(
    relay: OutboxRelay, store: TurnStore, platform: SimulatedPlatform, follower: Follower
) -> None:
    platform.faults.add(Fault(SEND, left=1, errcode=45009))
    await committed(store, follower, "一", "二")
    assert await relayed(relay, follower) == {Outcome.LATER: 2}, "the second waits behind the first"
    assert await relayed(relay, follower) == {Outcome.SENT: 2}
    assert seen(platform, follower) == ["一", "二"]


async def test_a_lost_answer_is_not_sent_twice(
    relay: OutboxRelay, store: TurnStore, platform: SimulatedPlatform, follower: Follower
) -> None:
    """The platform took the message and the connection broke: nobody knows, and it is not repeated."""
    platform.faults.add(Fault(SEND, left=1, drop=True, after_work=True))
    await committed(store, follower, "一")
    assert await relayed(relay, follower) == {Outcome.UNKNOWN: 1}
    assert await relayed(relay, follower) == {}
    assert seen(platform, follower) == ["一"]


async def test_a_relay_that_died_between_sending_and_acknowledging(
    relay: OutboxRelay,
    store: TurnStore,
    platform: SimulatedPlatform,
    follower: Follower,
    redis: Redis,
) -> None:
    await committed(store, follower, "一")
    keys = FollowerKeys.of(follower.openid)
    # What a process leaves behind that was killed after the call: the mark stands, the entry is not acknowledged.
    await redis.set(keys.sent_mark("m:1:1"), "sending")
    assert await relayed(relay, follower) == {Outcome.UNKNOWN: 1}
    assert seen(platform, follower) == []


async def test_without_the_mark_it_would_be_sent_twice(
    relay: OutboxRelay, store: TurnStore, platform: SimulatedPlatform, follower: Follower, redis: Redis
) -> None:
    """The control: the same entry again, with its mark wiped."""
    await committed(store, follower, "一")
    await relayed(relay, follower)
    keys = FollowerKeys.of(follower.openid)
    await redis.delete(keys.sent_mark("m:1:1"))
    await committed(store, follower, key="m:1b")
    entry = pack("m:1:1", Parcel(CustomerText("一")))
    delivery = await relay.send_now(follower.openid, entry.id, Parcel(CustomerText("一")))
    assert delivery.outcome is Outcome.SENT
    assert seen(platform, follower) == ["一", "一"]


async def test_a_template_takes_the_place_outside_the_allowance(
    relay: OutboxRelay, platform: SimulatedPlatform, follower: Follower
) -> None:
    parcel = Parcel(CustomerText("已通过"), Fallback("template", {"thing1": "健康服务"}))
    assert (await relay.send_now(follower.openid, "notice-1", parcel)).outcome is Outcome.TEMPLATE
    await platform.settle()
    assert [shown.channel.value for shown in platform.seen(follower.openid)][-1] == "template"


async def test_send_now_leaves_nothing_behind_when_it_is_held(
    relay: OutboxRelay, follower: Follower, redis: Redis, cipher: FieldCipher
) -> None:
    del cipher
    delivery = await relay.send_now(follower.openid, "answer-1", Parcel(CustomerText("您好")))
    assert delivery.outcome is Outcome.HELD
    assert await redis.llen(FollowerKeys.of(follower.openid).held) == 0

"""The multiplexed client, against a real server."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.storage.redis import RedisLink, RedisRefused, RedisUnavailable, Script
from bot.storage.redis_address import RedisAddressInvalid
from bot.storage.redis_server import RedisServer
from tests.support.redis import reports
from tests.support.waiting import until

ADD = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    async with RedisLink(redis_url) as opened:
        yield opened


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server that a test may kill."""
    async with RedisServer(tmp_path) as server:
        yield server


async def reads_processed(link: RedisLink) -> int:
    """Return how many times the server has read from its clients' sockets so far."""
    report = await link.call("INFO", "stats")
    assert isinstance(report, bytes)
    values = dict(line.split(":", 1) for line in report.decode().split("\r\n") if ":" in line)
    return int(values["total_reads_processed"])


async def test_replies_are_raw(link: RedisLink) -> None:
    assert await link.call("SET", "name", "工会") == b"OK"
    assert await link.call("GET", "name") == "工会".encode()
    assert await link.call("GET", "nobody") is None
    assert await link.call("HSET", "hash", "a", 1, "b", 2.5) == 2
    assert await link.call("HGETALL", "hash") == [b"a", b"1", b"b", b"2.5"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.binary(max_size=4096))
async def test_any_bytes_come_back_unchanged(redis_url: str, value: bytes) -> None:
    async with RedisLink(redis_url) as link:
        assert await link.call("ECHO", value) == value


async def test_a_reply_of_many_packets_is_put_together(link: RedisLink) -> None:
    value = os.urandom(3_000_000)
    assert await link.call("SET", "large", value) == b"OK"
    replies = await asyncio.gather(*(link.call(*call) for call in (("GET", "large"), ("ECHO", "next"))))
    assert replies == [value, b"next"]


async def test_a_thousand_concurrent_calls_each_get_their_own_reply(link: RedisLink) -> None:
    replies = await asyncio.gather(*(link.call("ECHO", number) for number in range(1000)))
    assert replies == [str(number).encode() for number in range(1000)]
    assert await asyncio.gather(*(link.call("INCR", "count") for _ in range(1000))) == list(range(1, 1001))


async def test_concurrent_calls_leave_in_one_write(link: RedisLink) -> None:
    before = await reads_processed(link)
    await asyncio.gather(*(link.call("SET", f"key {number}", "x") for number in range(100)))
    together = await reads_processed(link) - before - 1
    for number in range(100):
        await link.call("SET", f"key {number}", "x")
    one_by_one = await reads_processed(link) - before - together - 2
    assert together <= 2
    assert one_by_one == 100


async def test_a_cancelled_call_does_not_shift_the_replies(link: RedisLink) -> None:
    impatient = asyncio.create_task(link.call("ECHO", "given up"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await link.call("ECHO", "kept") == b"kept"
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_an_error_reply_is_raised_without_the_arguments(link: RedisLink) -> None:
    await link.call("SET", "text", "x")
    with pytest.raises(RedisRefused) as wrong_type:
        await link.call("LPUSH", "text", "y")
    assert wrong_type.value.kind == "WRONGTYPE"
    with pytest.raises(RedisRefused) as unknown:
        await link.call("NOSUCH", "522101199001011234")
    assert "5221" not in str(unknown.value)


async def test_a_script_is_loaded_once_and_again_when_the_server_forgot_it(link: RedisLink) -> None:
    # Other tests of this process have used the same server.
    await link.call("CONFIG", "RESETSTAT")
    assert await link.run(ADD, ["sum"], [5]) == 5
    assert await link.run(ADD, ["sum"], [5]) == 10
    await link.call("SCRIPT", "FLUSH")
    assert await asyncio.gather(*(link.run(ADD, ["sum"], [1]) for _ in range(3))) == [11, 12, 13]
    statistics = await link.call("INFO", "commandstats")
    assert isinstance(statistics, bytes)
    assert b"cmdstat_eval:" not in statistics


async def test_an_error_inside_a_script_is_raised(link: RedisLink) -> None:
    with pytest.raises(RedisRefused):
        await link.run(Script("return redis.call('INCR', KEYS[1], 'too', 'many')"), ["key"], [])


async def test_too_many_calls_are_refused_before_they_are_sent(redis_url: str) -> None:
    async with RedisLink(redis_url, max_in_flight=10) as link:
        results = await asyncio.gather(*(link.call("INCR", "count") for _ in range(15)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, RedisUnavailable)]
        assert results[:10] == list(range(1, 11))
        assert [error.may_have_run for error in refused] == [False] * 5
        assert await link.call("GET", "count") == b"10"


async def test_a_killed_server_comes_back_with_its_data(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as first, RedisLink(first.url) as link, RedisLink(first.url) as observer:
        await asyncio.gather(*(link.call("SET", f"key {number}", number) for number in range(100)))
        in_flight = asyncio.create_task(link.call("BLPOP", "never", 0))
        await until(lambda: reports(observer, "clients", "blocked_clients:1\r"))
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(RedisUnavailable) as lost:
            await in_flight
        assert lost.value.may_have_run
        # What is called while the server is away waits for it.
        waiting = asyncio.create_task(link.call("MGET", *(f"key {number}" for number in range(100))))
        await first.stop()
        async with RedisServer(tmp_path):
            assert await waiting == [str(number).encode() for number in range(100)]


async def test_a_call_while_the_server_is_away_ends_in_time(own_server: RedisServer) -> None:
    async with RedisLink(own_server.url, timeout_s=0.2) as link:
        os.kill(own_server.pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(RedisUnavailable):
                await link.call("PING")


async def test_a_stuck_server_fails_the_calls_in_time_and_is_used_again_later(own_server: RedisServer) -> None:
    async with RedisLink(own_server.url, timeout_s=0.3) as link:
        os.kill(own_server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(RedisUnavailable) as stuck:
                await link.call("SET", "key", "value")
            assert stuck.value.may_have_run
        finally:
            os.kill(own_server.pid, signal.SIGCONT)
        assert await link.call("GET", "key") in {b"value", None}


async def test_a_link_without_a_server_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(RedisUnavailable, match="cannot connect"):
        async with RedisLink(f"unix://{tmp_path}/no.sock", start_timeout_s=0.1):
            pass


async def test_a_link_does_not_speak_to_a_cluster() -> None:
    with pytest.raises(RedisAddressInvalid):
        RedisLink("redis+cluster://127.0.0.1:7000")


async def test_a_closed_link_refuses_calls(redis_url: str) -> None:
    async with RedisLink(redis_url) as link:
        pass
    with pytest.raises(RedisUnavailable, match="closed"):
        await link.call("PING")


async def test_it_logs_in_and_chooses_the_database(own_server: RedisServer) -> None:
    url = own_server.url.replace("unix://", "unix://bot:secret@") + "?db=2"
    async with RedisLink(own_server.url) as other:
        await other.call("ACL", "SETUSER", "bot", "on", ">secret", "~*", "+@all")
        async with RedisLink(url) as link:
            await link.call("SET", "key", "value")
            assert await link.call("ACL", "WHOAMI") == b"bot"
            assert await other.call("GET", "key") is None
        with pytest.raises(RedisRefused, match="WRONGPASS"):
            async with RedisLink(url.replace("secret", "wrong")):
                pass


async def test_a_channel_is_heard_from_the_start_of_the_block(link: RedisLink) -> None:
    async with link.subscribe("heard") as messages:
        for number in range(3):
            await link.call("PUBLISH", "heard", f"openid {number}")
        heard = [await anext(messages) for _ in range(3)]
    assert heard == [b"openid 0", b"openid 1", b"openid 2"]

    # The server learns of a closed connection a moment later.
    async def nobody_hears() -> bool:
        return await link.call("PUBLISH", "heard", "late") == 0

    await until(nobody_hears)


async def test_a_subscription_renews_itself(link: RedisLink) -> None:
    async with link.subscribe("turns") as messages:
        await link.call("CLIENT", "KILL", "TYPE", "pubsub")

        async def heard() -> bool:
            return await link.call("PUBLISH", "turns", "again") == 1

        await until(heard)
        assert await anext(messages) == b"again"

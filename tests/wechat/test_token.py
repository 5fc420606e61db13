"""One access token for all: shared through Redis, fetched once however many ask."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.values.clock import MovedClock
from bot.wechat.errors import (
    ApiError,
    CredentialsWrong,
    IpNotAllowed,
    OutcomeUnknown,
    SecretFrozen,
    SystemBusy,
    Unreachable,
)
from bot.wechat.token import SharedLock, StableToken
from tests.wechat.conftest import APP_ID
from tests.wechat.fake_api import FakeApi, Raw

ENDPOINT = "/cgi-bin/stable_token"
SECRET = "5e5c1fa3ba1ea9fcd5ab21dd5400aa11"
Holder = Callable[..., StableToken]


class NullLock:
    """No lock at all: the control of the stampede tests."""

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[bool]:
        yield True


@pytest.fixture
def holder(redis: Redis, http: aiohttp.ClientSession, api: FakeApi, clock: MovedClock) -> Holder:
    """Makes token holders, each as if in a process of its own."""

    def make(lock: SharedLock | None = None) -> StableToken:
        return StableToken(redis, http, api.base, APP_ID, SECRET, clock, lock=lock)

    return make


async def test_it_is_fetched_in_normal_mode(holder: Holder, api: FakeApi) -> None:
    assert await holder().get() == "token-1"
    (call,) = api.calls
    assert (call.method, call.path, call.query) == ("POST", ENDPOINT, {})
    assert call.json == {
        "grant_type": "client_credential",
        "appid": APP_ID,
        "secret": SECRET,
        "force_refresh": False,
    }


async def test_it_is_kept_in_the_process_and_shared_between_processes(holder: Holder, api: FakeApi) -> None:
    first, second = holder(), holder()
    tokens = [await first.get(), await first.get(), await second.get(), await second.get()]
    assert tokens == ["token-1"] * 4
    assert api.fetches == 1


async def test_it_is_renewed_before_its_end(holder: Holder, api: FakeApi, clock: MovedClock) -> None:
    tokens = holder()
    await tokens.get()
    clock.move(timedelta(seconds=7200 - 300))
    assert await tokens.get() == "token-1"
    assert api.fetches == 1
    clock.move(timedelta(seconds=300 - 239))
    assert await tokens.get() == "token-2"
    assert await holder().get() == "token-2"
    assert api.fetches == 2


async def test_a_failed_renewal_is_no_failure_while_the_old_token_is_good(
    holder: Holder, api: FakeApi, clock: MovedClock
) -> None:
    tokens = holder()
    await tokens.get()
    clock.move(timedelta(seconds=7200 - 200))
    api.say(ENDPOINT, {"errcode": -1, "errmsg": "system busy"}, {"errcode": -1, "errmsg": "system busy"})
    assert [await tokens.get(), await tokens.get()] == ["token-1"] * 2
    assert api.fetches == 2
    clock.move(timedelta(seconds=200))
    with pytest.raises(SystemBusy):
        await tokens.get()
    assert await tokens.get() == "token-2"


async def test_the_same_token_again_is_not_asked_for_at_once(holder: Holder, api: FakeApi, clock: MovedClock) -> None:
    same = {"access_token": "token-1", "expires_in": 200}
    api.say(ENDPOINT, same, same)
    tokens = holder()
    assert [await tokens.get(), await tokens.get(), await holder().get()] == ["token-1"] * 3
    assert api.fetches == 1
    clock.move(timedelta(seconds=6))
    await tokens.get()
    assert api.fetches == 2


class TestStampede:
    """Fifty tasks in each of two processes find the token ended."""

    async def _ask_all(self, holders: list[StableToken], clock: MovedClock, tasks_each: int) -> set[str]:
        for tokens in holders:
            await tokens.get()
        clock.move(timedelta(hours=2))
        asked = (tokens.get() for tokens in holders for _ in range(tasks_each))
        return set(await asyncio.gather(*asked))

    async def test_one_fetch_for_all(self, holder: Holder, api: FakeApi, clock: MovedClock) -> None:
        api.token_delay_s = 0.05
        assert await self._ask_all([holder(), holder()], clock, 50) == {"token-2"}
        assert api.fetches == 1 + 1

    async def test_without_the_lock_every_process_fetches(
        self, holder: Holder, api: FakeApi, clock: MovedClock
    ) -> None:
        api.token_delay_s = 0.05
        await self._ask_all([holder(NullLock()), holder(NullLock())], clock, 50)
        assert api.fetches == 1 + 2

    async def test_many_processes(self, holder: Holder, api: FakeApi, clock: MovedClock) -> None:
        api.token_delay_s = 0.05
        assert await self._ask_all([holder() for _ in range(20)], clock, 1) == {"token-2"}
        assert api.fetches == 1 + 1

    async def test_many_processes_without_the_lock(self, holder: Holder, api: FakeApi, clock: MovedClock) -> None:
        # Long enough for all twenty to ask before the first is answered, however busy the machine is.
        api.token_delay_s = 1.0
        await self._ask_all([holder(NullLock()) for _ in range(20)], clock, 1)
        assert api.fetches == 1 + 20

    async def test_a_failed_fetch_fails_all_who_waited_and_no_more(self, holder: Holder, api: FakeApi) -> None:
        api.say(ENDPOINT, {"errcode": 40164, "errmsg": "invalid ip 10.0.0.1 ipv6 ::1, not in whitelist rid: 6a-b"})
        tokens = holder()
        answers = await asyncio.gather(*(tokens.get() for _ in range(20)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {IpNotAllowed}
        assert api.fetches == 1

    async def test_who_gives_up_takes_nobody_along(self, holder: Holder, api: FakeApi) -> None:
        api.token_delay_s = 0.05
        tokens = holder()
        impatient, patient = asyncio.create_task(tokens.get()), asyncio.create_task(tokens.get())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient == "token-1"
        assert api.fetches == 1

    async def test_a_crashed_holder_of_the_lock_blocks_nobody_for_long(
        self, holder: Holder, api: FakeApi, redis: Redis
    ) -> None:
        await redis.set(f"wechat:{{{APP_ID}}}:access_token:lock", "crashed", px=120)
        assert await holder().get() == "token-1"
        assert api.fetches == 1


class TestReplace:
    async def test_a_refused_token_is_asked_for_once_more(self, holder: Holder, api: FakeApi) -> None:
        first, second = holder(), holder()
        refused = await first.get()
        await second.get()
        api.rotate()
        assert await asyncio.gather(*(first.replace(refused) for _ in range(20))) == ["token-2"] * 20
        assert await second.replace(refused) == "token-2"
        assert await first.replace(refused) == "token-2"
        assert api.fetches == 2
        api.rotate()
        assert await first.replace("token-2") == "token-3"
        assert api.fetches == 3
        assert all(call.json["force_refresh"] is False for call in api.calls)

    async def test_a_platform_that_refuses_its_own_token_is_not_asked_with_every_message(
        self, holder: Holder, api: FakeApi, clock: MovedClock
    ) -> None:
        tokens = holder()
        refused = await tokens.get()
        for _ in range(5):
            assert await tokens.replace(refused) == refused
        assert api.fetches == 2
        clock.move(timedelta(seconds=6))
        await tokens.replace(refused)
        assert api.fetches == 3


class TestFailures:
    @pytest.mark.parametrize(
        ("errcode", "kind"),
        [(40013, CredentialsWrong), (40125, CredentialsWrong), (40243, SecretFrozen), (40164, IpNotAllowed)],
    )
    async def test_refusals_are_typed(self, holder: Holder, api: FakeApi, errcode: int, kind: type[ApiError]) -> None:
        api.say(ENDPOINT, {"errcode": errcode, "errmsg": "no rid: 69aa-55"})
        with pytest.raises(kind) as error:
            await holder().get()
        assert error.value.rid == "69aa-55"

    @pytest.mark.parametrize(
        "answer",
        [{}, {"access_token": "", "expires_in": 7200}, {"access_token": "x"}, {"access_token": "x", "expires_in": 0}],
    )
    async def test_an_answer_without_a_token_is_named(
        self, holder: Holder, api: FakeApi, answer: dict[str, object]
    ) -> None:
        api.say(ENDPOINT, answer)
        with pytest.raises(OutcomeUnknown):
            await holder().get()

    async def test_without_redis_the_platform_is_asked_directly(
        self, http: aiohttp.ClientSession, api: FakeApi, clock: MovedClock
    ) -> None:
        absent = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
        tokens = StableToken(absent, http, api.base, APP_ID, SECRET, clock)
        assert [await tokens.get(), await tokens.get()] == ["token-1"] * 2
        assert api.fetches == 1
        await absent.aclose()

    async def test_what_somebody_else_left_in_redis_is_replaced(
        self, holder: Holder, api: FakeApi, redis: Redis
    ) -> None:
        await redis.set(f"wechat:{{{APP_ID}}}:access_token", "not ours")
        assert [await holder().get(), await holder().get()] == ["token-1"] * 2
        assert api.fetches == 1

    async def test_the_secret_is_in_no_error(
        self, redis: Redis, http: aiohttp.ClientSession, api: FakeApi, clock: MovedClock
    ) -> None:
        api.say(ENDPOINT, Raw(status=502))
        for base, kind in ((api.base, OutcomeUnknown), ("http://127.0.0.1:1", Unreachable)):
            with pytest.raises(kind) as error:
                await StableToken(redis, http, base, APP_ID, SECRET, clock).get()
            assert SECRET not in "".join(traceback.format_exception(error.value))

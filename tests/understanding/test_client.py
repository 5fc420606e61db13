"""The Rasa client against a server on a real port: cache, budget, breaker and keywords."""

import asyncio
import socket
import time
from datetime import timedelta

import aiohttp
import pytest
import structlog

from bot.understanding.client import Breaker, NluClient, RankingCache
from bot.understanding.models import Guess, Ranking
from bot.values.clock import MovedClock
from tests.understanding.conftest import FakeNlu

BUDGET_S = 1.0


def client(http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock, timeout_s: float = 1.0) -> NluClient:
    return NluClient(http, nlu.url, clock, timeout_s=timeout_s)


async def test_the_models_ranking_comes_back_sorted(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock
) -> None:
    ranking = await client(http, nlu, clock).rank("app打不开", BUDGET_S)
    assert ranking == Ranking((Guess("faq_app", 0.8), Guess("greet", 0.2)), "model", "m1")


async def test_a_repeat_in_any_spelling_is_answered_from_the_cache(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock
) -> None:
    understanding = client(http, nlu, clock)
    first = await understanding.rank("APP 打不开", BUDGET_S)
    assert await understanding.rank("app打不开 ", BUDGET_S) is first
    assert nlu.asked == ["app打不开"]


async def test_the_cache_forgets_in_time(http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock) -> None:
    understanding = NluClient(http, nlu.url, clock, cache=RankingCache(clock, ttl_s=60))
    await understanding.rank("app", BUDGET_S)
    clock.move(timedelta(seconds=61))
    await understanding.rank("app", BUDGET_S)
    assert len(nlu.asked) == 2


async def test_a_new_model_empties_the_cache(http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock) -> None:
    understanding = client(http, nlu, clock)
    await understanding.rank("消费券", BUDGET_S)
    nlu.model_id = "m2"
    await understanding.rank("书屋", BUDGET_S)
    ranking = await understanding.rank("消费券", BUDGET_S)
    assert ranking.model_id == "m2"
    assert nlu.asked == ["消费券", "书屋", "消费券"]


def test_the_cache_drops_the_least_recently_used(clock: MovedClock) -> None:
    cache = RankingCache(clock, entries=2)
    ranking = Ranking((), "model", "m1")
    cache.put("a", ranking)
    cache.put("b", ranking)
    cache.get("a")
    cache.put("c", ranking)
    assert cache.get("b") is None
    assert cache.get("a") is ranking


async def test_a_blank_text_asks_nobody(http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock) -> None:
    assert (await client(http, nlu, clock).rank("  \u200b", BUDGET_S)).guesses == ()
    assert nlu.asked == []


async def test_an_endless_text_is_cut(http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock) -> None:
    await client(http, nlu, clock).rank("工" * 10_000, BUDGET_S)
    assert len(nlu.asked[0]) == 600


async def test_a_slow_server_costs_the_budget_and_keywords_answer(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock
) -> None:
    nlu.hang = True
    start = time.monotonic()
    ranking = await client(http, nlu, clock, timeout_s=30).rank("取消报名", 0.1)
    assert time.monotonic() - start < 2
    assert ranking.source == "keywords"
    assert ranking.guesses[0].intent == "cancel_registration"


async def test_the_clients_own_timeout_bounds_a_generous_budget(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock
) -> None:
    nlu.hang = True
    start = time.monotonic()
    assert (await client(http, nlu, clock, timeout_s=0.1).rank("查进度", 30)).source == "keywords"
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, None),
        (404, b"{}"),
        (200, b"not json"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"intent_ranking": [{"name": "greet"}]}'),
        (200, b'{"intent_ranking": [{"name": "greet", "confidence": "much"}]}'),
        (200, b"\xff\xfe"),
    ],
)
async def test_an_unusable_answer_leaves_it_to_keywords(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock, status: int, body: bytes | None
) -> None:
    nlu.status, nlu.body = status, body
    ranking = await client(http, nlu, clock).rank("转人工", BUDGET_S)
    assert ranking.source == "keywords"
    assert ranking.guesses[0].intent == "handoff_human"


async def test_a_dead_server_is_left_alone_and_tried_again_later(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock
) -> None:
    understanding = client(http, nlu, clock)
    nlu.status = 500
    for number in range(10):
        await understanding.rank(f"第{number}句", BUDGET_S)
    assert len(nlu.asked) == 3
    assert understanding.is_degraded
    clock.move(timedelta(seconds=2.1))
    nlu.status = 200
    assert (await understanding.rank("好了没", BUDGET_S)).source == "model"
    assert not understanding.is_degraded


async def test_a_refused_connection_leaves_it_to_keywords(http: aiohttp.ClientSession, clock: MovedClock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        understanding = NluClient(http, f"http://127.0.0.1:{taken.getsockname()[1]}", clock)
        assert (await understanding.rank("转人工", BUDGET_S)).source == "keywords"


async def test_keyword_rankings_are_not_cached(http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock) -> None:
    understanding = client(http, nlu, clock)
    nlu.status = 500
    assert (await understanding.rank("转人工", BUDGET_S)).source == "keywords"
    nlu.status = 200
    assert (await understanding.rank("转人工", BUDGET_S)).source == "model"


async def test_while_one_request_finds_out_the_others_do_not_wait(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock
) -> None:
    understanding = client(http, nlu, clock, timeout_s=5)
    nlu.status = 500
    for number in range(3):
        await understanding.rank(f"第{number}句", BUDGET_S)
    clock.move(timedelta(seconds=2.1))
    nlu.hang = True
    trial = asyncio.create_task(understanding.rank("试一下", 5))
    for _ in range(4):
        await nlu.next_request()
    assert (await understanding.rank("别等", 5)).source == "keywords"
    assert len(nlu.asked) == 4
    trial.cancel()
    await asyncio.gather(trial, return_exceptions=True)


async def test_a_cancelled_trial_gives_its_place_back(
    http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock
) -> None:
    breaker = Breaker(clock, failures_to_open=1)
    understanding = NluClient(http, nlu.url, clock, breaker=breaker)
    nlu.status = 500
    await understanding.rank("一", BUDGET_S)
    clock.move(timedelta(seconds=2.1))
    nlu.hang = True
    trial = asyncio.create_task(understanding.rank("二", BUDGET_S))
    for _ in range(2):
        await nlu.next_request()
    assert breaker.state == "trying"
    trial.cancel()
    await asyncio.gather(trial, return_exceptions=True)
    assert breaker.allows()


def test_the_breaker_waits_longer_each_time_up_to_a_bound(clock: MovedClock) -> None:
    breaker = Breaker(clock, failures_to_open=1, open_s=2, longest_s=5)
    pauses = []
    for _ in range(4):
        assert breaker.allows()
        breaker.failed()
        waited = 0
        while not breaker.allows():
            clock.move(timedelta(seconds=1))
            waited += 1
        breaker.gave_up()
        pauses.append(waited)
    assert pauses == [2, 4, 5, 5]


def test_successes_in_between_keep_the_breaker_closed(clock: MovedClock) -> None:
    breaker = Breaker(clock, failures_to_open=2)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.state == "closed"


async def test_no_text_reaches_the_log(http: aiohttp.ClientSession, nlu: FakeNlu, clock: MovedClock) -> None:
    nlu.status = 500
    with structlog.testing.capture_logs() as logged:
        await client(http, nlu, clock).rank("我叫龙小芳取消报名", BUDGET_S)
    assert logged
    assert "龙小芳" not in repr(logged)

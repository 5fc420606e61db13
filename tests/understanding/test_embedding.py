"""Vectors over HTTP: what is remembered, what is given up, and that no answer is taken on trust."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from bot.understanding.client import Breaker
from bot.understanding.embedding import TEXTS_AT_ONCE, HttpEmbedding, NoEmbedding, VectorCache
from bot.values.clock import MovedClock


class Encoder:
    """The server's side: a vector whose first number is the text's length."""

    def __init__(self) -> None:
        self.encoder = "one"
        self.requests: list[list[str]] = []
        self.status = 200
        self.body: object = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def handle(self, request: web.Request) -> web.Response:
        texts: list[str] = (await request.json())["texts"]
        self.requests.append(texts)
        await self.hold.wait()
        if self.body is not None:
            return web.json_response(self.body)
        vectors = [_row([len(text), 1.0]) for text in texts]
        answer = {"encoder": self.encoder, "dimensions": 2, "vectors": vectors}
        return web.json_response(answer, status=self.status)


def _row(numbers: Sequence[float]) -> str:
    return base64.b64encode(np.array(numbers, dtype="<f4").tobytes()).decode()


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
async def embedding(encoder: Encoder, clock: MovedClock) -> AsyncIterator[HttpEmbedding]:
    app = web.Application()
    app.router.add_post("/model/embed", encoder.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield HttpEmbedding(
            http, f"http://127.0.0.1:{runner.addresses[0][1]}", clock, breaker=Breaker(clock, failures_to_open=2)
        )
    encoder.hold.set()
    await runner.cleanup()


async def test_vectors_come_in_the_order_of_the_texts(embedding: HttpEmbedding) -> None:
    found = await embedding.vectors(["一", "一二三", "一二", "一"], 5.0)
    assert found is not None
    assert found.encoder == "one"
    assert found.vectors[:, 0].tolist() == [1, 3, 2, 1]


async def test_what_was_asked_is_remembered_under_its_plain_form(embedding: HttpEmbedding, encoder: Encoder) -> None:
    await embedding.vectors(["Ｎ＋１ 是"], 5.0)
    found = await embedding.vectors(["n+1是", "加班"], 5.0)
    assert found is not None
    assert found.vectors[:, 0].tolist() == [4, 2]
    assert encoder.requests == [["n+1是"], ["加班"]]


async def test_another_encoder_empties_the_memory(embedding: HttpEmbedding, encoder: Encoder) -> None:
    await embedding.vectors(["一", "一二"], 5.0)
    encoder.encoder = "two"
    found = await embedding.vectors(["一", "一二三"], 5.0)
    assert found is not None
    assert found.encoder == "two"
    assert encoder.requests[1:] == [["一二三"], ["一", "一二三"]], "vectors of two encoders are never mixed"


async def test_many_texts_go_in_several_requests(embedding: HttpEmbedding, encoder: Encoder) -> None:
    found = await embedding.vectors([f"第{number}条" for number in range(TEXTS_AT_ONCE + 1)], 5.0)
    assert found is not None
    assert found.vectors.shape == (TEXTS_AT_ONCE + 1, 2)
    assert [len(request) for request in encoder.requests] == [TEXTS_AT_ONCE, 1]


async def test_after_failures_nobody_asks_for_a_while(
    embedding: HttpEmbedding, encoder: Encoder, clock: MovedClock
) -> None:
    encoder.status = 503
    assert await embedding.vectors(["一"], 5.0) is None
    assert await embedding.vectors(["一"], 5.0) is None
    assert await embedding.vectors(["一"], 5.0) is None
    assert len(encoder.requests) == 2
    encoder.status = 200
    clock.move(timedelta(minutes=1))
    assert await embedding.vectors(["一"], 5.0) is not None


async def test_the_budget_is_kept(embedding: HttpEmbedding, encoder: Encoder) -> None:
    encoder.hold.clear()
    assert await embedding.vectors(["一"], 0.05) is None


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"encoder": "one", "dimensions": 2},
        {"encoder": "one", "dimensions": 2, "vectors": []},
        {"encoder": "one", "dimensions": 3, "vectors": [_row([1, 2])]},
        {"encoder": "one", "dimensions": 2, "vectors": ["!"]},
        {"encoder": "one", "dimensions": 2, "vectors": [_row([float("nan"), 1])]},
        {"encoder": "one", "dimensions": 2, "vectors": [_row([1, 2]), _row([1, 2])]},
    ],
)
async def test_a_faulty_answer_is_none(embedding: HttpEmbedding, encoder: Encoder, body: object) -> None:
    encoder.body = body
    assert await embedding.vectors(["一"], 5.0) is None


async def test_nothing_asked_and_nobody_to_ask() -> None:
    assert await NoEmbedding().vectors(["一"], 1.0) is None


async def test_the_least_recently_used_vector_goes_first() -> None:
    cache = VectorCache(entries=2)
    for text in ("一", "二"):
        cache.put("one", text, np.ones(2, dtype=np.float32))
    assert cache.get("一") is not None
    cache.put("one", "三", np.ones(2, dtype=np.float32))
    assert cache.get("二") is None
    assert cache.get("一") is not None

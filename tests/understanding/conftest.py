"""A stand-in for the Rasa server, on a real port."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class FakeNlu:
    """Answers ``POST /model/parse``; tests change how."""

    url: str = ""
    model_id: str = "m1"
    intent: str = "faq_app"
    status: int = 200
    body: bytes | None = None
    hang: bool = False
    asked: list[str] = field(default_factory=list)
    _arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def next_request(self) -> None:
        """Return when a request has come in that no earlier call of this waited for."""
        await self._arrived.acquire()

    async def parse(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append((await request.json())["text"])
        self._arrived.release()
        if self.hang:
            await asyncio.Event().wait()
        if self.body is not None:
            return web.Response(body=self.body, status=self.status, content_type="application/json")
        ranking = [{"name": "greet", "confidence": 0.2}, {"name": self.intent, "confidence": 0.8}]
        return web.json_response({"intent_ranking": ranking, "model_id": self.model_id}, status=self.status)


@pytest.fixture
async def nlu() -> AsyncIterator[FakeNlu]:
    """A fake server that is up."""
    fake = FakeNlu()
    app = web.Application()
    app.router.add_post("/model/parse", fake.parse)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    fake.url = str(server.make_url("/"))
    yield fake
    await server.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client session of the test."""
    async with aiohttp.ClientSession() as session:
        yield session

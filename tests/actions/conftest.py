"""The whole assistant for tests of what conversations leave in the records, without an NLU or with a scripted one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from bot.simulator import pushes
from bot.simulator.models import Attempt
from bot.storage.files import PrivateFiles
from bot.values.clock import MovedClock
from tests.support.assistant import NO_NLU, Assistant, running_assistant, settings_for
from tests.support.nlu import free_port

PATIENCE_S = 20.0
"""When the demonstration begins; the clock of tests stands there as well."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One follower's chat with the assistant."""

    assistant: Assistant
    openid: str

    async def say(self, *texts: str) -> str:
        """Say one thing after the other; return everything the follower saw as the answer to the last one."""
        answer = ""
        for text in texts:
            exchange = await self.assistant.say(self.openid, text)
            assert exchange.attempts[-1].answered, f"no answer to {text}: {exchange.attempts}"
            answer = exchange.text
        return answer

    async def say_thrice(self, text: str) -> list[Attempt]:
        """Deliver one message three times at once, as an impatient platform does."""
        platform = self.assistant.platform
        return await platform.deliver(platform.prepare(self.openid, pushes.text(text)), times=3)

    async def show(self, picture: bytes) -> str:
        """Send a picture; return the answer."""
        return (await self.assistant.platform.send_image(self.openid, picture)).text


@dataclass(slots=True)
class ScriptedNlu:
    """An NLU that takes every message for ``intent``, but for those that ``chances`` knows."""

    port: int
    intent: str = "chitchat"
    chances: dict[str, dict[str, float]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def parse(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body["text"])
        chances = self.chances.get(body["text"], {self.intent: 0.9})
        ranking = [{"name": intent, "confidence": chance} for intent, chance in chances.items()]
        return web.json_response({"intent_ranking": ranking, "model_id": "scripted"})


@pytest.fixture
async def nlu() -> AsyncIterator[ScriptedNlu]:
    """A scripted NLU over HTTP, for tests that also ask for ``understanding_assistant``."""
    scripted = ScriptedNlu(free_port())
    application = web.Application()
    application.router.add_post("/model/parse", scripted.parse)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", scripted.port).start()
    yield scripted
    await runner.cleanup()


@pytest.fixture
async def assistant(
    seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> AsyncIterator[Assistant]:
    """The assistant without an NLU: keywords carry it."""
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path, nlu_url=NO_NLU)
    settings = replace(settings, turn_deadline_s=PATIENCE_S)
    async with running_assistant(settings, clock, deadline_s=PATIENCE_S + 5) as running:
        yield running


@pytest.fixture
async def understanding_assistant(
    seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock, nlu: ScriptedNlu
) -> AsyncIterator[Assistant]:
    """The assistant with the scripted NLU."""
    url = f"http://127.0.0.1:{nlu.port}"
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path, nlu_url=url)
    settings = replace(settings, turn_deadline_s=PATIENCE_S, nlu_timeout_s=PATIENCE_S / 2)
    async with running_assistant(settings, clock, deadline_s=PATIENCE_S + 5) as running:
        yield running


@pytest.fixture
def talk(assistant: Assistant) -> Talk:
    """A follower's chat with the assistant without an NLU."""
    return Talk(assistant, assistant.platform.add_follower("杨师傅").openid)


async def stored_files(files: PrivateFiles, folder: Path) -> list[str]:
    """Return what each private file below ``folder`` was handed in for."""

    def names() -> list[str]:
        return [path.name for path in (folder / "files").rglob("*") if path.is_file()]

    return [(await files.read(name)).purpose for name in await asyncio.to_thread(names)]

"""What operators see: whether the process lives, which part is down, and what was counted."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import xmltodict

from bot.app.assistant import open_bot
from bot.commands.processes import readiness
from bot.gateway.server import Gateway, Metrics
from bot.settings import Settings
from bot.storage.redis_server import RedisServer
from tests.gateway.conftest import APP_ID
from tests.gateway.served import Answered, Served, served
from tests.gateway.test_callback import PAYLOADS, TEXT
from tests.support.assistant import settings_for
from tests.support.wechat_callbacks import Callback, PlatformSide

OPENID = "oqr8d1N2wrXqTqLqPpZ9cTg5hH2E"


async def test_the_process_lives(gateway: Served) -> None:
    assert (await gateway.get("/healthz")).status == 200


async def test_deliveries_are_counted_by_kind_and_end(gateway: Served, platform: PlatformSide) -> None:
    for name in ("text", "click", "unknown_message", "unknown_event"):
        assert (await gateway.deliver(platform.safe((PAYLOADS / f"{name}.xml").read_text()))).status == 200
    for kind in ("TextMessage", "MenuClicked", "UnknownMessage", "UnknownEvent"):
        assert await gateway.counted("wechat_deliveries_total", kind=kind, outcome="answered") == 1, kind


async def test_metrics_hold_nothing_personal(gateway: Served, platform: PlatformSide) -> None:
    said = "我叫杨小芳，电话13985600018"
    xml = TEXT.replace("我想给孩子报名勤工俭学", said)
    callback = platform.safe(xml)
    await gateway.deliver(Callback({**callback.query, "openid": OPENID}, callback.body))
    shown = (await gateway.get("/metrics")).body.decode()
    assert "wechat_answer_seconds" in shown
    for secret in ("杨小芳", "13985600018", OPENID, APP_ID, sender(xml)):
        assert secret not in shown


def sender(xml: str) -> str:
    return str(xmltodict.parse(xml)["xml"]["FromUserName"])


# Readiness, with the real check ---------------------------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    """A Redis of this test alone."""
    with tempfile.TemporaryDirectory(prefix="bot-redis-") as folder:
        started = RedisServer(Path(folder))
        async with started:
            yield started


@pytest.fixture
def settings(server: RedisServer, sqlite_url: str, tmp_path: Path) -> Settings:
    """Settings of a gateway over that Redis."""
    return settings_for(database_url=sqlite_url, redis_url=server.url, data_dir=tmp_path)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Served]:
    async with open_bot(settings) as bot:
        gateway = Gateway(bot.codec, bot.turns, Metrics(), lambda: readiness(bot), deadline_s=4.0)
        async with served(gateway) as opened:
            yield opened


async def test_a_gateway_is_ready_until_redis_is_down(settings: Settings, server: RedisServer) -> None:
    async with running(settings) as gateway:
        assert await gateway.get("/readyz") == Answered(200, b'{"redis": true, "database": true}')
        await server.stop()
        assert await gateway.get("/readyz") == Answered(503, b'{"redis": false, "database": true}')
        assert (await gateway.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "url",
    ["sqlite+aiosqlite:////nowhere/records.db", "postgresql+asyncpg://nobody@127.0.0.1:9/nothing"],
    ids=["sqlite", "postgresql"],
)
async def test_a_gateway_is_not_ready_without_its_database(settings: Settings, url: str) -> None:
    async with running(replace(settings, database_url=url)) as gateway:
        assert await gateway.get("/readyz") == Answered(503, b'{"redis": true, "database": false}')

"""The gateway as it is started and stopped: ``python -m bot gateway``, and a stop in the middle of a turn."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bot.settings import Settings
from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisLink
from bot.turns.models import FollowerKeys
from bot.wechat.codec import Codec
from tests.gateway.conftest import APP_ID, KEY, TOKEN
from tests.gateway.served import Served, echoing
from tests.gateway.test_callback import TEXT
from tests.support.assistant import settings_for
from tests.support.wechat_callbacks import PlatformSide
from tests.turns.scripted import Scripted

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 90.0


def environment(settings: Settings) -> dict[str, str]:
    """Return the settings as the environment of a process."""
    wechat = settings.wechat
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    return kept | {
        "BOT_WECHAT_APP_ID": wechat.app_id,
        "BOT_WECHAT_APP_SECRET": wechat.app_secret,
        "BOT_WECHAT_TOKEN": wechat.token,
        "BOT_WECHAT_AES_KEY": wechat.aes_keys[0],
        "BOT_DATABASE_URL": settings.database_url,
        "BOT_REDIS_URL": settings.redis_url,
        "BOT_DATA_DIR": str(settings.data_dir),
        "BOT_FIELD_KEYS": settings.field_keys,
    }


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Start the command; give the process and the base address that it announces."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "gateway", "--port", "0"),
        cwd=ROOT,
        env=environment(settings),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        yield process, line.decode().split()[-1].removesuffix("/wechat")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_command_serves_until_it_is_told_to_stop(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    platform = PlatformSide(settings.wechat.token, settings.wechat.app_id, settings.wechat.aes_keys[0])
    async with started(settings) as (process, base), aiohttp.ClientSession() as http:
        gateway = Served(base, http)
        assert (await gateway.get("/readyz")).status == 200
        assert (await gateway.get("/wechat", platform.verification("583720").query)).body == b"583720"
        answered = await gateway.deliver(platform.safe(TEXT))
        assert platform.reply(answered.body)["MsgType"] == "text"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_stop_lets_the_turns_at_work_finish(
    redis_url: str, cipher: FieldCipher, platform: PlatformSide
) -> None:
    responder, codec = Scripted(), Codec(TOKEN, APP_ID, (KEY,), "safe")
    responder.go_on.clear()
    async with echoing(codec, redis_url, cipher, deadline_s=0.1, responder=responder) as gateway:
        assert (await gateway.deliver(platform.safe(TEXT))).body == b"success"
        asyncio.get_running_loop().call_later(0.1, responder.go_on.set)
    async with RedisLink(redis_url) as link:
        assert await link.call("XLEN", FollowerKeys.of("oXbF21AbCdEfGhIjKlMnOpQrStU0").outbox) == 1

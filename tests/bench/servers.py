"""The servers that are compared, one process each: ``python -m tests.bench.servers NAME PORT``.

``empty`` answers nothing at all, ``echo`` does what wechatpy's documentation shows, ``turn`` is our gateway.
Each tells its own CPU time at ``/cpu`` (seconds).
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from bot.app.assistant import open_bot
from bot.gateway.server import Gateway, Metrics
from bot.settings import Settings, load_settings

SERVER_CORE = 0
Handler = Callable[[web.Request], Awaitable[web.Response]]


async def empty(request: web.Request) -> web.Response:
    """Read the body and acknowledge it."""
    await request.read()
    return web.Response(text="success")


def echo(settings: Settings) -> Handler:
    """Return a stateless safe-mode echo over wechatpy."""
    wechat = settings.wechat
    crypto = WeChatCrypto(wechat.token, wechat.aes_keys[0], wechat.app_id)

    async def handle(request: web.Request) -> web.Response:
        query = request.query
        check_signature(wechat.token, query["signature"], query["timestamp"], query["nonce"])
        body = await request.read()
        plain = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        message = parse_message(plain)
        reply = create_reply(message.content, message)
        sealed = crypto.encrypt_message(reply.render(), query["nonce"], query["timestamp"])
        return web.Response(text=sealed, content_type="application/xml")

    return handle


async def cpu(_request: web.Request) -> web.Response:
    """Tell the CPU seconds that this process has used."""
    return web.json_response(time.process_time())


async def serve(name: str, port: int) -> None:
    """Serve one of the three until the process is ended."""
    settings = load_settings()
    if name == "turn":
        async with open_bot(settings) as bot:
            gateway = Gateway(bot.codec, bot.turns, Metrics(), _ready, deadline_s=settings.turn_deadline_s)
            await _listen(gateway.application(), port)
    app = web.Application()
    app.router.add_post("/wechat", empty if name == "empty" else echo(settings))
    await _listen(app, port)


async def _ready() -> dict[str, bool]:
    return {"bench": True}


async def _listen(app: web.Application, port: int) -> None:
    app.router.add_get("/cpu", cpu)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {SERVER_CORE})
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))

"""Server-sent events: what happens on the platform, as it happens."""

import asyncio
import json
from contextlib import suppress
from typing import assert_never

from aiohttp import web

from bot.simulator.json_body import JsonObject
from bot.simulator.models import AccountChanged, EntryAdded, ExchangeEnded, TypingChanged, Update
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.views import entry_view, exchange_view

HEARTBEAT_S = 15.0


async def stream(request: web.Request, platform: SimulatedPlatform) -> web.StreamResponse:
    """Send events ``entry``, ``exchange``, ``typing`` and ``account`` until the reader leaves.

    ``openid`` in the query keeps to one follower.
    """
    openid = request.query.get("openid", "")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}
    )
    with platform.transcript.watch() as queue, suppress(ConnectionError):
        # A reader that left is noticed by the next write; that is the ordinary end of a stream.
        await response.prepare(request)
        await response.write(b"retry: 1000\n\n")
        while True:
            try:
                update = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if update is None:
                break
            name, concerns, data = _event(update)
            if openid in {"", concerns} or not concerns:
                await response.write(f"event: {name}\ndata: {json.dumps(data, ensure_ascii=True)}\n\n".encode())
    return response


def _event(update: Update) -> tuple[str, str, JsonObject]:
    match update:
        case EntryAdded(entry):
            return "entry", entry.openid, entry_view(entry)
        case ExchangeEnded(exchange):
            return "exchange", exchange.openid, exchange_view(exchange)
        case TypingChanged(openid, on):
            return "typing", openid, {"openid": openid, "on": on}
        case AccountChanged():
            return "account", "", {}
    assert_never(update)

"""The simulator as an HTTP server, on this machine only."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from bot.simulator.api.dispatch import ApiServer
from bot.simulator.control import ControlServer
from bot.simulator.errors import BadField, ConfigRefused, NotOnScreen, UnknownFollower
from bot.simulator.media import MIB
from bot.simulator.models import SimulatorConfig, is_loopback
from bot.simulator.page import STATIC, Pages
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.stream import stream
from bot.values.clock import Clock

DEFAULT_PORT = 8082
LOOPBACK = "127.0.0.1"
MAX_BODY_BYTES = 12 * MIB
PLATFORM = web.AppKey("platform", SimulatedPlatform)

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Running:
    """A started simulator."""

    runner: web.AppRunner
    url: str

    async def close(self) -> None:
        """Stop serving."""
        await self.runner.cleanup()


def create_app(platform: SimulatedPlatform) -> web.Application:
    """Return the application: chat page, /sim, /cgi-bin. The platform must be open while it serves."""
    app = web.Application(middlewares=[_guard, _errors], client_max_size=MAX_BODY_BYTES)
    app[PLATFORM] = platform
    app.add_routes(Pages(platform).routes())
    app.add_routes(ControlServer(platform).routes())
    app.router.add_get("/sim/stream", partial(stream, platform=platform))
    app.router.add_static("/static", STATIC)
    api = ApiServer(platform)
    app.router.add_route("*", "/cgi-bin/{tail:.*}", api.handle)
    app.router.add_route("*", "/customservice/{tail:.*}", api.handle)
    app.on_response_prepare.append(_secure)
    app.on_shutdown.append(_end_streams)
    return app


async def start(platform: SimulatedPlatform, host: str = LOOPBACK, port: int = DEFAULT_PORT) -> Running:
    """Serve on ``host``, which must be 127.0.0.1; port 0 picks a free one. Raises ConfigRefused."""
    if host != LOOPBACK:
        raise ConfigRefused(key="host", reason=f"the simulator serves {LOOPBACK} only")
    runner = web.AppRunner(create_app(platform), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    platform.base_url = f"http://{host}:{runner.addresses[0][1]}"
    return Running(runner, platform.base_url)


async def serve(
    config: SimulatorConfig,
    port: int = DEFAULT_PORT,
    *,
    acknowledged_not_production: bool,
    clock: Clock | None = None,
    ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until cancelled; ``ready`` is called once with the address."""
    platform = SimulatedPlatform(config, clock, acknowledged_not_production=acknowledged_not_production)
    async with platform:
        running = await start(platform, LOOPBACK, port)
        try:
            ready(running.url)
            await asyncio.Event().wait()
        finally:
            await running.close()


@web.middleware
async def _guard(request: web.Request, handler: _Next) -> web.StreamResponse:
    # A page from elsewhere may reach this machine under a name of its own (DNS rebinding) or by a foreign form.
    if not is_loopback(urlsplit(f"//{request.host}").hostname):
        raise web.HTTPForbidden(text="this host is not served")
    origin = request.headers.get("Origin", "")
    if origin and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="this origin is not served")
    return await handler(request)


@web.middleware
async def _errors(request: web.Request, handler: _Next) -> web.StreamResponse:
    try:
        return await handler(request)
    except (BadField, NotOnScreen, ConfigRefused) as error:
        return web.json_response({"error": error.code, "fields": dict(error.fields)}, status=400)
    except UnknownFollower as error:
        return web.json_response({"error": error.code}, status=404)


async def _secure(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


async def _end_streams(app: web.Application) -> None:
    app[PLATFORM].transcript.close()

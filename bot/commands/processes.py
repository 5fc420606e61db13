"""The commands that run one process each: gateway, worker, console, simulator.

Each loads what is its own inside its function, so that a worker has no pages of the console in its memory.
"""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bot.app.assistant import Bot, open_bot
from bot.settings import Settings
from bot.storage.redis import RedisRefused, RedisUnavailable
from bot.storage.sql import FRUGAL
from bot.wechat.menu import read_menu

log = structlog.get_logger(__name__)

MENU_FILE = "menu.yml"
MENU_TRIES = 20
MENU_RETRY_S = 0.5
DATABASE_PATIENCE_S = 2.0
"""How long the database may take to say that it is there."""


def until_stopped() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def say(line: str) -> None:
    """Print ``line`` at once, also into a pipe."""
    print(line, flush=True)


async def gateway(settings: Settings, *, port: int | None = None, announce: Callable[[str], None] = say) -> None:
    """Serve the callback until SIGTERM; turns that are still at work are finished first."""
    from bot.gateway.server import Gateway, Metrics

    stopped = until_stopped()
    async with open_bot(settings) as bot:
        bot.records.knowledge.warm_up()
        app = Gateway(
            bot.codec, bot.turns, Metrics(), lambda: readiness(bot), deadline_s=settings.turn_deadline_s
        ).application()
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=10)
        await runner.setup()
        site = web.TCPSite(runner, settings.gateway_host, settings.gateway_port if port is None else port)
        await site.start()
        announce(f"gateway on http://{settings.gateway_host}:{runner.addresses[0][1]}/wechat")
        try:
            await stopped.wait()
        finally:
            await runner.cleanup()


async def console(settings: Settings, *, port: int | None = None, announce: Callable[[str], None] = say) -> None:
    """Serve the staff console until SIGTERM."""
    from bot.app.console import console_of
    from bot.console.server import ADDRESS_MAX_BYTES

    stopped = until_stopped()
    address = settings.console
    async with open_bot(settings) as bot:
        bot.records.knowledge.warm_up()
        runner = web.AppRunner(
            console_of(bot).application(), access_log=None, shutdown_timeout=2, max_line_size=ADDRESS_MAX_BYTES
        )
        await runner.setup()
        await web.TCPSite(runner, address.host, address.port if port is None else port).start()
        announce(f"console on http://{address.host}:{runner.addresses[0][1]}/")
        try:
            await stopped.wait()
        finally:
            await runner.cleanup()


async def readiness(bot: Bot) -> dict[str, bool]:
    """Return which parts behind the gateway answer."""
    parts = {"redis": False, "database": False}
    try:
        parts["redis"] = await bot.link.call("PING") == b"PONG"
    except (RedisUnavailable, RedisRefused) as error:
        log.warning("Redis does not answer", error=type(error).__name__)
    try:
        async with asyncio.timeout(DATABASE_PATIENCE_S), bot.records.database.reading() as session:
            await session.execute(select(1))
        parts["database"] = True
    except (OSError, SQLAlchemyError) as error:
        log.warning("the database does not answer", error=type(error).__name__)
    return parts


async def worker(settings: Settings) -> None:
    """Run every background job until SIGTERM, and publish the account's menu at the start.

    The knowledge is not indexed here: it would take 270 MB for the few messages that a gateway leaves behind. Nor is
    a SQLite file mapped or much of it cached: a worker walks tables, and shows nobody a list.
    """
    from bot.app.worker import worker_id, worker_of

    stopped = until_stopped()
    async with open_bot(settings, memory=FRUGAL) as bot:
        tasks: list[asyncio.Task[object]] = [
            asyncio.create_task(worker_of(bot, worker_id()).run(), name="worker"),
            asyncio.create_task(stopped.wait(), name="stop signal"),
        ]
        menu = asyncio.create_task(publish_menu(bot, settings.flows_dir / MENU_FILE), name="menu")
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await end(menu, *tasks)


async def publish_menu(bot: Bot, path: Path) -> None:
    """Publish the menu of ``path``; the platform may still be starting, so it is tried for a while."""
    menu = read_menu(path)
    for attempt in range(MENU_TRIES):
        try:
            await bot.api.create_menu(menu)
        except Exception as error:  # noqa: BLE001 - Whatever keeps the menu from appearing must not stop the worker.
            log.warning("menu not published", error=type(error).__name__, attempt=attempt + 1)
            await asyncio.sleep(MENU_RETRY_S)
        else:
            log.info("menu published")
            return


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def simulator(settings: Settings) -> None:
    """Serve the platform's side and its web chat until SIGTERM."""
    from bot.simulator.models import Mode, SimulatorConfig
    from bot.simulator.server import serve

    stopped = until_stopped()
    wechat = settings.wechat
    config = SimulatorConfig(
        callback_url=f"http://{settings.gateway_host}:{settings.gateway_port}/wechat",
        app_id=wechat.app_id,
        app_secret=wechat.app_secret,
        token=wechat.token,
        aes_key=wechat.aes_keys[0],
        mode=Mode(wechat.mode),
        account_type=wechat.account_type,
    )
    serving = asyncio.create_task(serve(config, settings.simulator_port, acknowledged_not_production=settings.demo))
    waiting = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    await end(waiting, serving)
    if serving in done:
        serving.result()

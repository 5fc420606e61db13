"""``python -m bot run``: the whole assistant with demonstration data, until Ctrl-C."""

import asyncio
import os
import time
from collections.abc import Coroutine
from typing import TypeVar
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from bot.app.records import Records, open_records
from bot.commands.demo_campaigns import add_campaigns
from bot.commands.demo_people import ACCOUNTS, add_staff, add_workers
from bot.commands.processes import until_stopped
from bot.commands.training import is_ready, serve_command, train_in_thread
from bot.demo import complete, staff_password
from bot.inbox.calendar_table import CalendarTable
from bot.inbox.calendar_table import read_seed as read_calendar
from bot.knowledge.seed import read_seed
from bot.legal.deadline_table import DeadlineTable
from bot.legal.deadline_table import read_seed as read_deadlines
from bot.programmes.seed import seed_demo
from bot.settings import Settings
from bot.storage.migrate import upgrade
from bot.storage.redis_server import RedisServer
from bot.supervisor import Part, PartFailed, Supervisor, bot_command

Done = TypeVar("Done")


async def run(settings: Settings) -> int:
    """Start every process, print the addresses, wait for Ctrl-C, stop everything. Return an exit code."""
    started = time.monotonic()
    console = Console()
    settings = complete(settings)
    stopped = until_stopped()
    prepared = await train_in_thread(settings.data_dir, if_needed=True)
    if stopped.is_set():
        return 0
    if prepared != 0:
        console.print("[red]The NLU could not be prepared; see above.[/red]")
        return 1
    async with open_records(settings) as records:
        await upgrade(records.database)
        await seed(records)
        await add_staff(records, staff_password(settings.data_dir))
        if settings.demo:
            await add_workers(records)
            await add_campaigns(records)
    if settings.redis_url:
        return await _run_parts(settings, settings.redis_url, console, stopped, started)
    async with RedisServer(settings.data_dir) as redis:
        return await _run_parts(settings, redis.url, console, stopped, started)


async def _run_parts(
    settings: Settings, redis_url: str, console: Console, stopped: asyncio.Event, started: float
) -> int:
    supervisor = Supervisor(environment_of(settings, redis_url))
    try:
        started_all = await _unless_stopped(stopped, _start_parts(supervisor, settings, console))
        if started_all:
            _announce(console, settings, time.monotonic() - started)
            ended = await _unless_stopped(stopped, supervisor.until_one_ends())
            if ended is not None:
                console.print(f"[red]{ended[0]} ended with code {ended[1]}; stopping the rest.[/red]")
                return 1
    except PartFailed as error:
        console.print(f"[red]{error}[/red]")
        return 1
    else:
        console.print("Stopping …")
        return 0
    finally:
        await supervisor.stop()


async def _unless_stopped(stopped: asyncio.Event, work: Coroutine[None, None, Done]) -> Done | None:
    """Return what ``work`` gives, or ``None`` as soon as Ctrl-C was pressed."""
    stop, task = asyncio.create_task(stopped.wait()), asyncio.create_task(work)
    await asyncio.wait({stop, task}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None


async def _start_parts(supervisor: Supervisor, settings: Settings, console: Console) -> bool:
    nlu = urlsplit(settings.nlu_url)
    base = f"http://{settings.gateway_host}"
    first = [Part("simulator", bot_command("simulator"), f"{base}:{settings.simulator_port}/")]
    if is_ready() and nlu.hostname in ("127.0.0.1", "localhost"):
        command = serve_command(nlu.port or 5005, settings.nlu_processes)
        first.append(Part("nlu", command, f"{settings.nlu_url}/status"))
    else:
        console.print("[yellow]No NLU: the assistant runs on keywords and menus.[/yellow]")
    second = [
        Part("gateway", bot_command("gateway"), f"{base}:{settings.gateway_port}/readyz"),
        Part("worker", bot_command("worker")),
        Part("console", bot_command("console"), f"{_console_base(settings)}/healthz"),
    ]
    await asyncio.gather(*(supervisor.start(part) for part in (*first, *second)))
    return True


def _console_base(settings: Settings) -> str:
    return f"http://{settings.console.host}:{settings.console.port}"


async def seed(records: Records) -> None:
    """Store the demonstration's programmes and every table that staff edit later; what is there stays."""
    await seed_demo(records.programmes, records.clock.now().date())
    await records.entries.seed(read_seed())
    await DeadlineTable(records.database).seed(read_deadlines())
    await CalendarTable(records.database).seed(read_calendar(), now=records.clock.now())


def environment_of(settings: Settings, redis_url: str) -> dict[str, str]:
    """Return the environment of the child processes: the settings as they were completed."""
    wechat = settings.wechat
    return {
        **os.environ,
        "BOT_WECHAT_APP_ID": wechat.app_id,
        "BOT_WECHAT_APP_SECRET": wechat.app_secret,
        "BOT_WECHAT_TOKEN": wechat.token,
        "BOT_WECHAT_AES_KEY": ",".join(wechat.aes_keys),
        "BOT_WECHAT_MODE": wechat.mode,
        "BOT_WECHAT_API_BASE": wechat.api_base,
        "BOT_DATABASE_URL": settings.database_url,
        "BOT_REDIS_URL": redis_url,
        "BOT_FIELD_KEYS": settings.field_keys,
        "BOT_DEMO": "on" if settings.demo else "off",
    }


def _announce(console: Console, settings: Settings, took_s: float) -> None:
    table = Table(title=f"铜仁市总工会助手 ready in {took_s:.1f} s", show_header=False, title_justify="left")
    host = f"http://{settings.gateway_host}"
    table.add_row("Web chat (simulated WeChat)", f"{host}:{settings.simulator_port}/")
    table.add_row("Staff console", f"{_console_base(settings)}/")
    table.add_row("Callback", f"{host}:{settings.gateway_port}/wechat")
    table.add_row("NLU", f"{settings.nlu_url}/model/parse")
    table.add_row("Demo staff login", f"{ACCOUNTS[0].username} / {staff_password(settings.data_dir)}")
    others = " · ".join(account.username for account in ACCOUNTS[1:])
    table.add_row("Other roles, same password", others)
    table.add_row("Try in the chat", "我想给娃儿报勤工俭学 · 两癌筛查还有号没 · 老板跑路咯 · 人工")
    table.add_row("Stop", "Ctrl-C")
    console.print(table)

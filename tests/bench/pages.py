"""``python -m tests.bench.pages --rows 1000000``: what pages of the console cost with very many rows behind each.

The whole console is served over HTTP, with as many chats, cases, slots, registrations, turns and rows of the trail
as asked for. Each page is asked for 40 times at random places, as staff do, and timed from the request to the last
byte, on SQLite and on PostgreSQL. Prints the median, the 95th percentile, and how much processor time a page takes,
which does not depend on what else the machine does.
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.app.assistant import open_bot
from bot.app.records import Records
from bot.commands.run import seed
from bot.followers.references import FollowerReferences
from bot.reports.chat_rollups import ChatRollups
from bot.reports.rollups import TurnRollups
from bot.storage.encryption import FieldCipher
from bot.storage.migrate import upgrade
from bot.storage.redis_server import RedisServer
from bot.values.clock import MovedClock
from tests.bench.visits import Look, Place, Role, looks
from tests.console.served import Browser, ServedConsole, serving
from tests.support.assistant import settings_for
from tests.support.many import settle
from tests.support.many_cases import store_many_cases
from tests.support.many_chats import store_many_chats
from tests.support.many_events import store_many_events, store_many_followers
from tests.support.many_registrations import store_many
from tests.support.many_slots import store_many_slots
from tests.support.many_turns import store_many_turns
from tests.support.postgres import running_postgres
from tests.support.tables import import_all_tables

AREAS = ("trail", "inbox", "legal", "registrations", "reports")
BEHIND = {"followers": "registrations", "programmes": "registrations"}
"""Areas whose pages show what another one stores."""
ROUNDS = 40
PAGE_P95_MS = 300.0
COUNTY = "520628"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a page takes in milliseconds; ``own_cpu`` is that of console, client and SQLite, without PostgreSQL."""

    median: float
    p95: float
    own_cpu: float


Times = Mapping[str, Cost]


async def store(records: Records, rows: int, areas: Collection[str], console: Console) -> Place:
    """Fill the tables behind the pages of ``areas``; return what a visit needs to know of them."""
    # One moment for all of it: receipts hold their day, and are made again from the moment by the looks.
    database, cipher, clock = records.database, records.cipher, MovedClock(records.clock.now())
    lawyers, agents = [f"lawyer{number}" for number in range(20)], ["agent0", "agent1", "agent2", "agent3"]
    programmes: Collection[str] = ()
    began = time.perf_counter()
    for area in areas:
        match area:
            case "trail":
                await store_many_events(database, clock, rows, [*lawyers, *agents])
            case "inbox":
                await store_many_chats(database, cipher, clock, rows, agents)
            case "legal":
                await store_many_cases(database, cipher, clock, rows, lawyers)
            case "registrations":
                await store_many_followers(database, clock, min(rows, 600_000))
                booked = await store_many_slots(database, clock, rows)
                programmes = await store_many(database, cipher, clock, rows, booked=booked)
            case "reports":
                await store_many_turns(database, cipher, clock, rows, chats=False)
                await _counted(records)
            case _:
                raise ValueError(f"no area of the console: {area}")
        console.print(f"{area}: stored after {time.perf_counter() - began:.0f} s")
    await settle(database)
    return Place(rows, tuple(programmes), tuple(lawyers), clock.now())


async def _counted(records: Records) -> None:
    for rollups in (TurnRollups(records.database, records.clock), ChatRollups(records.database, records.clock)):
        while await rollups.renew():
            pass


async def timed(browser: Browser, name: str, look: Look) -> Cost:
    """Ask for a page ``ROUNDS`` times."""
    chance = random.Random(name)  # noqa: S311 - Nothing secret is drawn.
    spent: list[float] = []
    worked = time.process_time()
    for _ in range(ROUNDS):
        path, fields = look.path(chance), look.fields(chance)
        began = time.perf_counter()
        answer = await (browser.post(path, fields) if fields else browser.get(path))
        spent.append((time.perf_counter() - began) * 1000)
        assert answer.status in (200, 303), (path, answer.status, answer.visible[:200])
    return cost_of(spent, time.process_time() - worked)


def cost_of(spent_ms: Sequence[float], worked_s: float) -> Cost:
    """Return what a page took, asked for as often as there are figures."""
    worked_ms = worked_s * 1000 / len(spent_ms)
    return Cost(statistics.median(spent_ms), statistics.quantiles(spent_ms, n=20)[18], worked_ms)


@asynccontextmanager
async def filled(
    url: str, folder: Path, rows: int, areas: Collection[str], console: Console
) -> AsyncIterator[tuple[ServedConsole, Place]]:
    """Serve a console over the database at ``url``, which is filled unless ``folder`` says that it was before."""
    note = folder / "filled.json"
    known: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {"keys": FieldCipher.new_setting()}
    async with RedisServer(folder) as redis:
        settings = settings_for(database_url=url, redis_url=redis.url, data_dir=folder, cipher_setting=known["keys"])
        async with open_bot(settings) as bot, serving(bot) as served:
            if "place" in known:
                place = Place.read(known["place"])
            else:
                await upgrade(bot.records.database)
                await seed(bot.records)
                place = await store(bot.records, rows, areas, console)
                note.write_text(json.dumps({**known, "place": place.written()}))
            yield served, place


async def measure(url: str, folder: Path, rows: int, areas: Collection[str], console: Console) -> Times:
    """Time every look at ``areas``."""
    async with filled(url, folder, rows, areas, console) as (served, place):
        browsers = {role: await _signed_in(served, role) for role in Role}
        measured = {}
        for name, look in looks(place, FollowerReferences(served.records.cipher)).items():
            area = name.partition(":")[0]
            if BEHIND.get(area, area) in areas or len(areas) == len(AREAS):
                measured[name] = cost = await timed(browsers[look.role], name, look)
                console.print(f"{name}: {cost.median:.0f} {cost.p95:.0f} cpu {cost.own_cpu:.0f}")
        return measured


async def _signed_in(served: ServedConsole, role: Role) -> Browser:
    county = COUNTY if role in (Role.REVIEWER, Role.LAWYER) else None
    if await served.records.staff.find(role.account) is None:
        await served.add(role.account, role.value, county=county)
    browser = served.browser()
    answer = await browser.sign_in(role.account)
    assert answer.status == 303, answer.visible
    return browser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when a page misses its target."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--areas", nargs="+", choices=AREAS, default=AREAS, help="only these tables and their pages")
    parser.add_argument("--keep", type=Path, help="a folder in which SQLite's database stays and is found again")
    given, console = parser.parse_args(arguments), Console(soft_wrap=True)
    import_all_tables()
    measured: dict[str, Times] = {}
    for name in [given.only] if given.only else ["sqlite", "postgresql"]:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            url = f"sqlite+aiosqlite:///{folder}/many.db"
            if name == "postgresql":
                url = stack.enter_context(running_postgres())
            elif given.keep is not None:
                folder = given.keep
                folder.mkdir(parents=True, exist_ok=True)
                url = f"sqlite+aiosqlite:///{folder}/many.db"
            measured[name] = asyncio.run(measure(url, folder, given.rows, given.areas, console))
    console.print(_table(measured, given.rows))
    slowest = max(cost.p95 for times in measured.values() for cost in times.values())
    return 0 if slowest <= PAGE_P95_MS else 1


def _table(measured: Mapping[str, Times], rows: int) -> Table:
    heads = [f"{name}: median, p95, own CPU in ms" for name in measured]
    table = Table("page", *heads, title=f"{rows} rows a table")
    for name in next(iter(measured.values())):
        costs = [times[name] for times in measured.values()]
        table.add_row(name, *(f"{cost.median:.0f}  {cost.p95:.0f}  {cost.own_cpu:.0f}" for cost in costs))
    return table


if __name__ == "__main__":
    raise SystemExit(main())

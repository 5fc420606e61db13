"""``python -m tests.bench.reports --rows 1000000``: what reports cost with very many turns, chats and registrations.

The log is counted by day first, as the worker does, in a time that is printed. Then each page's figures are asked for
over random periods, on SQLite and on PostgreSQL. Prints the median and the 95th percentile.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.reports.chat_rollups import ChatRollups
from bot.reports.models import Period
from bot.reports.overview import Overview
from bot.reports.rollups import TurnRollups
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import SystemClock
from bot.values.counties import County
from tests.support.many_registrations import store_many
from tests.support.many_turns import DAYS, store_many_turns
from tests.support.postgres import running_postgres
from tests.support.tables import import_all_tables

ROUNDS = 40
PAGE_P95_MS = 300.0
Look = Callable[[random.Random], Awaitable[object]]


def looks(overview: Overview, programmes: Sequence[str], today: date) -> Mapping[str, Look]:
    """Return the figures of each page over so many days, by their name."""

    async def whole(period: Period, county: str | None = None) -> None:
        for one in (period, period.previous):
            await overview.figures(one, county=county)

    def some(chance: random.Random, days: int) -> Period:
        last = today - timedelta(days=chance.randrange(DAYS - 2 * days))
        return Period(last - timedelta(days=days - 1), last)

    return {
        "everything, 30 days and the 30 before": lambda c: whole(some(c, 30)),
        "everything, a year and the year before": lambda c: whole(some(c, 365)),
        "a county, 30 days and the 30 before": lambda c: whole(some(c, 30), _county(c)),
        "messages of a year": lambda c: overview.reports.messages(some(c, 365)),
        "one intent of a year": lambda c: overview.reports.messages(some(c, 365), intent="greet"),
        "conversions of a year": lambda c: overview.reports.conversions(some(c, 365)),
        "chats of a year": lambda c: overview.reports.chats(some(c, 365)),
        "a programme, 90 days": lambda c: overview.registrations.programme(c.choice(programmes), some(c, 90)),
    }


def _county(chance: random.Random) -> str:
    return chance.choice(list(County)).code


async def timed(name: str, look: Look) -> tuple[float, float]:
    """Return the median and the 95th percentile in milliseconds."""
    chance = random.Random(name)  # noqa: S311 - Nothing secret is drawn.
    spent: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await look(chance)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent), statistics.quantiles(spent, n=20)[18]


async def measure(url: str, rows: int, registrations: int, console: Console) -> Mapping[str, tuple[float, float]]:
    """Store ``rows`` turns, and registrations, in an empty database, count them, and time every look."""
    cipher, clock = FieldCipher.from_setting(FieldCipher.new_setting()), SystemClock()
    database = Database(url)
    try:
        await database.create_tables()
        began = time.perf_counter()
        programmes = await store_many(database, cipher, clock, registrations)
        await store_many_turns(database, cipher, clock, rows)
        console.print(f"{rows} turns and {registrations} registrations stored in {time.perf_counter() - began:.0f} s")
        began = time.perf_counter()
        for rollups in (TurnRollups(database, clock), ChatRollups(database, clock)):
            while await rollups.renew():
                pass
        console.print(f"{DAYS} days counted in {time.perf_counter() - began:.0f} s")
        found = looks(Overview(database), programmes, clock.now().date())
        return {name: await timed(name, look) for name, look in found.items()}
    finally:
        await database.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when a page misses its target."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reports")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--registrations", type=int, help="default: as many")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given, console = parser.parse_args(arguments), Console()
    import_all_tables()
    measured: dict[str, Mapping[str, tuple[float, float]]] = {}
    if given.only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            url = f"sqlite+aiosqlite:///{Path(folder) / 'many.db'}"
            measured["SQLite"] = asyncio.run(measure(url, given.rows, given.registrations or given.rows, console))
    if given.only != "sqlite":
        with running_postgres() as url:
            measured["PostgreSQL"] = asyncio.run(measure(url, given.rows, given.registrations or given.rows, console))
    console.print(_table(measured, given.rows))
    slowest = max(p95 for times in measured.values() for _, p95 in times.values())
    return 0 if slowest <= PAGE_P95_MS else 1


def _table(measured: Mapping[str, Mapping[str, tuple[float, float]]], rows: int) -> Table:
    heads = [f"{name}: median, p95 ms" for name in measured]
    table = Table("figures", *heads, title=f"{rows} turns")
    for name in next(iter(measured.values())):
        cells = [f"{times[name][0]:.1f}  {times[name][1]:.1f}" for times in measured.values()]
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    raise SystemExit(main())

"""``python -m tests.bench.console --rows 1000000``: what the lists of the console cost with very many rows.

Each list is asked for at a random place, as staff do who look at different counties and pages, and timed from the
call to the finished page of fifty lines, on SQLite and on PostgreSQL. Prints the median and the 95th percentile.
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

from bot.registrations.filters import Filter, Mark, Sort
from bot.registrations.listing import RegistrationList
from bot.registrations.searching import Search, SearchKey
from bot.registrations.statuses import Status
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import SystemClock
from bot.values.counties import County
from tests.support.many_registrations import GIVEN, SURNAMES, store_many
from tests.support.postgres import running_postgres
from tests.support.tables import import_all_tables

ROUNDS = 40
PAGE_P95_MS = 300.0
Look = Callable[[random.Random], Awaitable[object]]


def looks(listing: RegistrationList, search: Search, programmes: Sequence[str]) -> Mapping[str, Look]:
    """Return what staff look at, by its name."""

    async def deep(chance: random.Random) -> object:
        """Return a page somewhere in the middle: as if somebody had paged there."""
        wanted = Filter(programme_id=chance.choice(programmes), last_day=_some_day(chance))
        return await listing.page(wanted)

    async def named(chance: random.Random) -> object:
        name = "".join((chance.choice(SURNAMES), chance.choice(GIVEN), chance.choice(GIVEN)))
        key = search.read(name, date.today())  # noqa: DTZ011 - Only an identity number would look at the day.
        assert isinstance(key, SearchKey)
        return await listing.page(Filter(), key=key)

    def page(make: Callable[[random.Random], Filter]) -> Look:
        return lambda chance: listing.page(make(chance))

    return {
        "everything, newest first": page(lambda _: Filter()),
        "pending, longest waiting first": page(lambda _: Filter(status=Status.PENDING, sort=Sort.OLDEST)),
        "a county's pending": page(lambda c: Filter(county=_county(c), status=Status.PENDING)),
        "a programme, all statuses": page(lambda c: Filter(programme_id=c.choice(programmes))),
        "a programme in a county": page(lambda c: Filter(programme_id=c.choice(programmes), county=_county(c))),
        "a programme, ranked": page(
            lambda c: Filter(programme_id=c.choice(programmes), status=Status.PENDING, sort=Sort.RANKED)
        ),
        "with findings": page(lambda c: Filter(mark=Mark.FINDINGS, county=_county(c))),
        "changed after approval": page(lambda _: Filter(mark=Mark.CHANGED)),
        "late": page(lambda c: Filter(mark=Mark.LATE, county=_county(c))),
        "a category that nobody is of": page(lambda _: Filter(category="none-such")),
        "a month, somewhere": page(lambda c: Filter(first_day=(day := _some_day(c)), last_day=day + timedelta(30))),
        "a page in the middle": deep,
        "a name": named,
        "counts, everywhere": lambda _: listing.counts(Filter()),
        "counts of a county": lambda chance: listing.counts(Filter(county=_county(chance))),
        "counts of a programme": lambda chance: listing.counts(Filter(programme_id=chance.choice(programmes))),
    }


def _county(chance: random.Random) -> str:
    return chance.choice(list(County)).code


def _some_day(chance: random.Random) -> date:
    return SystemClock().now().date() - timedelta(days=chance.randrange(30, 970))


async def timed(name: str, look: Look, seed: int) -> tuple[float, float]:
    """Return the median and the 95th percentile in milliseconds."""
    chance = random.Random(f"{name}{seed}")  # noqa: S311 - Nothing secret is drawn.
    spent: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await look(chance)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent), statistics.quantiles(spent, n=20)[18]


async def measure(url: str, rows: int, console: Console) -> Mapping[str, tuple[float, float]]:
    """Store ``rows`` registrations in an empty database and time every look."""
    cipher, clock = FieldCipher.from_setting(FieldCipher.new_setting()), SystemClock()
    database = Database(url)
    try:
        await database.create_tables()
        began = time.perf_counter()
        programmes = await store_many(database, cipher, clock, rows)
        console.print(f"{rows} rows stored in {time.perf_counter() - began:.0f} s")
        found = looks(RegistrationList(database, clock), Search(cipher), programmes)
        return {name: await timed(name, look, 1) for name, look in found.items()}
    finally:
        await database.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when a page misses its target."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given, console = parser.parse_args(arguments), Console()
    import_all_tables()
    measured: dict[str, Mapping[str, tuple[float, float]]] = {}
    if given.only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            url = f"sqlite+aiosqlite:///{Path(folder) / 'many.db'}"
            measured["SQLite"] = asyncio.run(measure(url, given.rows, console))
    if given.only != "sqlite":
        with running_postgres() as url:
            measured["PostgreSQL"] = asyncio.run(measure(url, given.rows, console))
    console.print(_table(measured, given.rows))
    slowest = max(p95 for times in measured.values() for _, p95 in times.values())
    return 0 if slowest <= PAGE_P95_MS else 1


def _table(measured: Mapping[str, Mapping[str, tuple[float, float]]], rows: int) -> Table:
    table = Table("list", *(f"{name}: median, p95 ms" for name in measured), title=f"{rows} registrations")
    for name in next(iter(measured.values())):
        cells = [f"{times[name][0]:.1f}  {times[name][1]:.1f}" for times in measured.values()]
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    raise SystemExit(main())

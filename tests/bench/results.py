"""``python -m tests.bench.results``: the workbook of a campaign to 620,000, as a worker writes it for its page.

The worker is ``python -m bot worker``, with its memory sampled from its start until the file is there. ``--people``
makes a shorter run.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bot.app.records import Records, open_records
from bot.campaigns.export import KIND, params_of
from bot.campaigns.models import Recipient
from bot.settings import Settings
from bot.simulator.platform import SimulatedPlatform
from bot.staff.tasks.models import TaskState, TaskView
from bot.storage.migrate import upgrade
from tests.bench.audience import recipients, sent
from tests.bench.campaigns import Memory, settings_in, watch, working
from tests.support.assistant import simulated_platform
from tests.support.many import settle, store_rows
from tests.support.postgres import running_postgres
from tests.support.tables import import_all_tables
from tests.support.waiting import until

PEOPLE, OWNER = 620_000, "operator"
PATIENCE_S, LOOK_EVERY_S, AT_REST_S = 3_600.0, 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one workbook cost."""

    store: str
    rows: int
    took_s: float
    size_mb: float
    rest: Memory
    most: Memory

    def row(self) -> str:
        """Return the row of the table in the document."""
        return (
            f"| {self.store} | {self.rows:,} | {self.took_s:.0f} s | {self.size_mb:.1f} MB "
            f"| {self.rest.own_mb:.0f} → {self.most.own_mb:.0f} MB "
            f"| {self.rest.resident_mb:.0f} → {self.most.resident_mb:.0f} MB |"
        )


async def measure(store: str, settings: Settings, people: int) -> Figures:
    """Store a campaign that was sent, and let a worker write its workbook."""
    async with simulated_platform(settings, None) as platform, open_records(settings) as records:
        await upgrade(records.database)
        now = records.clock.now()
        campaign_id = await sent(records, now)
        await store_rows(records.database, Recipient, recipients(campaign_id, people, now))
        await settle(records.database)
        rest, most = Memory(), Memory()
        async with working(settings) as pid:
            watching = asyncio.create_task(watch(pid, rest))
            await until(lambda: _has_started(platform), timeout_s=PATIENCE_S)
            await asyncio.sleep(AT_REST_S)
            await _ended(watching)
            began = time.monotonic()
            watching = asyncio.create_task(watch(pid, most))
            task = await records.tasks.start(KIND, owner=OWNER, params=params_of(campaign_id), key="bench", source="")
            await until(lambda: _is_over(records, task.id), timeout_s=PATIENCE_S)
            took_s = time.monotonic() - began
            await _ended(watching)
        done, file = await records.tasks.fetch(task.id, owner=OWNER)
        return Figures(store, _rows(done), took_s, len(file.data) / 2**20, rest, most)


async def _has_started(platform: SimulatedPlatform) -> bool:
    return platform.menu is not None


async def _is_over(records: Records, task_id: int) -> bool:
    await asyncio.sleep(LOOK_EVERY_S)
    return (await records.tasks.get(task_id, owner=OWNER)).state.is_over


async def _ended(watching: asyncio.Task[None]) -> None:
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


def _rows(done: TaskView) -> int:
    if done.state is not TaskState.DONE:
        raise RuntimeError(f"no workbook came of it: {done.message}")
    return int(str(done.summary["rows"]))


async def run(people: int, stores: Sequence[str]) -> list[Figures]:
    """Return the figures of each store."""
    found: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="bench-results-") as name:
        folder = Path(name)
        if "sqlite" in stores:
            async with settings_in(folder, f"sqlite+aiosqlite:///{folder / 'records.db'}") as settings:
                found.append(await measure("SQLite", settings, people))
        if "postgresql" in stores:
            with running_postgres() as url:
                async with settings_in(folder, url) as settings:
                    found.append(await measure("PostgreSQL", settings, people))
    return found


def main() -> None:
    """Print the table for ``docs/benchmarks.md``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--store", action="append", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    import_all_tables()
    console = Console(soft_wrap=True)
    figures = asyncio.run(run(options.people, options.store or ["sqlite", "postgresql"]))
    console.print("| Store | Rows | Written | File | Own memory at rest → peak | Resident at rest → peak |")
    console.print("| --- | --- | --- | --- | --- | --- |")
    for one in figures:
        console.print(one.row())


if __name__ == "__main__":
    main()

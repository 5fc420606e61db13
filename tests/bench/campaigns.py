"""``python -m tests.bench.campaigns``: a campaign to 620,000 followers, frozen, sent and reconciled.

The worker is a process of its own, with its own memory sampled; the simulated platform
takes 60 calls a minute and reports each job. ``--people`` makes a shorter run.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from rich.console import Console

from bot.app.assistant import open_bot
from bot.app.records import open_records
from bot.app.worker import worker_id, worker_of
from bot.campaigns.desk import CampaignDesk
from bot.campaigns.models import CampaignState, Outcome
from bot.campaigns.reconciling import JobReports
from bot.settings import Settings
from bot.simulator.followers import start_following
from bot.simulator.platform import SimulatedPlatform
from bot.storage.encryption import FieldCipher
from bot.storage.migrate import upgrade
from bot.storage.redis_server import RedisServer
from bot.storage.sql import Database
from bot.wechat.inbound import MassJobFinished
from tests.campaigns.people import add_followers, draft, openid, started
from tests.support.assistant import settings_for, simulated_platform
from tests.support.postgres import running_postgres
from tests.support.waiting import until

PEOPLE, CALLS_PER_MINUTE = 620_000, 60
ADDED_AT_ONCE = 20_000
LOOK_EVERY_S, PATIENCE_S, MEMORY_EVERY_S = 0.25, 900.0, 0.05


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds and bytes of one run."""

    store: str
    people: int
    frozen_s: float
    sent_s: float
    least_s: float
    reconciled_s: float
    idle_mb: float
    peak_mb: float

    def row(self) -> str:
        """Return the row of the table in the document."""
        over = (self.sent_s / self.least_s - 1) * 100 if self.least_s else 0
        return (
            f"| {self.store} | {self.people:,} | {self.frozen_s:.1f} s | {self.sent_s:.1f} s "
            f"({over:+.0f} % of the limits' {self.least_s:.0f} s) | {self.reconciled_s:.1f} s "
            f"| {self.peak_mb:.0f} MB ({self.idle_mb:.0f} MB before it began) |"
        )


def _worker(settings: Settings, parent: Connection) -> None:
    """Work until told to stop; then say how much memory of its own it had at most, and how much before it began."""
    asyncio.run(_work(settings, parent))


def _own_mb() -> float:
    """Return the memory of this process's own: pages of the database's file that SQLite maps are the system's."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1024


async def _work(settings: Settings, parent: Connection) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), stopped.set)
    async with open_bot(settings) as bot:
        idle_mb = peak_mb = _own_mb()
        working = asyncio.create_task(worker_of(bot, worker_id()).run())
        parent.send("ready")
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), MEMORY_EVERY_S)
            peak_mb = max(peak_mb, _own_mb())
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    parent.send((idle_mb, peak_mb))


async def measure(store: str, settings: Settings, people: int, console: Console) -> Figures:
    """Do one whole run."""
    database = Database(settings.database_url)
    await upgrade(database)
    changes = {"mass_calls_per_minute": CALLS_PER_MINUTE, "mass_shown_max": 0, "tells_of_mass_jobs": False}
    async with simulated_platform(settings, None, **changes) as platform, open_records(settings) as records:
        console.print(f"{store}: adding {people:,} followers")
        now = records.clock.now()
        for first in range(0, people, ADDED_AT_ONCE):
            await add_followers(database, range(first, min(first + ADDED_AT_ONCE, people)), now)
        for number in range(people):
            start_following(platform.followers.add("职工", openid(number)), now)
        all_day = replace(draft().hours, open_minute=0, close_minute=24 * 60)
        begun = time.monotonic()
        campaign = await started(records.campaigns.service, draft(hours=all_day))
        frozen_s = time.monotonic() - begun
        console.print(f"{store}: frozen in {frozen_s:.1f} s; sending")
        memory, sent_s, reconciled_s = await _send(settings, records.campaigns, campaign.id, platform)
    await database.close()
    batches = -(-people // 10_000)
    least_s = max(batches - 1, 0) * 60 / CALLS_PER_MINUTE
    return Figures(store, people, frozen_s, sent_s, least_s, reconciled_s, *memory)


async def _send(
    settings: Settings, desk: CampaignDesk, campaign_id: int, platform: SimulatedPlatform
) -> tuple[tuple[float, float], float, float]:
    """Run a worker until all is delivered; return its memory, idle and at most, and the seconds of both parts."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_worker, args=(settings, theirs), daemon=True)
    process.start()
    await asyncio.to_thread(ours.recv)
    begun = time.monotonic()
    await until(lambda: _is_sent(desk, campaign_id), timeout_s=PATIENCE_S)
    sent_s = time.monotonic() - begun
    begun = time.monotonic()
    await _report(desk.reports, platform)
    total = (await desk.service.get(campaign_id)).total
    await until(lambda: _is_delivered(desk, campaign_id, total), timeout_s=PATIENCE_S)
    reconciled_s = time.monotonic() - begun
    ledger = platform.mass_ledger()
    if len(ledger) != total or set(ledger.values()) != {1}:
        raise RuntimeError("somebody got it twice, or not at all")
    ours.send("stop")
    memory: tuple[float, float] = await asyncio.to_thread(ours.recv)
    await asyncio.to_thread(process.join)
    return memory, sent_s, reconciled_s


async def _is_sent(desk: CampaignDesk, campaign_id: int) -> bool:
    await asyncio.sleep(LOOK_EVERY_S)
    return (await desk.service.get(campaign_id)).state is CampaignState.SENT


async def _is_delivered(desk: CampaignDesk, campaign_id: int, total: int) -> bool:
    await asyncio.sleep(LOOK_EVERY_S)
    return (await desk.lists.progress(campaign_id)).counts.get(Outcome.DELIVERED, 0) == total


async def _report(reports: JobReports, platform: SimulatedPlatform) -> None:
    """Hand over what the platform would report by callback."""
    for job in platform.mass_jobs.values():
        await reports.note(
            MassJobFinished(
                openid=job.openids[0],
                account="gh",
                created_s=int(job.at.timestamp()),
                raw={"MsgID": str(job.msg_id)},
                event="masssendjobfinish",
                msg_id=job.msg_id,
                status="send success",
                total_count=len(job.openids),
                filter_count=len(job.received),
                sent_count=len(job.received),
                error_count=len(job.openids) - len(job.received),
            )
        )


@asynccontextmanager
async def _settings(folder: Path, database_url: str) -> AsyncIterator[Settings]:
    async with RedisServer(folder / "redis") as redis:
        yield settings_for(
            database_url=database_url,
            redis_url=redis.url,
            data_dir=folder,
            cipher_setting=FieldCipher.new_setting(),
        )


async def run(people: int, stores: Sequence[str], console: Console) -> list[Figures]:
    """Return the figures of each store."""
    found: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="bench-campaigns-") as name:
        folder = Path(name)
        if "sqlite" in stores:
            async with _settings(folder, f"sqlite+aiosqlite:///{folder / 'records.db'}") as settings:
                found.append(await measure("SQLite", settings, people, console))
        if "postgresql" in stores:
            with running_postgres() as url:
                async with _settings(folder, url) as settings:
                    found.append(await measure("PostgreSQL", settings, people, console))
    return found


def main() -> None:
    """Print the table for ``docs/benchmarks.md``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--store", action="append", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    console = Console()
    figures = asyncio.run(run(options.people, options.store or ["sqlite", "postgresql"], console))
    console.print("| Store | People | Frozen | Sent | Reconciled | Worker's peak |")
    console.print("| --- | --- | --- | --- | --- | --- |")
    for one in figures:
        console.print(one.row())


if __name__ == "__main__":
    main()

"""``python -m tests.bench.campaigns``: a campaign to 620,000 followers, frozen, sent and reconciled.

The worker is ``python -m bot worker``, with its memory sampled; the simulated platform
takes 60 calls a minute and reports each job. ``--people`` makes a shorter run.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from bot.app.records import open_records
from bot.campaigns.desk import CampaignDesk
from bot.campaigns.models import CampaignState, Outcome
from bot.campaigns.reconciling import JobReports
from bot.commands.run import environment_of
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


@dataclass(slots=True)
class Memory:
    """Megabytes of a process: what it holds for itself, and with the pages of libraries and mapped files."""

    own_mb: float = 0.0
    resident_mb: float = 0.0

    def grow(self, pid: int) -> None:
        """Take what the process has now where that is more."""
        values = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines())
        own, resident = (int(values[name].split()[0]) / 1024 for name in ("RssAnon", "VmRSS"))
        self.own_mb, self.resident_mb = max(self.own_mb, own), max(self.resident_mb, resident)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds and memory of one run."""

    store: str
    people: int
    frozen_s: float
    sent_s: float
    least_s: float
    reconciled_s: float
    rest: Memory
    most: Memory

    def row(self) -> str:
        """Return the row of the table in the document."""
        over = (self.sent_s / self.least_s - 1) * 100 if self.least_s else 0
        return (
            f"| {self.store} | {self.people:,} | {self.frozen_s:.1f} s | {self.sent_s:.1f} s "
            f"({over:+.0f} % of the limits' {self.least_s:.0f} s) | {self.reconciled_s:.1f} s "
            f"| {self.most.own_mb:.0f} MB ({self.rest.own_mb:.0f} MB before it began) "
            f"| {self.most.resident_mb:.0f} MB ({self.rest.resident_mb:.0f} MB) |"
        )


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[int]:
    """Run ``python -m bot worker`` as it is deployed; give its process id."""
    own = {"BOT_DATA_DIR": str(settings.data_dir), "BOT_FLOWS_DIR": str(settings.flows_dir)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "worker"),
        env={**environment_of(settings, settings.redis_url), **own},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


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
        rest, most, sent_s, reconciled_s = await _send(settings, records.campaigns, campaign.id, platform)
    await database.close()
    batches = -(-people // 10_000)
    least_s = max(batches - 1, 0) * 60 / CALLS_PER_MINUTE
    return Figures(store, people, frozen_s, sent_s, least_s, reconciled_s, rest, most)


async def _send(
    settings: Settings, desk: CampaignDesk, campaign_id: int, platform: SimulatedPlatform
) -> tuple[Memory, Memory, float, float]:
    """Run a worker until all is delivered; return its memory, at rest and at most, and the seconds of both parts.

    Sending begins with the first call, so that the start of the process does not count.
    """
    rest, most = Memory(), Memory()
    async with working(settings) as pid:
        while not platform.mass_jobs:
            rest.grow(pid)
            await asyncio.sleep(MEMORY_EVERY_S)
        begun = time.monotonic()
        watching = asyncio.create_task(watch(pid, most))
        await until(lambda: _is_sent(desk, campaign_id), timeout_s=PATIENCE_S)
        sent_s = time.monotonic() - begun
        begun = time.monotonic()
        await _report(desk.reports, platform)
        total = (await desk.service.get(campaign_id)).total
        await until(lambda: _is_delivered(desk, campaign_id, total), timeout_s=PATIENCE_S)
        reconciled_s = time.monotonic() - begun
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    ledger = platform.mass_ledger()
    if len(ledger) != total or set(ledger.values()) != {1}:
        raise RuntimeError("somebody got it twice, or not at all")
    return rest, most, sent_s, reconciled_s


async def watch(pid: int, most: Memory) -> None:
    """Take the most of what a process has, until cancelled."""
    while True:
        most.grow(pid)
        await asyncio.sleep(MEMORY_EVERY_S)


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
async def settings_in(folder: Path, database_url: str) -> AsyncIterator[Settings]:
    """Start a Redis in ``folder``; give the settings of a worker over it and the database."""
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
            async with settings_in(folder, f"sqlite+aiosqlite:///{folder / 'records.db'}") as settings:
                found.append(await measure("SQLite", settings, people, console))
        if "postgresql" in stores:
            with running_postgres() as url:
                async with settings_in(folder, url) as settings:
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
    console.print(
        "| Store | People | Frozen | Sent | Reconciled | Worker's own memory | With libraries and mapped files |"
    )
    console.print("| --- | --- | --- | --- | --- | --- | --- |")
    for one in figures:
        console.print(one.row())


if __name__ == "__main__":
    main()

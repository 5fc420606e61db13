"""What a worker's process takes of the machine's memory, with the demonstration's programmes and knowledge in it."""

import asyncio
import os
import sys
from pathlib import Path

from bot.app.records import open_records
from bot.commands.run import environment_of, seed
from bot.simulator.platform import SimulatedPlatform
from bot.storage.encryption import FieldCipher
from tests.support.assistant import settings_for, simulated_platform
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
RESIDENT_MAX_MB = 145
"""One machine holds more pages of the same libraries than another (140.1 to 140.6 where others had less than 140).

A campaign to 620,000 adds up to 30 MB of what is allowed, which is 150 (docs/benchmarks.md).
"""
START_TIMEOUT_S = 90.0
LOOKED_AT_FOR_S = 3.0
"""Long enough for every job that rests up to two seconds to have run."""


def most_resident_mb(pid: int) -> float:
    """Return the most pages that a process ever had in memory, those of its libraries too."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


async def test_a_worker_at_rest_leaves_room_for_a_campaign(database_url: str, redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(
        database_url=database_url, redis_url=redis_url, data_dir=tmp_path, cipher_setting=FieldCipher.new_setting()
    )
    async with simulated_platform(settings) as platform:
        async with open_records(settings) as records:
            await seed(records)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "worker"),
            cwd=ROOT,
            env={**os.environ, **environment_of(settings, redis_url)},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert await most_of(process.pid, platform) <= RESIDENT_MAX_MB
        finally:
            process.kill()
            await process.wait()


async def most_of(pid: int, platform: SimulatedPlatform) -> float:
    """Return the most that the process took from its start until every job has run once."""

    async def is_working() -> bool:
        return platform.menu is not None

    await until(is_working, timeout_s=START_TIMEOUT_S)
    await asyncio.sleep(LOOKED_AT_FOR_S)
    return most_resident_mb(pid)

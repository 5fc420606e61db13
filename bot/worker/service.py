"""The worker process: every background loop, each restarted after a fault, all stopped together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot.values.errors import BotError
from bot.worker.shards import LEASE_RENEW_S, ShardLeases

log = structlog.get_logger(__name__)

FAULT_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done again and again. ``run`` returns how much it did; after nothing it rests ``rest_s``."""

    name: str
    run: Callable[[], Awaitable[int]]
    rest_s: float


@dataclass(frozen=True, slots=True)
class Listener:
    """Work that waits by itself. ``run`` goes on until it is cancelled; after a fault it is begun again."""

    name: str
    run: Callable[[], Awaitable[None]]


class Worker:
    """Runs its jobs and listeners until it is cancelled."""

    def __init__(self, leases: ShardLeases, jobs: tuple[Job, ...], listeners: tuple[Listener, ...] = ()) -> None:
        self._leases = leases
        self._jobs = jobs
        self._listeners = listeners

    async def run(self) -> None:
        """Run until cancelled; then give the shards back."""
        try:
            await self._leases.renew()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_leases(), name="leases")
                for job in self._jobs:
                    group.create_task(_repeat(job), name=job.name)
                for listener in self._listeners:
                    group.create_task(_keep_listening(listener), name=listener.name)
        finally:
            await self._leases.release()

    async def run_once(self) -> int:
        """Do every job once and give the shards back; return how much was done. Any fault is raised."""
        await self._leases.renew()
        try:
            return sum([await job.run() for job in self._jobs])
        finally:
            await self._leases.release()

    async def _keep_leases(self) -> None:
        while not _is_to_end():
            await asyncio.sleep(LEASE_RENEW_S)
            try:
                await self._leases.renew()
            except (OSError, BotError) as error:
                log.warning("leases not renewed", error=type(error).__name__)


async def _repeat(job: Job) -> None:
    while not _is_to_end():
        try:
            done = await job.run()
        except Exception as error:  # noqa: BLE001 - One fault must not end the other jobs; it is logged and retried.
            log.error("job failed", job=job.name, error=type(error).__name__, fields=getattr(error, "fields", None))
            await asyncio.sleep(FAULT_PAUSE_S)
            continue
        await asyncio.sleep(0 if done else job.rest_s)


async def _keep_listening(listener: Listener) -> None:
    while not _is_to_end():
        try:
            await listener.run()
        except Exception as error:  # noqa: BLE001 - As above.
            log.error("listener failed", listener=listener.name, error=type(error).__name__)
        await asyncio.sleep(FAULT_PAUSE_S)


def _is_to_end() -> bool:
    """Say whether this task was cancelled, also where a library below swallowed that, as clients of Redis may do."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

"""``python -m bot run``: starts every process of the demonstration, watches them, and stops them all."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import structlog

from bot.storage.child import bound_to_parent

log = structlog.get_logger(__name__)

STOP_TIMEOUT_S = 8.0
READY_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """One process: its command, and the address that answers when it is ready (``None``: ready when started)."""

    name: str
    command: Sequence[str]
    ready_url: str | None = None
    ready_within_s: float = 120.0
    """One that ends is noticed at once, so patience with a busy machine costs nothing."""
    optional: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


class PartFailed(RuntimeError):
    """A process ended, or was not ready in time."""


class Supervisor:
    """Runs parts as child processes in a process group each, so that none outlives it, not even when it is killed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, part: Part) -> None:
        """Start ``part`` and return when it is ready. Raises PartFailed."""
        process = await asyncio.create_subprocess_exec(
            *bound_to_parent(part.command, signal=signal.SIGTERM),
            env={**self._environment, **part.environment},
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running[part.name] = process
        if part.ready_url is not None:
            await self._until_ready(part, part.ready_url, process)

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the parts that were started."""
        return tuple(process.pid for process in self._running.values())

    async def _until_ready(self, part: Part, url: str, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + part.ready_within_s
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            while loop.time() < deadline:
                if process.returncode is not None:
                    raise PartFailed(f"{part.name} ended with code {process.returncode} before it was ready")
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(url) as response:
                        if response.status < 500:
                            return
                await asyncio.sleep(READY_POLL_S)
        raise PartFailed(f"{part.name} was not ready within {part.ready_within_s:.0f} s ({url})")

    async def until_one_ends(self, ignore: frozenset[str] = frozenset()) -> tuple[str, int]:
        """Wait until a process ends by itself; give its name and exit code."""
        waits = {
            asyncio.create_task(process.wait()): name for name, process in self._running.items() if name not in ignore
        }
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            first = done.pop()
            return waits[first], first.result()
        finally:
            for wait in waits:
                wait.cancel()

    async def stop(self) -> None:
        """Stop every process, latest first: politely, then firmly."""
        for name, process in reversed(self._running.items()):
            if process.returncode is None:
                _signal_group(process, signal.SIGTERM)
            log.debug("stopping", part=name)
        for name, process in reversed(self._running.items()):
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                log.warning("killed", part=name, after_s=STOP_TIMEOUT_S)
                _signal_group(process, signal.SIGKILL)
                await process.wait()
        self._running.clear()


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def bot_command(*words: str) -> tuple[str, ...]:
    """Return the command line of ``python -m bot …`` with this interpreter."""
    return (sys.executable, "-m", "bot", *words)

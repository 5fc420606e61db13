"""Starts gateways in processes of their own. They are forked from one server that has imported everything once."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.storage.redis_server import RedisServer
from tests.support.assistant import settings_for
from tests.support.redis import flush
from tests.turns.mortal_gateway import GatewayPlan, Mortality, Step, run

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
SHORT_LOCK_TTL_MS = 500
"""How long a gateway that dies keeps its follower; the survivor has to wait for that."""


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """A running gateway."""

    url: str
    process: ForkServerProcess
    parent: Connection

    def died_by_signal(self) -> int:
        """Return the number of the signal that ended the process; waits for the end."""
        self.process.join(STOP_TIMEOUT_S)
        assert self.process.exitcode is not None, "the gateway lives"
        return -self.process.exitcode

    def end(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.join()
        self.parent.close()


@dataclass
class Gateways:
    """Gateways over one Redis and one database."""

    settings: Settings
    _running: list[GatewayProcess] = field(default_factory=list)

    def start(self, plan: GatewayPlan) -> GatewayProcess:
        """Start a gateway; returns when it listens."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.turns.mortal_gateway", "pytest"])
        ours, theirs = context.Pipe()
        process = context.Process(target=run, args=(plan, theirs), daemon=True)
        process.start()
        theirs.close()
        assert ours.poll(START_TIMEOUT_S), "the gateway does not start"
        started = GatewayProcess(f"http://127.0.0.1:{ours.recv()}/wechat", process, ours)
        self._running.append(started)
        return started

    def survivor(self, **changes: object) -> GatewayProcess:
        """Start a gateway that does not die; ``changes`` are fields of its plan."""
        plan = GatewayPlan(self.settings)
        return self.start(replace(plan, **changes))  # type: ignore[arg-type] # Names are checked by replace itself.

    def mortal(self, step: Step, words: str, **changes: object) -> GatewayProcess:
        """Start a gateway that dies at ``step`` of the turn of a message that holds ``words``."""
        return self.survivor(mortality=Mortality(step, words), lock_ttl_ms=SHORT_LOCK_TTL_MS, **changes)

    def end(self) -> None:
        """End all of them."""
        for one in self._running:
            one.end()


@contextmanager
def gateways(settings: Settings) -> Iterator[Gateways]:
    """Give a place to start gateways; all end with the block."""
    group = Gateways(settings)
    try:
        yield group
    finally:
        group.end()


def settings_over(request: pytest.FixtureRequest, redis_server: RedisServer, folder: Path) -> Settings:
    """Return settings for gateways over an emptied Redis and a new database of the store that the fixture names."""
    if request.param == "sqlite":
        database_url = request.getfixturevalue("sqlite_databases").copy_to(folder / "records.db")
    else:
        databases = request.getfixturevalue("postgres_databases")
        databases.empty()
        database_url = databases.url
    flush(redis_server.socket)
    return settings_for(database_url=database_url, redis_url=redis_server.url, data_dir=folder)

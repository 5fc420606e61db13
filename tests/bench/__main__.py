"""``make bench``: what a turn costs beside an empty server and a stateless echo, in one interleaved run.

Writes ``docs/benchmarks.md``. The servers run on one core, the load and Redis on the others where there are any.
"""

import asyncio
import contextlib
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.progress import track

from bot.app.records import open_records
from bot.commands.run import environment_of, seed
from bot.settings import Settings
from bot.storage.migrate import upgrade
from bot.storage.redis_server import RedisServer
from tests.bench.load import CONNECTIONS, Callback, Callbacks, Round, measured, send_all, spread
from tests.bench.nlu import nlu_section
from tests.bench.servers import SERVER_CORE
from tests.support.assistant import settings_for
from tests.support.nlu import free_port

ROUNDS = 7
TURNS_A_ROUND = 40
FOLLOWERS = CONNECTIONS
LONG_TURNS = 200
EDGE = 20
NAMES = ("empty", "echo", "turn")
OPENING = ("勤工俭学报名", "1", "同意", "同意", "同意", "家长")
ANSWERS = ("杨小芳", "返回")
DOCS = Path("docs/benchmarks.md")
LONG_RUNS = "<!-- Long runs, each noted by hand from its own command. -->\n"


@dataclass
class Results:
    """The rounds of each server, and the first and last turns of a long conversation."""

    rounds: dict[str, list[Round]] = field(default_factory=lambda: {name: [] for name in NAMES})
    first_us: list[float] = field(default_factory=list)
    last_us: list[float] = field(default_factory=list)

    def ratio(self, name: str, base: str) -> list[float]:
        """Return the CPU of ``name`` in terms of ``base``, round by round."""
        pairs = zip(self.rounds[name], self.rounds[base], strict=True)
        return [one.cpu_us / other.cpu_us for one, other in pairs]


async def run(console: Console) -> Results:
    """Start the servers, measure them in turn, return everything measured."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with RedisServer(Path(folder)) as redis:
            settings = settings_for(
                database_url=f"sqlite+aiosqlite:///{folder}/records.db", redis_url=redis.url, data_dir=Path(folder)
            )
            async with open_records(settings) as records:
                await upgrade(records.database)
                await seed(records)
            async with _servers(settings) as bases, aiohttp.ClientSession() as http:
                return await _measure(console, settings, bases, http)


async def _measure(
    console: Console, settings: Settings, bases: dict[str, str], http: aiohttp.ClientSession
) -> Results:
    callbacks, results = Callbacks(settings), Results()
    followers = [f"oBenchFollower{number:04d}" for number in range(FOLLOWERS)]
    for text in OPENING:
        await send_all(http, bases["turn"], [callbacks.text(openid, text) for openid in followers])
    for name in NAMES:
        await measured(http, bases[name], _answers(callbacks, followers, 4))
    for _ in track(range(ROUNDS), "Rounds", console=console):
        for name in NAMES:
            results.rounds[name].append(
                await measured(http, bases[name], _answers(callbacks, followers, TURNS_A_ROUND))
            )
    for _ in track(range(3), "Long conversations", console=console):
        costs = [
            (await measured(http, bases["turn"], _answers(callbacks, followers, 2))).cpu_us
            for _ in range(LONG_TURNS // 2)
        ]
        results.first_us.append(statistics.median(costs[: EDGE // 2]))
        results.last_us.append(statistics.median(costs[-EDGE // 2 :]))
    return results


def _answers(callbacks: Callbacks, followers: Sequence[str], turns: int) -> list[Callback]:
    return [callbacks.text(openid, ANSWERS[turn % 2]) for turn in range(turns) for openid in followers]


@contextlib.asynccontextmanager
async def _servers(settings: Settings) -> AsyncIterator[dict[str, str]]:
    """Run the three servers; give their addresses."""
    environment = {**environment_of(settings, settings.redis_url), "BOT_DATA_DIR": str(settings.data_dir)}
    ports = {name: free_port() for name in NAMES}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.servers", name, str(port), env=environment
        )
        for name, port in ports.items()
    ]
    bases = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    try:
        async with aiohttp.ClientSession() as http:
            for base in bases.values():
                await _until_ready(http, base)
        yield bases
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            await process.wait()


async def _until_ready(http: aiohttp.ClientSession, base: str) -> None:
    for _ in range(300):
        with contextlib.suppress(aiohttp.ClientError):
            async with http.get(f"{base}/cpu") as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{base} did not start")


PAGE = """# Benchmarks

The first part is written by `make bench`. The machine is shared, so ratios of rounds that followed each other are
what counts; each figure is the median with the least and the greatest of the rounds.

Python {python}, {cores} cores, safe mode, {connections} connections, {rounds} interleaved rounds of {requests}
requests for each server; the servers on core {server_core}, load and Redis elsewhere.

| Server | CPU µs a request | CPU in terms of the echo | Wall µs a request |
|---|---|---|---|
{rows}

Length of the conversation: the last {edge} of {turns} turns cost {long_ratio} times the first {edge}.

A flow turn here is an answer in the work-study form that needs no NLU and no record: claim, understand, run, commit.
Redis' own CPU is not counted.
"""
TITLES = {"empty": "Empty aiohttp", "echo": "wechatpy echo, no state", "turn": "Flow turn: lock, engine, commit"}


def report(results: Results) -> str:
    """Return the page of the documentation."""
    long_ratio = [last / first for first, last in zip(results.first_us, results.last_us, strict=True)]
    return PAGE.format(
        python=platform.python_version(),
        cores=os.cpu_count(),
        connections=CONNECTIONS,
        rounds=ROUNDS,
        requests=FOLLOWERS * TURNS_A_ROUND,
        server_core=SERVER_CORE,
        rows="\n".join(_row(results, name) for name in NAMES),
        edge=EDGE,
        turns=LONG_TURNS,
        long_ratio=spread(long_ratio, 2),
    )


def _row(results: Results, name: str) -> str:
    rounds = results.rounds[name]
    cpu, wall = spread([one.cpu_us for one in rounds]), spread([one.wall_us for one in rounds])
    return f"| {TITLES[name]} | {cpu} | {spread(results.ratio(name, 'echo'), 2)} | {wall} |"


def main() -> None:
    """Measure, print and write the page."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {SERVER_CORE})
    console = Console()
    page = report(asyncio.run(run(console))) + asyncio.run(nlu_section(console))
    console.print(page, soft_wrap=True)
    _, marker, noted = DOCS.read_text(encoding="utf-8").partition(LONG_RUNS)
    DOCS.write_text(f"{page}\n{marker}{noted}", encoding="utf-8")


if __name__ == "__main__":
    main()

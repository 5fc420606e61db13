"""What a fresh text costs the NLU over HTTP, beside Rasa's own server with the same model, in one interleaved run.

Run alone by ``python -m tests.bench.nlu``; ``make bench`` appends its section to ``docs/benchmarks.md``.
"""

import asyncio
import contextlib
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.progress import track

from bot.commands.training import NLU_PYTHON, ROOT
from nlu.fingerprint import current_model
from tests.bench.load import spread
from tests.nlu.texts import evaluation_texts
from tests.support.nlu import free_port, is_ready, running_nlu, until_ready

ROUNDS = 5
ALONE = 60
TOGETHER = 240
LANES = 16
OURS, RASAS, EMPTY = "ours", "rasa", "empty"
RASAS_SERVER = """
import sys
from functools import partial
sys.path.insert(0, sys.argv[1])
from nlu.environment import prepare
prepare()
from rasa.core.run import configure_app, load_agent_on_start
from rasa.core.utils import AvailableEndpoints
endpoints = AvailableEndpoints()
app = configure_app(enable_api=True, endpoints=endpoints)
app.register_listener(partial(load_agent_on_start, sys.argv[2], endpoints, None), "before_server_start")
app.run(host="127.0.0.1", port=int(sys.argv[3]), access_log=False, motd=False)
"""


@dataclass
class Speed:
    """One figure a round: the median and 95th percentile of single requests in ms, and requests a second of many."""

    p50_ms: list[float] = field(default_factory=list)
    p95_ms: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)


class Load:
    """Texts that no server has seen, made from the evaluation set."""

    def __init__(self, http: aiohttp.ClientSession, bases: dict[str, str]) -> None:
        self._http = http
        self._bases = bases
        self._texts = [example.text for example in evaluation_texts()]
        self._numbers = count()

    async def ask(self, name: str) -> None:
        """Send one request of the kind ``name``. Raises RuntimeError unless the answer is 200."""
        number = next(self._numbers)
        text = f"{self._texts[number % len(self._texts)]}({number})"
        if name == EMPTY:
            request = self._http.get(f"{self._bases[OURS]}/version")
        else:
            request = self._http.post(f"{self._bases.get(name, self._bases[OURS])}/model/parse", json={"text": text})
        async with request as answer:
            await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{name} answered {answer.status}")

    async def alone(self, name: str, speed: Speed) -> None:
        """Ask one after another."""
        took = []
        for _ in range(ALONE):
            started = time.perf_counter()
            await self.ask(name)
            took.append((time.perf_counter() - started) * 1e3)
        speed.p50_ms.append(statistics.median(took))
        speed.p95_ms.append(statistics.quantiles(took, n=20)[-1])

    async def together(self, name: str, speed: Speed) -> None:
        """Ask on ``LANES`` connections at once."""

        async def lane() -> None:
            for _ in range(TOGETHER // LANES):
                await self.ask(name)

        started = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(LANES)))
        speed.rate.append(TOGETHER / (time.perf_counter() - started))


@contextlib.contextmanager
def rasas_own(model: Path) -> Iterator[str]:
    """Serve ``model`` by Rasa alone; give its base address."""
    port = free_port()
    command = [str(NLU_PYTHON), "-c", RASAS_SERVER, str(ROOT), str(model), str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_ready(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


async def measure(console: Console, model: Path) -> dict[str, Speed]:
    """Return the figures of each kind of request, measured in turn."""
    speeds = {name: Speed() for name in (OURS, RASAS, EMPTY)}
    with running_nlu() as ours, rasas_own(model) as rasas:
        async with aiohttp.ClientSession() as http:
            load = Load(http, {OURS: ours, RASAS: rasas})
            for name in speeds:
                await load.together(name, Speed())
            for _ in track(range(ROUNDS), "NLU", console=console):
                for name, speed in speeds.items():
                    await load.alone(name, speed)
                    await load.together(name, speed)
    return speeds


SECTION = """
## Understanding

One NLU process, texts that it has not seen, {rounds} interleaved rounds: {alone} requests one after another, then
{together} on {lanes} connections. Client and servers share the cores. Ratios are of rounds that followed each other.

| Request | p50 ms | p95 ms | a second, {lanes} at once | p50 in terms of Rasa's | rate in terms of Rasa's |
|---|---|---|---|---|---|
{rows}
"""
TITLES = {
    OURS: "Fresh text",
    RASAS: "Fresh text, Rasa's own server and parse",
    EMPTY: "Empty route of the same server",
}


def section(speeds: dict[str, Speed]) -> str:
    """Return the section of the documentation."""
    rows = "\n".join(_row(TITLES[name], speed, speeds[RASAS]) for name, speed in speeds.items())
    return SECTION.format(rounds=ROUNDS, alone=ALONE, together=TOGETHER, lanes=LANES, rows=rows)


def _row(title: str, speed: Speed, base: Speed) -> str:
    p50, rate = _ratios(speed.p50_ms, base.p50_ms), _ratios(speed.rate, base.rate)
    absolute = f"{spread(speed.p50_ms, 1)} | {spread(speed.p95_ms, 1)} | {spread(speed.rate)}"
    return f"| {title} | {absolute} | {spread(p50, 2)} | {spread(rate, 2)} |"


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


async def nlu_section(console: Console) -> str:
    """Return the section, measured now; a sentence where no model is trained."""
    model = current_model()
    if model is None or not is_ready():
        return "\n## Understanding\n\nNot measured: no model was trained (`make nlu`).\n"
    return section(await measure(console, model))


if __name__ == "__main__":
    out = Console()
    out.print(asyncio.run(nlu_section(out)), soft_wrap=True)

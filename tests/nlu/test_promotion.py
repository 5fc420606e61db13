"""A model that is promoted while people write: nobody waits for it, nobody is turned away."""

import asyncio
import io
import json
import re
import shutil
import tarfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path

import aiohttp
import pytest

from nlu.fingerprint import current_model, point_to
from tests.nlu.conftest import RealNlu
from tests.support.nlu import is_ready, running_nlu

LANES = 3
WITHIN_S = 60.0
pytestmark = [pytest.mark.xdist_group("nlu"), pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Answer:
    """When an answer came, its status, and which model gave it."""

    at: float
    status: int
    model_id: str


@dataclass
class Stream:
    """Parses of fresh texts, one after another on each lane, until it is stopped."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, http: aiohttp.ClientSession) -> None:
        while True:
            body = {"text": f"我想问第{next(self._numbers)}个问题"}
            async with http.post(f"{self.url}/model/parse", json=body) as reply:
                told = await reply.json()
                self.answers.append(Answer(time.monotonic(), reply.status, str(told.get("model_id"))))
                self._answered.set()

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait until ``done``, which is asked after each answer; raises TimeoutError after a minute."""
        async with asyncio.timeout(WITHIN_S):
            while not done():
                self._answered.clear()
                await self._answered.wait()

    def longest_pause_s(self, since: float) -> float:
        """Return the longest time without an answer after ``since``."""
        moments = [since, *(answer.at for answer in self.answers if answer.at > since)]
        return max(later - earlier for earlier, later in pairwise(moments))


@asynccontextmanager
async def streaming(url: str) -> AsyncIterator[Stream]:
    """Keep parsing while the block runs; every answer must have been 200."""
    stream = Stream(url)
    async with aiohttp.ClientSession() as http:
        lanes = [asyncio.create_task(stream.run(http)) for _ in range(LANES)]
        try:
            yield stream
        finally:
            for lane in lanes:
                lane.cancel()
            ends = await asyncio.gather(*lanes, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
    assert {answer.status for answer in stream.answers} == {200}


def retitled(model: Path, target: Path) -> Path:
    """Write a copy of ``model`` that takes two intents for each other: another model, as far as anyone can tell."""
    other = {"chitchat": "greet", "greet": "chitchat"}
    with tarfile.open(model) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            content = old.extractfile(member)
            data = content.read() if content else b""
            if member.name.endswith("classes.json"):
                data = json.dumps([other.get(name, name) for name in json.loads(data)]).encode()
                member.size = len(data)
            new.addfile(member, io.BytesIO(data) if content else None)
    return target


@dataclass(frozen=True)
class Followed:
    """A server that follows the pointer in ``models``, where one.tar.gz is current and two.tar.gz is another."""

    nlu: RealNlu
    models: Path

    async def status(self) -> str:
        async with aiohttp.ClientSession() as http, http.get(f"{self.nlu.url}/status") as reply:
            return str((await reply.json())["model_file"])


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """One server for the module, as it takes seconds to start."""
    current = current_model() if is_ready() else None
    if current is None:
        pytest.skip("no trained NLU model: `make nlu` prepares it")
    models = tmp_path_factory.mktemp("models")
    shutil.copy(current, models / "one.tar.gz")
    retitled(current, models / "two.tar.gz")
    point_to(models / "one.tar.gz")
    output = models / "output.txt"
    with output.open("wb") as sink, running_nlu(sink, ["--models", str(models)]) as url:
        yield Followed(RealNlu(url, output), models)


async def test_a_promoted_model_takes_over_while_the_old_one_answers(followed: Followed) -> None:
    assert await followed.status() == "one.tar.gz"
    async with streaming(followed.nlu.url) as stream:
        await stream.until(lambda: len(stream.answers) > 20)
        old = stream.answers[0].model_id
        promoted_at = time.monotonic()
        point_to(followed.models / "two.tar.gz")
        await stream.until(lambda: stream.answers[-1].model_id != old)
        await asyncio.sleep(0.5)
    ids = [answer.model_id for answer in stream.answers]
    assert len(set(ids)) == 2
    assert await followed.status() == "two.tar.gz"
    loaded = re.search(r"serves two.tar.gz now, loaded in ([0-9.]+) s", followed.nlu.output.read_text())
    assert loaded is not None
    assert stream.longest_pause_s(promoted_at) < 0.8 * float(loaded[1])


async def test_control_rasas_own_replacement_keeps_everybody_waiting(followed: Followed) -> None:
    async with streaming(followed.nlu.url) as stream, aiohttp.ClientSession() as http:
        await stream.until(lambda: len(stream.answers) > 20)
        asked_at = time.monotonic()
        async with http.put(
            f"{followed.nlu.url}/model", json={"model_file": str(followed.models / "one.tar.gz")}
        ) as put:
            assert put.status == 204
        took_s = time.monotonic() - asked_at
        await stream.until(lambda: stream.answers[-1].at > asked_at + took_s)
    assert stream.longest_pause_s(asked_at) > 0.8 * took_s


@pytest.mark.parametrize("fault", ["not an archive", "torn"])
async def test_a_broken_archive_leaves_the_old_model_serving(followed: Followed, fault: str) -> None:
    before = await followed.status()
    content = (followed.models / "two.tar.gz").read_bytes()
    broken = followed.models / f"{fault.replace(' ', '-')}.tar.gz"
    broken.write_bytes(content[: len(content) // 2] if fault == "torn" else b"nothing of the kind")
    async with streaming(followed.nlu.url) as stream:
        point_to(broken)
        await stream.until(lambda: f"model {broken.name} does not load" in followed.nlu.output.read_text())
        await stream.until(lambda: len(stream.answers) > 20)
    assert await followed.status() == before
    assert len({answer.model_id for answer in stream.answers}) == 1


async def test_after_a_broken_one_the_next_is_picked_up(followed: Followed) -> None:
    point_to(followed.models / "one.tar.gz")
    async with streaming(followed.nlu.url) as stream:
        await stream.until(lambda: bool(stream.answers))
        retitled(followed.models / "two.tar.gz", followed.models / "three.tar.gz")
        point_to(followed.models / "three.tar.gz")
        await stream.until(lambda: "NLU serves three.tar.gz now" in followed.nlu.output.read_text())
    assert await followed.status() == "three.tar.gz"

"""Several NLU processes behind one port."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.commands.training import ROOT
from nlu.serving.processes import bound_socket, check_free
from tests.support.nlu import is_ready, running_nlu

WITHIN_S = 60.0
CREW = """
import sys
from nlu.serving.processes import Crew
member = [sys.executable, "-c", sys.argv[1]]
sys.exit(Crew(member, 2, stable_after_s=float(sys.argv[2])).run())
"""
TELLS_AND_STAYS = "import os, time; os.write(1, f'{os.getpid()}\\n'.encode()); time.sleep(600)"

pytestmark = [pytest.mark.xdist_group("nlu"), pytest.mark.timeout(240)]


async def test_two_processes_answer_on_one_port(tmp_path: Path) -> None:
    if not is_ready():
        pytest.skip("no trained NLU model: `make nlu` prepares it")
    output = tmp_path / "output.txt"
    with output.open("wb") as sink, running_nlu(sink, ["--processes", "2"]) as url:
        deadline = time.monotonic() + WITHIN_S
        while output.read_text().count("NLU serves") < 2 and time.monotonic() < deadline:
            time.sleep(0.1)  # noqa: ASYNC251 - Nothing else runs in this loop.
        assert output.read_text().count("NLU serves") == 2
        answered = 0
        for number in range(12):
            async with (
                aiohttp.ClientSession() as http,
                http.post(f"{url}/model/parse", json={"text": f"第{number}号来问"}) as answer,
            ):
                answered += answer.status == 200
        assert answered == 12
        with pytest.raises(OSError, match="in use"):
            check_free("127.0.0.1", int(url.rpartition(":")[2]))


@contextlib.contextmanager
def crew(member: str, stable_after_s: float) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", CREW, member, str(stable_after_s)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def next_member(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_member_that_dies_is_replaced_and_all_end_together() -> None:
    with crew(TELLS_AND_STAYS, stable_after_s=0.0) as process:
        first, second = next_member(process), next_member(process)
        os.kill(first, signal.SIGKILL)
        third = next_member(process)
        assert len({first, second, third}) == 3
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert not is_alive(second)
        assert not is_alive(third)


def test_a_member_that_cannot_start_ends_the_crew_with_its_code() -> None:
    with crew("raise SystemExit(7)", stable_after_s=30.0) as process:
        assert process.wait(timeout=30) == 7


def test_only_shared_sockets_share() -> None:
    with bound_socket("127.0.0.1", 0, shared=True) as one:
        one.listen()
        port = one.getsockname()[1]
        with bound_socket("127.0.0.1", port, shared=True) as other:
            other.listen()
        with pytest.raises(OSError, match="in use"):
            check_free("127.0.0.1", port)
    check_free("127.0.0.1", port)

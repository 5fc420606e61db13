"""The supervisor: parts become ready, a failing one is named, and none is left behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from bot.supervisor import Part, PartFailed, Supervisor
from tests.support.nlu import free_port
from tests.support.waiting import until

SERVER = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1")
SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and was not waited for does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_part_is_ready_when_its_address_answers() -> None:
    port = free_port()
    supervisor = Supervisor(os.environ)
    try:
        await supervisor.start(Part("server", (*SERVER, str(port)), f"http://127.0.0.1:{port}/", ready_within_s=60))
    finally:
        await supervisor.stop()


async def test_a_part_that_ends_before_it_is_ready_is_named() -> None:
    supervisor = Supervisor(os.environ)
    part = Part("broken", (sys.executable, "-c", "raise SystemExit(7)"), "http://127.0.0.1:9/", ready_within_s=60)
    with pytest.raises(PartFailed, match="broken ended with code 7"):
        await supervisor.start(part)
    await supervisor.stop()


async def test_the_first_part_that_ends_by_itself_is_told() -> None:
    supervisor = Supervisor(os.environ)
    await supervisor.start(Part("long", SLEEPER))
    await supervisor.start(Part("short", (sys.executable, "-c", "raise SystemExit(3)")))
    assert await supervisor.until_one_ends() == ("short", 3)
    await supervisor.stop()


async def test_stopping_leaves_no_process_behind() -> None:
    supervisor = Supervisor(os.environ)
    # A part that has a child of its own: both must be gone afterwards.
    parent = f"import subprocess, sys; subprocess.run({list(SLEEPER)!r})"
    await supervisor.start(Part("parent", (sys.executable, "-c", parent)))
    pids = supervisor.pids()
    await supervisor.stop()
    assert not any(alive(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_parts_end_when_the_supervisor_is_killed() -> None:
    program = (
        "import asyncio, os, sys\n"
        "from bot.supervisor import Part, Supervisor\n"
        "async def main():\n"
        "    supervisor = Supervisor(os.environ)\n"
        f"    await supervisor.start(Part('sleeper', {SLEEPER!r}))\n"
        "    print(*supervisor.pids(), flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    child = int(await process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()

    async def gone() -> bool:
        return not alive(child)

    await until(gone)

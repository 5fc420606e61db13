"""The same promises on a Cluster, behind Sentinel and over TLS, against real servers."""

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.storage.redis import Commands, RedisLink, RedisRefused, RedisUnavailable, Script
from bot.storage.redis_cluster import ClusterLink
from bot.storage.redis_server import RedisServer
from bot.storage.shards import SHARDS, tag
from tests.support.redis import SERVICE, Node, running_cluster, running_node, running_sentinel
from tests.support.waiting import until

# Two keys of one follower in one script, as a turn uses them.
MOVE = Script("redis.call('SET', KEYS[1], ARGV[1]) return redis.call('RPUSH', KEYS[2], ARGV[1])")


def cluster_url(nodes: list[Node]) -> str:
    return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in nodes)}"


async def works_as_promised(commands: Commands) -> None:
    """Check what ``Commands`` says of replies, scripts, errors and channels."""
    assert await commands.call("SET", "key", "工会") == b"OK"
    assert await commands.call("GET", "key") == "工会".encode()
    assert await commands.call("HSET", "hash", "a", 1) == 1
    assert await commands.call("HGETALL", "hash") == [b"a", b"1"]
    lengths = await asyncio.gather(
        *(commands.run(MOVE, [f"{tag(shard)}a", f"{tag(shard)}b"], [shard]) for shard in range(SHARDS))
    )
    assert lengths == [1] * SHARDS
    assert await commands.call("GET", f"{tag(63)}a") == b"63"
    with pytest.raises(RedisRefused) as refused:
        await commands.call("LPUSH", "key", "x")
    assert refused.value.kind == "WRONGTYPE"
    async with commands.subscribe("turns") as messages:
        await commands.call("PUBLISH", "turns", "openid")
        assert await anext(messages) == b"openid"


async def test_one_server_keeps_the_promise(redis_url: str) -> None:
    async with RedisLink(redis_url) as link:
        await works_as_promised(link)


async def test_a_cluster_keeps_the_promise_and_the_shards_are_on_all_its_masters(tmp_path: Path) -> None:
    async with running_cluster(tmp_path) as nodes, ClusterLink(cluster_url(nodes)) as link:
        await works_as_promised(link)
        sizes = [await node.link.call("DBSIZE") for node in nodes]
        assert all(isinstance(size, int) and size > SHARDS // 3 for size in sizes)
        with pytest.raises(RedisRefused, match="CROSSSLOT"):
            await link.run(MOVE, [f"{tag(0)}a", f"{tag(1)}b"], ["x"])
        await loses_a_node_and_finds_it_again(link, nodes[0])


async def loses_a_node_and_finds_it_again(link: ClusterLink, node: Node) -> None:
    keys = await node.link.call("KEYS", "{s??}a")
    assert isinstance(keys, list)
    os.kill(node.server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(RedisUnavailable) as lost:
            await link.call("GET", keys[0])
        assert lost.value.may_have_run
    finally:
        os.kill(node.server.pid, signal.SIGCONT)

    async def is_back() -> bool:
        try:
            return await link.call("GET", keys[0]) is not None
        except RedisUnavailable:
            return False

    await until(is_back)


async def test_without_any_node_a_cluster_link_does_not_start() -> None:
    with pytest.raises(RedisUnavailable):
        async with ClusterLink("redis+cluster://127.0.0.1:1"):
            pass


async def test_behind_sentinel_a_link_follows_the_master(tmp_path: Path) -> None:
    async with running_sentinel(tmp_path) as watched:
        sentinel = f"127.0.0.1:{watched.sentinel_port}"
        async with RedisLink(f"redis+sentinel://127.0.0.1:1,{sentinel}/{SERVICE}") as link:
            await works_as_promised(link)
            assert await watched.master.link.call("GET", "key") == "工会".encode()
            os.kill(watched.master.server.pid, signal.SIGKILL)

            async def can_write_again() -> bool:
                try:
                    return await link.call("SET", "key", "after") == b"OK"
                except RedisUnavailable:
                    return False

            await until(can_write_again)
            assert await watched.replica.link.call("GET", "key") == b"after"
        with pytest.raises(RedisUnavailable):
            async with RedisLink(f"redis+sentinel://{sentinel}/nobody", start_timeout_s=0.1):
                pass


async def test_a_server_that_is_no_longer_the_master_is_not_used(tmp_path: Path) -> None:
    async with running_node(tmp_path, replicaof="127.0.0.1 1") as replica:

        async def outdated_sentinel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"PING\r\n")
            writer.write(b"+PONG\r\n")
            await reader.readuntil(b"union\r\n")
            writer.write(b"*2\r\n$9\r\n127.0.0.1\r\n$5\r\n%d\r\n" % replica.port)
            await reader.read()
            writer.close()

        async with await asyncio.start_server(outdated_sentinel, "127.0.0.1", 0) as sentinel:
            port = sentinel.sockets[0].getsockname()[1]
            with pytest.raises(RedisUnavailable, match="not the master"):
                async with RedisLink(f"redis+sentinel://127.0.0.1:{port}/union", start_timeout_s=0.1):
                    pass


@asynccontextmanager
async def behind_tls(server: RedisServer, folder: Path) -> AsyncIterator[str]:
    """Put TLS in front of the server, with a certificate of our own; gives the address."""
    certificate = folder / "certificate.pem"
    certificate.write_bytes(own_certificate())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            target.write(data)
        target.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(server.socket))
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer), return_exceptions=True)

    front = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    async with front:
        yield f"rediss://127.0.0.1:{front.sockets[0].getsockname()[1]}?ssl_ca_certs={certificate}"


def own_certificate() -> bytes:
    """Return key and certificate for 127.0.0.1 in one PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


async def test_over_tls_only_a_known_certificate_is_trusted(
    redis_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    del redis_url  # It empties the server.
    async with behind_tls(redis_server, tmp_path) as url:
        async with RedisLink(url) as link:
            await works_as_promised(link)
        with pytest.raises(RedisUnavailable, match="SSLCertVerificationError"):
            async with RedisLink(url.partition("?")[0], start_timeout_s=0.1):
                pass

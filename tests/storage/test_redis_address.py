"""Redis addresses, and the same address read by redis-py where it knows the scheme."""

import pytest
from redis.asyncio.connection import parse_url

from bot.storage.redis_address import Kind, RedisAddressInvalid, TcpEndpoint, UnixEndpoint, parse_redis_address


def test_a_socket() -> None:
    address = parse_redis_address("unix:///var/lib/a%20b/r.sock?db=3")
    assert (address.kind, address.endpoints, address.db) == (Kind.SINGLE, (UnixEndpoint("/var/lib/a b/r.sock"),), 3)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://user:p%40ss@10.0.0.1:6380/5",
        "redis://:secret@[::1]:6380",
        "redis://cache?db=2",
    ],
)
def test_a_server_is_read_as_redis_py_reads_it(url: str) -> None:
    address = parse_redis_address(url)
    theirs = parse_url(url)
    assert address.endpoints == (TcpEndpoint(theirs["host"], theirs.get("port", 6379)),)
    assert address.db == theirs.get("db", 0)
    assert (address.username or None, address.password or None) == (theirs.get("username"), theirs.get("password"))
    assert address.tls is None


def test_tls_checks_certificates() -> None:
    tls = parse_redis_address("rediss://cache").tls
    assert tls is not None
    assert tls.check_hostname


def test_sentinels() -> None:
    address = parse_redis_address("redis+sentinel://:pw@s1,s2:26380/union/4")
    assert address.kind is Kind.SENTINEL
    assert address.endpoints == (TcpEndpoint("s1", 26379), TcpEndpoint("s2", 26380))
    assert (address.service, address.db, address.password) == ("union", 4, "pw")


def test_a_cluster() -> None:
    address = parse_redis_address("redis+cluster://n1,n2:7001")
    assert (address.kind, address.endpoints) == (Kind.CLUSTER, (TcpEndpoint("n1", 6379), TcpEndpoint("n2", 7001)))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://:hunter2@host", "scheme"),
        ("redis://:hunter2@host:port", "port"),
        ("redis://:hunter2@host/one", "number"),
        ("redis://:hunter2@host/1/2", "path"),
        ("redis://:hunter2@host1,host2", "several hosts"),
        ("redis://:hunter2@", "host is missing"),
        ("redis+sentinel://:hunter2@host", "service"),
        ("redis+cluster://:hunter2@host/1", "path"),
        ("redis://:hunter2@host?retry=yes", "unknown option retry"),
    ],
)
def test_what_cannot_be_read_is_refused_without_repeating_the_password(url: str, problem: str) -> None:
    with pytest.raises(RedisAddressInvalid, match=problem) as refused:
        parse_redis_address(url)
    assert "hunter2" not in str(refused.value)

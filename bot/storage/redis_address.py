"""Redis addresses: one server, the master that Sentinels name, or a Cluster."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from urllib.parse import ParseResult, parse_qsl, unquote, urlparse

from bot.values.errors import BotError

REDIS_PORT = 6379
SENTINEL_PORT = 26379


class RedisAddressInvalid(BotError):
    """An address cannot be read; ``problem`` says why. The address itself may hold a password and is not repeated."""

    code: ClassVar[str] = "redis.address_invalid"


class Kind(StrEnum):
    """What stands behind an address."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A host and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixEndpoint:
    """A socket's path."""

    path: str

    def __str__(self) -> str:
        return self.path


Endpoint = TcpEndpoint | UnixEndpoint


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A parsed address. ``endpoints`` are the servers, or the Sentinels that know ``service``."""

    kind: Kind
    endpoints: tuple[Endpoint, ...]
    service: str = ""
    username: str = ""
    password: str = ""
    db: int = 0
    tls: ssl.SSLContext | None = None
    ca_certs: str = ""


_SCHEMES: Mapping[str, Kind] = {
    "redis": Kind.SINGLE,
    "rediss": Kind.SINGLE,
    "redis+sentinel": Kind.SENTINEL,
    "rediss+sentinel": Kind.SENTINEL,
    "redis+cluster": Kind.CLUSTER,
    "rediss+cluster": Kind.CLUSTER,
}


def parse_redis_address(url: str) -> RedisAddress:
    """Read an address; raises RedisAddressInvalid.

    ``unix:///path?db=0``, ``redis://[user][:password@]host[:port][/db]``,
    ``redis+sentinel://h1[:port],h2/service[/db]`` and ``redis+cluster://h1[:port],h2``. ``rediss…`` is the same
    over TLS; ``?ssl_ca_certs=FILE`` names the authority.
    """
    parts = urlparse(url)
    options = dict(parse_qsl(parts.query))
    if unknown := options.keys() - {"db", "ssl_ca_certs"}:
        raise RedisAddressInvalid(problem=f"unknown option {min(unknown)}")
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    if parts.scheme == "unix":
        return RedisAddress(
            Kind.SINGLE,
            (UnixEndpoint(unquote(parts.path)),),
            username=unquote(username),
            password=unquote(password),
            db=_db(options.get("db", "0")),
        )
    kind = _SCHEMES.get(parts.scheme)
    if kind is None:
        raise RedisAddressInvalid(problem=f"the scheme must be unix or one of {', '.join(_SCHEMES)}")
    if kind is Kind.SINGLE and "," in hosts:
        raise RedisAddressInvalid(problem="several hosts need redis+sentinel or redis+cluster")
    service, db = _path(kind, parts, options)
    ca_certs = options.get("ssl_ca_certs", "")
    return RedisAddress(
        kind,
        tuple(_endpoint(host, kind) for host in hosts.split(",")),
        service=service,
        username=unquote(username),
        password=unquote(password),
        db=db,
        tls=ssl.create_default_context(cafile=ca_certs or None) if parts.scheme.startswith("rediss") else None,
        ca_certs=ca_certs,
    )


def _path(kind: Kind, parts: ParseResult, options: Mapping[str, str]) -> tuple[str, int]:
    names = [unquote(name) for name in parts.path.split("/") if name]
    service = ""
    if kind is Kind.SENTINEL:
        if not names:
            raise RedisAddressInvalid(problem="a Sentinel address ends with the service's name")
        service = names.pop(0)
    db = _db(names.pop(0) if names else options.get("db", "0"))
    if names or (kind is Kind.CLUSTER and db):
        raise RedisAddressInvalid(problem="the path says too much")
    return service, db


def _db(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise RedisAddressInvalid(problem="the database must be a number")
    return int(text)


def _endpoint(text: str, kind: Kind) -> TcpEndpoint:
    try:
        parts = urlparse(f"//{text}")
        port = parts.port
    except ValueError as error:
        raise RedisAddressInvalid(problem="a port must be a number from 0 to 65535") from error
    if not parts.hostname:
        raise RedisAddressInvalid(problem="a host is missing")
    return TcpEndpoint(parts.hostname, port or (SENTINEL_PORT if kind is Kind.SENTINEL else REDIS_PORT))

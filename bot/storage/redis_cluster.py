"""The promises of ``Commands`` kept by a Redis Cluster, through redis-py."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, cast

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)

from bot.storage.redis import Script
from bot.storage.redis_address import Kind, RedisAddressInvalid, TcpEndpoint, parse_redis_address
from bot.storage.redis_channel import listen
from bot.storage.redis_dial import Dialer
from bot.storage.redis_wire import Argument, RedisRefused, RedisUnavailable, Reply


class ClusterLink:
    """``async with ClusterLink("redis+cluster://host1,host2") as link``: calls go to the master of their key.

    Entering raises RedisUnavailable when no node answers. At most ``max_connections`` calls run at a time on a node,
    the others wait. Nothing is repeated after a lost connection, only after a redirection to another node.
    """

    def __init__(self, url: str, *, timeout_s: float = 2.0, max_connections: int = 100) -> None:
        address = parse_redis_address(url)
        if address.kind is not Kind.CLUSTER:
            raise RedisAddressInvalid(problem="this link speaks to a Cluster only")
        self._dialer = Dialer(address, timeout_s=timeout_s)
        self._slots = asyncio.Semaphore(max_connections)
        self._raw_commands: set[str] = set()
        self._cluster = RedisCluster(
            startup_nodes=[ClusterNode(at.host, at.port) for at in address.endpoints if isinstance(at, TcpEndpoint)],
            username=address.username or None,
            password=address.password or None,
            ssl=address.tls is not None,
            ssl_ca_certs=address.ca_certs or None,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            max_connections=max_connections,
            # The caller knows which commands may run twice; the library does not.
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._cluster.initialize()
        except (RedisError, RedisClusterException, OSError) as error:
            await self._cluster.aclose()
            raise RedisUnavailable(type(error).__name__, may_have_run=False) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._cluster.aclose()

    async def call(self, *args: Argument) -> Reply:
        """See ``Commands.call``; the command is an upper-case word and its keys are on one shard."""
        command = str(args[0])
        if command not in self._raw_commands:
            # Unlike the promise, the library would turn some replies into booleans and dictionaries.
            self._cluster.set_response_callback(command, _raw)
            self._raw_commands.add(command)
        try:
            return await self._execute(args)
        except NoScriptError:
            raise RedisRefused(kind="NOSCRIPT", detail="") from None

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Reply:
        """See ``Commands.run``."""
        if len({self._cluster.keyslot(key) for key in keys}) > 1:
            raise RedisRefused(kind="CROSSSLOT", detail="the keys of a script must be on one shard")
        try:
            return await self._execute(("EVALSHA", script.sha1, len(keys), *keys, *args))
        except NoScriptError:
            # Running the source loads it too, and it reaches the node of the keys.
            return await self._execute(("EVAL", script.source, len(keys), *keys, *args))

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """See ``Commands.subscribe``; a Cluster repeats what is published on every node."""
        return listen(self._dialer, channel)

    async def _execute(self, args: tuple[Argument, ...]) -> Reply:
        try:
            async with self._slots:
                return cast(Reply, await self._cluster.execute_command(*args))
        except NoScriptError:
            raise
        except (ClusterDownError, TryAgainError, ReadOnlyError, AskError) as error:
            raise RedisUnavailable(type(error).__name__, may_have_run=False) from None
        except (RedisClusterException, OSError) as error:
            raise RedisUnavailable(type(error).__name__, may_have_run=True) from None
        except ResponseError as error:
            raise RedisRefused.of(error) from None
        except RedisError as error:
            raise RedisUnavailable(type(error).__name__, may_have_run=True) from None


def _raw(response: Any, **_options: object) -> Any:
    return response

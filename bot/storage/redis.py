"""The hot path to Redis: one connection a process, and the calls of one turn of the event loop in one write."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Protocol, Self

import structlog

from bot.storage.redis_address import Kind, RedisAddressInvalid, parse_redis_address
from bot.storage.redis_channel import listen
from bot.storage.redis_dial import Dialer
from bot.storage.redis_wire import Argument, Connection, RedisRefused, RedisUnavailable, Reply

__all__ = ["Argument", "Commands", "RedisLink", "RedisRefused", "RedisUnavailable", "Reply", "Script"]

log = structlog.get_logger(__name__)

START_RETRY_S = 0.05


class Script:
    """A Lua script, sent by its SHA-1 and loaded when the server does not know it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha1 = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class Commands(Protocol):
    """What the turn needs of Redis; ``RedisLink`` and ``ClusterLink`` keep the promise."""

    async def call(self, *args: Argument) -> Reply:
        """Run one command and return its raw reply: bytes, a number, ``None`` or a list of these.

        Raises RedisRefused for an error reply. Raises RedisUnavailable when there is no connection, or when it is
        lost before the reply; then the command **may or may not have run** unless ``may_have_run`` is false, so
        repeat only what may safely run twice. Never call a command that blocks.
        """
        ...

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Reply:
        """Run a script whose ``keys`` are all on one shard; replies and errors are those of ``call``."""
        ...

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Listen to a channel; the block begins when the subscription stands.

        Messages that are published while the connection is down are lost; it is renewed by itself. Entering raises
        RedisUnavailable.
        """
        ...


class RedisLink:
    """The multiplexed client of one server, or of the master behind Sentinels: ``async with RedisLink(url) as link``.

    Entering raises RedisUnavailable when no server answers within ``start_timeout_s`` and RedisRefused for bad
    credentials. Afterwards the link reconnects by itself: a call waits up to ``timeout_s`` for a connection and up to
    ``timeout_s`` for its reply. More than ``max_in_flight`` unanswered calls are refused with RedisUnavailable before
    anything is sent. Raises RedisAddressInvalid for an address that cannot be read or is a Cluster's.
    """

    def __init__(
        self, url: str, *, timeout_s: float = 2.0, start_timeout_s: float = 10.0, max_in_flight: int = 10_000
    ) -> None:
        address = parse_redis_address(url)
        if address.kind is Kind.CLUSTER:
            raise RedisAddressInvalid(problem="this link does not speak to a Cluster")
        self._dialer = Dialer(address, timeout_s=timeout_s)
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._max_in_flight = max_in_flight
        self._connection: Connection | None = None
        self._connected = asyncio.Event()
        self._waiting = 0
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._use(await self._first_connection())
        self._keeper = asyncio.create_task(self._keep(), name="redis link")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        if self._connection is not None:
            self._connection.end("closed")

    async def call(self, *args: Argument) -> Reply:
        """See ``Commands.call``."""
        connection = self._connection
        if connection is None or connection.ended or connection.in_flight >= self._max_in_flight:
            connection = await self._usable()
        return await connection.send(*args)

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Reply:
        """See ``Commands.run``."""
        command = ("EVALSHA", script.sha1, len(keys), *keys, *args)
        try:
            return await self.call(*command)
        except RedisRefused as error:
            if error.kind != "NOSCRIPT":
                raise
        # A refused script has not run, so running it now is the first time.
        await self.call("SCRIPT", "LOAD", script.source)
        return await self.call(*command)

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """See ``Commands.subscribe``."""
        return listen(self._dialer, channel)

    async def _first_connection(self) -> Connection:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._start_timeout_s
        while True:
            try:
                return await self._dialer.dial()
            except RedisUnavailable:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(START_RETRY_S)

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        self._connected.set()

    async def _keep(self) -> None:
        while self._connection is not None:
            log.warning("connection to Redis lost", reason=await self._connection.lost())
            self._use(await self._dialer.redial())

    async def _usable(self) -> Connection:
        """Wait for a living connection; raises RedisUnavailable when none comes or too many calls wait."""
        if self._waiting >= self._max_in_flight:
            raise RedisUnavailable("too many calls wait", may_have_run=False)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                while self._connection is None or self._connection.ended:
                    if self._keeper is None:
                        raise RedisUnavailable("the link is closed", may_have_run=False)
                    self._connected.clear()
                    await self._connected.wait()
        except TimeoutError as error:
            raise RedisUnavailable("no connection", may_have_run=False) from error
        finally:
            self._waiting -= 1
        if self._connection.in_flight >= self._max_in_flight:
            raise RedisUnavailable("too many calls in flight", may_have_run=False)
        return self._connection

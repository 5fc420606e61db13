"""Finds the server that is in charge and connects to it, as often as it takes."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import structlog

from bot.storage.redis_address import Endpoint, Kind, RedisAddress, TcpEndpoint
from bot.storage.redis_wire import Connection, RedisRefused, RedisUnavailable, connect

log = structlog.get_logger(__name__)

BACK_OFF_FIRST_S = 0.05
BACK_OFF_LONGEST_S = 2.0


class Dialer:
    """Makes connections to one address."""

    def __init__(self, address: RedisAddress, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s

    async def dial(self, on_message: Callable[[bytes], None] | None = None) -> Connection:
        """Connect once, to the first server that takes the call; raises RedisUnavailable or RedisRefused."""
        failure = RedisUnavailable("no server is known", may_have_run=False)
        async for endpoint in self._servers():
            try:
                return await self._connect_to(endpoint, on_message)
            except RedisUnavailable as error:
                failure = error
        raise failure

    async def redial(self, on_message: Callable[[bytes], None] | None = None) -> Connection:
        """Connect, however long it takes; the waits grow, and are drawn at random so that clients do not march."""
        longest_s = BACK_OFF_FIRST_S
        while True:
            # The first try waits as well: a server that has just dropped everybody is not helped by a rush.
            await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311
            try:
                connection = await self.dial(on_message)
            except (RedisUnavailable, RedisRefused) as error:
                log.warning("Redis cannot be reached", **error.fields)
                longest_s = min(longest_s * 2, BACK_OFF_LONGEST_S)
            else:
                log.info("Redis is back")
                return connection

    async def _servers(self) -> AsyncIterator[Endpoint]:
        if self._address.kind is not Kind.SENTINEL:
            for endpoint in self._address.endpoints:
                yield endpoint
            return
        for sentinel in self._address.endpoints:
            try:
                master = await self._ask_sentinel(sentinel)
            except RedisUnavailable as error:
                log.warning("a Sentinel cannot be asked", **error.fields)
            else:
                if master is not None:
                    yield master

    async def _ask_sentinel(self, sentinel: Endpoint) -> TcpEndpoint | None:
        asked = RedisAddress(Kind.SINGLE, (sentinel,), tls=self._address.tls)
        connection = await connect(sentinel, asked, timeout_s=self._timeout_s)
        try:
            answer = await connection.send("SENTINEL", "get-master-addr-by-name", self._address.service)
        finally:
            connection.end("asked")
        return TcpEndpoint(answer[0].decode(), int(answer[1])) if isinstance(answer, list) else None

    async def _connect_to(self, endpoint: Endpoint, on_message: Callable[[bytes], None] | None) -> Connection:
        connection = await connect(endpoint, self._address, timeout_s=self._timeout_s, on_message=on_message)
        if self._address.kind is Kind.SENTINEL:
            # A Sentinel may still name the old master shortly after a failover.
            role = await connection.send("ROLE")
            if not isinstance(role, list) or role[0] != b"master":
                connection.end("not the master")
                raise RedisUnavailable("not the master", may_have_run=False)
        return connection

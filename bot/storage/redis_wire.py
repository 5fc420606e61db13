"""One connection to one Redis server: calls go out together, replies come back in order."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from hiredis import HiredisError, Reader, ReplyError, pack_command

from bot.storage.redis_address import Endpoint, RedisAddress, TcpEndpoint, UnixEndpoint
from bot.values.errors import BotError

Argument = bytes | str | int | float
# What an element of a list is depends on the command, and no reader of ours can know it better than the caller.
Reply = bytes | int | None | list[Any]

_INCOMPLETE = object()
# The server answers, but not as the master that holds our data: another connection may reach the right one.
_WRONG_SERVER = ("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN")


class RedisUnavailable(BotError):
    """The server cannot be reached, or the connection was lost before the reply came.

    When ``may_have_run`` is true the command was sent, and nobody can tell whether the server has run it.
    """

    code: ClassVar[str] = "redis.unavailable"

    def __init__(self, reason: str, *, may_have_run: bool) -> None:
        self.may_have_run = may_have_run
        super().__init__(reason=reason, may_have_run=may_have_run)


class RedisRefused(BotError):
    """The server answered with an error: ``kind`` is its first word (``WRONGTYPE``), ``detail`` the rest."""

    code: ClassVar[str] = "redis.refused"

    @classmethod
    def of(cls, error: Exception) -> "RedisRefused":
        # Some messages quote the arguments, which may be personal.
        kind, _, detail = str(error).partition(" ")
        return cls(kind=kind, detail=detail.partition(", with args")[0])

    @property
    def kind(self) -> str:
        """The error's first word."""
        return str(self.fields["kind"])


class Connection(asyncio.Protocol):
    """Matches replies to calls. A call that is not answered in ``timeout_s`` ends the connection.

    On a shared connection every later call waits behind the one that is stuck, so waiting longer helps nobody.
    """

    def __init__(self, *, timeout_s: float, on_message: Callable[[bytes], None] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._on_message = on_message
        self._reader = Reader(notEnoughData=_INCOMPLETE)
        self._transport: asyncio.Transport | None = None
        self._pending: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._outgoing: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._reason = "connection lost"
        self._lost: asyncio.Future[str] = self._loop.create_future()

    async def lost(self) -> str:
        """Wait for the end of the connection; return why it ended."""
        return await asyncio.shield(self._lost)

    @property
    def ended(self) -> bool:
        """Whether the connection has ended."""
        return self._lost.done()

    @property
    def in_flight(self) -> int:
        """How many calls wait for their reply."""
        return len(self._pending)

    def send(self, *args: Argument) -> asyncio.Future[Reply]:
        """Queue one call; what is queued in one turn of the event loop leaves in one write."""
        packed = pack_command(args)  # type: ignore[arg-type]  # Its stub says "tuple of one" for "tuple of any".
        reply: asyncio.Future[Reply] = self._loop.create_future()
        if self._lost.done():
            reply.set_exception(RedisUnavailable(self._lost.result(), may_have_run=False))
            return reply
        now = self._loop.time()
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        if self._timer is None:
            self._timer = self._loop.call_at(now + self._timeout_s, self._check_oldest)
        self._outgoing.append(packed)
        self._pending.append((reply, now))
        return reply

    def end(self, reason: str) -> None:
        """Drop the connection at once; calls in flight fail with ``reason``."""
        self._reason = reason
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream's transport can write, but uvloop's does not inherit from the class that says so.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _INCOMPLETE:
                self._hand_over(reply)
        except (HiredisError, IndexError):
            self.end("the server broke the protocol")

    def connection_lost(self, exc: Exception | None) -> None:
        reason = self._reason if exc is None else type(exc).__name__
        self._lost.set_result(reason)
        if self._timer is not None:
            self._timer.cancel()
        for reply, _ in self._pending:
            if not reply.done():
                reply.set_exception(RedisUnavailable(reason, may_have_run=True))
        self._pending.clear()

    def _flush(self) -> None:
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _hand_over(self, reply: Reply | ReplyError) -> None:
        if self._on_message is not None and isinstance(reply, list) and reply[0] == b"message":
            self._on_message(reply[2])
            return
        future, _ = self._pending.popleft()
        if future.done():
            return
        if not isinstance(reply, ReplyError):
            future.set_result(reply)
        elif str(reply).startswith(_WRONG_SERVER):
            future.set_exception(RedisUnavailable(str(reply).partition(" ")[0], may_have_run=False))
            self.end("not the master")
        else:
            future.set_exception(RedisRefused.of(reply))

    def _check_oldest(self) -> None:
        self._timer = None
        if not self._pending:
            return
        due = self._pending[0][1] + self._timeout_s
        if due <= self._loop.time():
            self.end("timed out")
        else:
            self._timer = self._loop.call_at(due, self._check_oldest)


async def connect(
    endpoint: Endpoint,
    address: RedisAddress,
    *,
    timeout_s: float,
    on_message: Callable[[bytes], None] | None = None,
) -> Connection:
    """Return a connection that is logged in and ready; raises RedisUnavailable, or RedisRefused for bad credentials.

    ``on_message`` gets what is published on the channels that the connection subscribes to.
    """
    loop = asyncio.get_running_loop()

    def connection() -> Connection:
        return Connection(timeout_s=timeout_s, on_message=on_message)

    try:
        async with asyncio.timeout(timeout_s):
            match endpoint:
                case UnixEndpoint(path):
                    _, made = await loop.create_unix_connection(connection, path)
                case TcpEndpoint(host, port):
                    _, made = await loop.create_connection(connection, host, port, ssl=address.tls)
    except (OSError, TimeoutError) as error:
        raise RedisUnavailable(f"cannot connect to {endpoint}: {type(error).__name__}", may_have_run=False) from error
    try:
        await asyncio.gather(*(made.send(*command) for command in _greeting(address)))
    except BaseException:
        made.end("not logged in")
        raise
    return made


def _greeting(address: RedisAddress) -> Sequence[tuple[Argument, ...]]:
    commands: list[tuple[Argument, ...]] = []
    if address.password:
        commands.append(("AUTH", *filter(None, [address.username]), address.password))
    if address.db:
        commands.append(("SELECT", address.db))
    return [*commands, ("PING",)]

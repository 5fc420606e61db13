"""The turn's side of Redis: one script a step, one round trip a script."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files

import structlog

from bot.storage.encryption import FieldCipher
from bot.storage.redis import Commands, RedisRefused, RedisUnavailable, Script
from bot.turns.models import Claim, Commit, FollowerKeys, Incoming, OutboxEntry, Replay, Run, Wait
from bot.values.clock import Clock
from bot.wechat.allowance import Allowance

log = structlog.get_logger(__name__)

LOCK_TTL_MS = 4_000
"""How long a dead process may hold a follower; a living one extends it four times as often."""
REPLY_TTL_MS = 3_600_000
"""How long a repeated delivery is recognised; the platform repeats within 15 s."""
FOREVER_WAIT_MS = 50
"""How soon to look again at a lock whose end is not known."""
LISTEN_AGAIN_S = 0.5
"""The pause after a subscription that was refused."""
TURNS_CHANNEL = "turns"

PAYLOAD, REPLY, STATE, OUTBOX, LOG = "turn.payload", "turn.reply", "turn.state", "turn.outbox", "turn.log"


def _script(name: str) -> Script:
    return Script(files("bot.turns").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8"))


class Arrivals:
    """Wakes the attempts that wait for a follower, by notification instead of polling."""

    def __init__(self, link: Commands) -> None:
        self._link = link
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen; when this returns, the subscription stands, or was refused and is tried again."""
        self._task = asyncio.create_task(self._listen(), name="turn arrivals")
        await self._tried.wait()

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        while True:
            try:
                async with self._link.subscribe(TURNS_CHANNEL) as messages:
                    self._tried.set()
                    async for message in messages:
                        for event in self._waiting.get(message.decode(), ()):
                            event.set()
            except (RedisUnavailable, RedisRefused) as error:
                log.warning("no notifications of turns", error=type(error).__name__)
            finally:
                self._tried.set()
            await asyncio.sleep(LISTEN_AGAIN_S)

    @asynccontextmanager
    async def expect(self, openid: str) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set when the follower's lock is released. Enter before claiming."""
        event = asyncio.Event()
        self._waiting[openid].add(event)
        try:
            yield event
        finally:
            self._waiting[openid].discard(event)
            if not self._waiting[openid]:
                del self._waiting[openid]


class TurnStore:
    """Claims and commits turns. Raises RedisUnavailable when the store cannot be reached."""

    def __init__(
        self,
        commands: Commands,
        cipher: FieldCipher,
        clock: Clock,
        *,
        state_ttl_s: int,
        lock_ttl_ms: int = LOCK_TTL_MS,
        keys: Callable[[str], FollowerKeys] = FollowerKeys.of,
    ) -> None:
        self._commands = commands
        self._cipher = cipher
        self._clock = clock
        self._state_ttl_ms = state_ttl_s * 1000
        self._lock_ttl_ms = lock_ttl_ms
        self._keys = keys
        self._claim = _script("claim")
        self._commit = _script("commit")
        self._extend = _script("extend")
        self._release = _script("release")
        self._redirect = _script("redirect")
        self._forget = _script("forget")

    @property
    def heartbeat_s(self) -> float:
        """How often a turn at work should extend its lock."""
        return self._lock_ttl_ms / 4000

    async def claim(self, incoming: Incoming) -> Claim:
        """Write the message down and take the follower's lock, or say why not now.

        A stored reply counts as taken by this attempt, which answers with it or gives it back (``redirect``).
        """
        keys = self._keys(incoming.openid)
        answer = await self._commands.run(
            self._claim,
            [
                keys.delivery(incoming.key),
                keys.lock,
                keys.state,
                keys.payloads,
                keys.pending,
                keys.queue,
                keys.allowance,
                keys.waiters,
                keys.fence,
            ],
            [
                incoming.key,
                incoming.openid,
                self._now_ms(),
                self._lock_ttl_ms,
                self._cipher.seal_bytes(incoming.body, PAYLOAD),
                REPLY_TTL_MS,
            ],
        )
        assert isinstance(answer, list)
        kind = answer[0]
        if kind == b"replay":
            return Replay(self._open(answer[1], REPLY))
        if kind == b"wait":
            return Wait(max(int(answer[1]), FOREVER_WAIT_MS) / 1000)
        left, until_ms = int(answer[3]), int(answer[4])
        allowance = Allowance(left, until_ms) if until_ms else None
        return Run(int(answer[1]), self._open(answer[2], STATE), allowance, int(answer[5]))

    async def commit(self, incoming: Incoming, commit: Commit) -> bool:
        """Write the turn's whole outcome; False when the lock was lost and nothing was written."""
        keys = self._keys(incoming.openid)
        granted = commit.allowance
        written = await self._commands.run(
            self._commit,
            [
                keys.delivery(incoming.key),
                keys.lock,
                keys.state,
                keys.payloads,
                keys.pending,
                keys.queue,
                keys.allowance,
                keys.waiters,
                keys.outbox,
                keys.log,
                keys.held,
                keys.forgotten,
            ],
            [
                incoming.key,
                incoming.openid,
                commit.fence,
                self._seal(commit.reply, REPLY),
                REPLY_TTL_MS,
                self._seal(commit.state, STATE),
                self._state_ttl_ms,
                granted.remaining if granted else 0,
                granted.expires_at_ms if granted else 0,
                self._seal(commit.log_entry, LOG),
                int(commit.release_held),
                *self._entries(commit.outbox),
            ],
        )
        return written == 1

    async def extend(self, incoming: Incoming, fence: int) -> bool:
        """Keep the lock a little longer; False when it is no longer ours."""
        keys = self._keys(incoming.openid)
        return await self._commands.run(self._extend, [keys.lock], [fence, self._lock_ttl_ms]) == 1

    async def release(self, incoming: Incoming, fence: int, *, blameless: bool = False) -> None:
        """Give the lock back without a commit; the message stays pending and will be worked on again.

        ``blameless``: it was not the message's fault, so the try does not count.
        """
        keys = self._keys(incoming.openid)
        await self._commands.run(
            self._release,
            [keys.lock, keys.waiters, keys.delivery(incoming.key)],
            [fence, incoming.openid, int(blameless)],
        )

    async def redirect(self, incoming: Incoming, entries: tuple[OutboxEntry, ...]) -> bool:
        """Give back a reply that this attempt took and cannot deliver: ``entries`` say it later.

        False when nothing was sent because another attempt answers with it, or it was moved before.
        """
        keys = self._keys(incoming.openid)
        moved = await self._commands.run(
            self._redirect,
            [keys.delivery(incoming.key), keys.outbox],
            [incoming.openid, *self._entries(entries)],
        )
        return moved == 1

    async def stored_state(self, openid: str) -> bytes:
        """Return the dialogue as it is stored now, ``b""`` for none."""
        return self._open(await self._commands.call("GET", self._keys(openid).state) or b"", STATE)

    async def forget(self, openid: str) -> int:
        """Forget the dialogue and the messages held for a follower; return how many of the two there were.

        The dialogue stays readable while a message of the follower is still to be finished, and goes with its commit.
        """
        keys = self._keys(openid)
        touched = [keys.state, keys.held, keys.queue, keys.forgotten]
        gone = await self._commands.run(self._forget, touched, [self._state_ttl_ms])
        assert isinstance(gone, int)
        return gone

    def _entries(self, entries: tuple[OutboxEntry, ...]) -> list[int | str | bytes]:
        flat: list[int | str | bytes] = [len(entries)]
        for entry in entries:
            flat += [entry.id, self._cipher.seal_bytes(entry.body, OUTBOX)]
        return flat

    def _seal(self, data: bytes, context: str) -> bytes:
        return self._cipher.seal_bytes(data, context) if data else b""

    def _open(self, data: object, context: str) -> bytes:
        assert isinstance(data, bytes)
        return self._cipher.open_bytes(data, context) if data else b""

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

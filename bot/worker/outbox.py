"""Relays the outbox to the platform: in order for each follower, within the allowance, each message once."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.storage.encryption import FieldCipher
from bot.storage.shards import tag
from bot.turns.models import FollowerKeys
from bot.turns.outbox import Fallback, Parcel, pack, unpack
from bot.turns.store import OUTBOX
from bot.values.clock import Clock
from bot.wechat.client import WeChatApi
from bot.wechat.errors import (
    AllowanceUsedUp,
    AnswerTooLarge,
    ApiCallFailed,
    ApiError,
    CredentialsWrong,
    IpNotAllowed,
    NotAuthorised,
    OutcomeUnknown,
    QuotaUsedUp,
    ReplyWindowClosed,
    SecretFrozen,
    SystemBusy,
    Throttled,
    TokenRejected,
    Unreachable,
)

log = structlog.get_logger(__name__)

GROUP = "relay"
CONSUMER = "relay"
BATCH = 50
BLOCK_MS = 1_000
MARK_TTL_MS = 3 * 86_400_000
HELD_TTL_MS = 30 * 86_400_000
THROTTLED_PAUSE_S = 1.0
"""How long a shard rests when the platform counts too many calls a minute."""

CLIENT_ID_MAX_CHARS = 32
"""What the platform takes as an id of ours."""

NOT_NOW = (
    Unreachable,
    SystemBusy,
    Throttled,
    QuotaUsedUp,
    TokenRejected,
    CredentialsWrong,
    SecretFrozen,
    IpNotAllowed,
    NotAuthorised,
)
"""The platform did not take the message, and it is not the message's fault: it is tried again later."""


class Outcome(StrEnum):
    """How a message ended."""

    SENT = "sent"
    HELD = "held"
    TEMPLATE = "template"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REPEATED = "repeated"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a message ended, and the code of what stood in the way where something did."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stream entry of a shard."""

    stream_id: bytes
    openid: str
    message_id: str
    sealed: bytes

    @classmethod
    def read(cls, stream_id: bytes, fields: dict[bytes, bytes]) -> "Entry":
        openid = fields[b"openid"].decode()
        if b"held" in fields:
            message_id, _, sealed = fields[b"held"].partition(b"\0")
            return cls(stream_id, openid, message_id.decode(), sealed)
        return cls(stream_id, openid, fields[b"id"].decode(), fields[b"body"])

    def as_held(self) -> bytes:
        """Return the form in which the entry waits for a new allowance."""
        return self.message_id.encode() + b"\0" + self.sealed


class OutboxRelay:
    """Sends what stands in the outbox streams of the shards it is given."""

    def __init__(self, redis: Redis, api: WeChatApi, cipher: FieldCipher, clock: Clock) -> None:
        self._redis = redis
        self._api = api
        self._cipher = cipher
        self._clock = clock
        self._known: set[int] = set()
        spend = files("bot.turns").joinpath("lua", "spend.lua").read_text(encoding="utf-8")
        self._spend = redis.register_script(spend)

    async def relay(self, shards: Sequence[int], *, block_ms: int = BLOCK_MS) -> dict[Outcome, int]:
        """Send one batch of every shard; return how many messages ended how. Waits up to ``block_ms`` for work."""
        for shard in shards:
            await self._adopt(shard)
        # What was read before and not finished comes first, so that a follower's messages keep their order.
        batches = await self._read(shards, "0", None)
        fresh = await self._read(shards, ">", None if batches else block_ms)
        for stream, entries in fresh.items():
            batches.setdefault(stream, []).extend(entries)
        counts: dict[Outcome, int] = defaultdict(int)
        for outcomes in await asyncio.gather(*(self._send_in_order(*batch) for batch in batches.items())):
            for outcome in outcomes:
                counts[outcome] += 1
        return dict(counts)

    async def send_now(self, openid: str, message_id: str, parcel: Parcel) -> Delivery:
        """Send one message that does not come from the stream; ``message_id`` is sent once.

        A message without allowance is not kept here: ``HELD`` leaves it to the caller to try again.
        """
        packed = pack(message_id, parcel)
        entry = Entry(b"", openid, message_id, self._cipher.seal_bytes(packed.body, OUTBOX))
        delivery = await self._deliver(entry)
        if delivery.outcome is Outcome.HELD:
            await self._forget_held(FollowerKeys.of(openid), entry)
        return delivery

    async def notify(self, openid: str, message_id: str, template: Fallback) -> Delivery:
        """Send a template message, which needs no allowance; ``message_id`` is sent once."""
        mark = FollowerKeys.of(openid).sent_mark(message_id)
        if not await self._redis.set(mark, "sending", px=MARK_TTL_MS, nx=True):
            ended: Any = await self._redis.get(mark)
            return await self._as_before(ended or b"unknown", mark, message_id)
        try:
            await self._api.send_template(
                openid, template.template_id, template.data, client_msg_id=message_id[-CLIENT_ID_MAX_CHARS:]
            )
        except (OutcomeUnknown, AnswerTooLarge) as error:
            await self._redis.set(mark, "unknown", px=MARK_TTL_MS)
            return Delivery(Outcome.UNKNOWN, error.code)
        except NOT_NOW as error:
            await self._redis.delete(mark)
            return Delivery(Outcome.LATER, error.code)
        except ApiError as error:
            return await self._refused(mark, error)
        await self._redis.set(mark, "sent", px=MARK_TTL_MS)
        return Delivery(Outcome.TEMPLATE)

    async def _adopt(self, shard: int) -> None:
        if shard in self._known:
            return
        try:
            await self._redis.xgroup_create(f"{tag(shard)}outbox", GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._known.add(shard)

    async def _read(self, shards: Sequence[int], start: str, block_ms: int | None) -> dict[str, list[Entry]]:
        if not shards:
            return {}
        answer: Any = await self._redis.xreadgroup(
            GROUP, CONSUMER, {f"{tag(shard)}outbox": start for shard in shards}, count=BATCH, block=block_ms
        )
        batches: dict[str, list[Entry]] = {}
        for stream, rows in answer or ():
            # A row without fields was deleted after it had been read; there is nothing left to send.
            entries = [Entry.read(stream_id, fields) for stream_id, fields in rows if fields]
            if entries:
                batches[stream.decode()] = entries
        return batches

    async def _send_in_order(self, stream: str, entries: Sequence[Entry]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        stuck: set[str] = set()
        for entry in entries:
            # A follower whose message must wait keeps the order: the later ones wait behind it.
            outcome = Outcome.LATER if entry.openid in stuck else (await self._deliver(entry)).outcome
            outcomes.append(outcome)
            if outcome is Outcome.LATER:
                stuck.add(entry.openid)
                continue
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xack(stream, GROUP, entry.stream_id)
                pipe.xdel(stream, entry.stream_id)
                await pipe.execute()
        return outcomes

    async def _deliver(self, entry: Entry) -> Delivery:
        keys = FollowerKeys.of(entry.openid)
        mark = keys.sent_mark(entry.message_id)
        now_ms = int(self._clock.now().timestamp() * 1000)
        answer = await self._spend(
            keys=[mark, keys.allowance, keys.held], args=[now_ms, MARK_TTL_MS, entry.as_held(), HELD_TTL_MS]
        )
        match answer[0]:
            case b"send":
                return await self._send(entry, keys, mark)
            case b"held":
                return await self._without_allowance(entry, keys)
            case bytes(ended):
                return await self._as_before(ended, mark, entry.message_id)
            case other:
                raise TypeError(f"the script answered {other!r}")

    async def _as_before(self, ended: bytes, mark: str, message_id: str) -> Delivery:
        """Return how a message ended that was begun before; ``ended`` is its mark."""
        if ended == b"sending":
            log.warning("a message may or may not have arrived", message=message_id)
            await self._redis.set(mark, "unknown", px=MARK_TTL_MS)
        if ended in (b"sending", b"unknown"):
            return Delivery(Outcome.UNKNOWN)
        kind, _, code = ended.decode().partition(":")
        return Delivery(Outcome.FAILED, code) if kind == Outcome.FAILED else Delivery(Outcome.REPEATED)

    async def _send(self, entry: Entry, keys: FollowerKeys, mark: str) -> Delivery:
        parcel = self._open(entry)
        try:
            await self._call(entry.openid, parcel)
        except (ReplyWindowClosed, AllowanceUsedUp) as error:
            # The platform counts otherwise than our ledger: believe it, and wait for the follower.
            log.info("allowance refused by the platform", errcode=error.errcode, rid=error.rid)
            await self._redis.delete(mark, keys.allowance)
            await self._redis.rpush(keys.held, entry.as_held())
            return await self._without_allowance(entry, keys)
        except (OutcomeUnknown, AnswerTooLarge) as error:
            await self._redis.set(mark, "unknown", px=MARK_TTL_MS)
            return Delivery(Outcome.UNKNOWN, error.code)
        except NOT_NOW as error:
            log.warning("the platform cannot take messages now", error=error.code)
            await self._redis.delete(mark)
            await self._redis.hincrby(keys.allowance, "left", 1)
            return Delivery(Outcome.LATER, error.code)
        except ApiError as error:
            return await self._refused(mark, error)
        await self._redis.set(mark, "sent", px=MARK_TTL_MS)
        return Delivery(Outcome.SENT)

    async def _refused(self, mark: str, error: ApiError) -> Delivery:
        log.warning("a message was refused", errcode=error.errcode, rid=error.rid)
        await self._redis.set(mark, f"{Outcome.FAILED}:{error.code}", px=MARK_TTL_MS)
        return Delivery(Outcome.FAILED, error.code)

    async def _call(self, openid: str, parcel: Parcel) -> None:
        try:
            await self._api.send_customer_message(openid, parcel.message)
        except Throttled:
            await asyncio.sleep(THROTTLED_PAUSE_S)
            raise

    async def _without_allowance(self, entry: Entry, keys: FollowerKeys) -> Delivery:
        """The message waits in ``held``; a template goes out now when one was given, and ends the wait."""
        parcel = self._open(entry)
        if parcel.fallback is None:
            return Delivery(Outcome.HELD)
        try:
            await self._api.send_template(
                entry.openid,
                parcel.fallback.template_id,
                parcel.fallback.data,
                client_msg_id=entry.message_id[-CLIENT_ID_MAX_CHARS:],
            )
        except ApiCallFailed as error:
            log.warning("a template message was not sent", error=error.code)
            return Delivery(Outcome.HELD, error.code)
        await self._forget_held(keys, entry)
        return Delivery(Outcome.TEMPLATE)

    async def _forget_held(self, keys: FollowerKeys, entry: Entry) -> None:
        # The client's types want a text here, and sealed bytes are none.
        await self._redis.lrem(keys.held, 1, entry.as_held())  # type: ignore[arg-type]

    def _open(self, entry: Entry) -> Parcel:
        return unpack(self._cipher.open_bytes(entry.sealed, OUTBOX))

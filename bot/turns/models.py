"""What a turn is claimed with and what it commits."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.storage.shards import shard_of, tag
from bot.wechat.allowance import Allowance


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a follower, however often it is delivered; ``body`` is the platform's fields as JSON."""

    key: str
    openid: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Replay:
    """The delivery was worked on before: serve this stored reply (``b""``: none)."""

    reply: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Another attempt, or an earlier message of the follower, is at work; look again after ``at_most_s``."""

    at_most_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """The follower's lock is ours. ``fence`` grows with every lock; ``state`` is the dialogue (``b""``: none)."""

    fence: int
    state: bytes
    allowance: Allowance | None


Claim = Replay | Wait | Run


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One customer-service message to send later. ``id`` never changes, so that it is sent once."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that a turn changes in Redis, written in one step. ``state`` ``b""`` forgets the dialogue."""

    fence: int
    reply: bytes
    state: bytes
    outbox: tuple[OutboxEntry, ...]
    log_entry: bytes
    allowance: Allowance | None
    release_held: bool


@dataclass(frozen=True, slots=True)
class FollowerKeys:
    """The Redis keys of one follower; all of one shard, so that a script may touch them together."""

    openid: str
    slot: str

    @classmethod
    def of(cls, openid: str) -> "FollowerKeys":
        return cls(openid, tag(shard_of(openid)))

    def delivery(self, key: str) -> str:
        return f"{self.slot}delivery:{key}"

    def sent_mark(self, message_id: str) -> str:
        return f"{self.slot}sent:{message_id}"

    @property
    def lock(self) -> str:
        return f"{self.slot}lock:{self.openid}"

    @property
    def state(self) -> str:
        return f"{self.slot}state:{self.openid}"

    @property
    def queue(self) -> str:
        return f"{self.slot}queue:{self.openid}"

    @property
    def allowance(self) -> str:
        return f"{self.slot}allowance:{self.openid}"

    @property
    def waiters(self) -> str:
        return f"{self.slot}waiters:{self.openid}"

    @property
    def held(self) -> str:
        return f"{self.slot}held:{self.openid}"

    @property
    def fence(self) -> str:
        return f"{self.slot}fence"

    @property
    def payloads(self) -> str:
        return f"{self.slot}payloads"

    @property
    def pending(self) -> str:
        return f"{self.slot}pending"

    @property
    def outbox(self) -> str:
        return f"{self.slot}outbox"

    @property
    def log(self) -> str:
        return f"{self.slot}log"


Trace = Mapping[str, object]
"""Why a turn went as it did: what was understood, which steps were taken. Never the follower's own words."""

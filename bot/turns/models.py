"""What a turn is claimed with, what it commits, and the table of turns."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.shards import shard_of, tag
from bot.storage.sql import Base
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
    """The follower's lock is ours. ``fence`` grows with every lock; ``state`` is the dialogue (``b""``: none).

    ``tries`` counts how often this message was begun, this time included.
    """

    fence: int
    state: bytes
    allowance: Allowance | None
    tries: int


Claim = Replay | Wait | Run


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One customer-service message to send later. ``id`` never changes, so that it is sent once."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that a turn changes in Redis, written in one step. ``state`` ``b""`` forgets the dialogue.

    It is forgotten as well when the follower was erased since the message came.
    """

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
    def typing(self) -> str:
        return f"{self.slot}typing:{self.openid}"

    @property
    def waiters(self) -> str:
        return f"{self.slot}waiters:{self.openid}"

    @property
    def held(self) -> str:
        return f"{self.slot}held:{self.openid}"

    @property
    def forgotten(self) -> str:
        """The mark that the dialogue was erased while a message is still to be finished."""
        return f"{self.slot}forgotten:{self.openid}"

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


class LoggedTurn(Base):
    """One turn: what came, what was understood, which way it went, what was answered. Texts are sealed."""

    __tablename__ = "turn_log"
    __table_args__ = (
        Index("ix_turn_log_openid_received_at", "openid", "received_at"),
        # Reports count along these two without looking at the rows.
        Index("ix_turn_log_counted", "received_at", "intent", "certainty"),
        Index("ix_turn_log_intent_received_at", "intent", "received_at", "openid"),
    )

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    said: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered: Mapped[bytes | None] = mapped_column(LargeBinary)
    intent: Mapped[str | None] = mapped_column(String(40))
    confidence: Mapped[float | None]
    certainty: Mapped[str | None] = mapped_column(String(10))
    flow: Mapped[str | None] = mapped_column(String(60), index=True)
    trace: Mapped[list[Any]] = mapped_column(JSON)
    took_ms: Mapped[int]
    late: Mapped[bool]
    guesses: Mapped[list[Any] | None] = mapped_column(JSON)
    model_id: Mapped[str | None] = mapped_column(String(64))


class LoggedDay(Base):
    """A local day to which turns were written. ``writes`` grows with each batch, so that what counts turns by day
    sees whether a day has changed since it was counted.
    """

    __tablename__ = "turn_log_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    writes: Mapped[int]


class KeptAnswer(Base):
    """The answer of a turn that wrote something, stored in the transaction of what it wrote.

    ``key_hash`` is the keyed hash of the delivery key, ``content`` is sealed. ``openid`` is empty where the turn made
    the follower forgotten.
    """

    __tablename__ = "turn_answers"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(index=True)

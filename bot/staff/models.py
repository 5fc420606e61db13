"""Staff accounts and the audit trail's rows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class StaffAccount(Base):
    """One member of staff. The password is kept as an argon2id hash."""

    __tablename__ = "staff_accounts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(JSON)
    county: Mapped[str | None] = mapped_column(String(32))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    failed_logins: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]


class StaffSession(Base):
    """One browser that is signed in. The token itself is only in that browser; here is a keyed hash of it."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("staff_accounts.id"), index=True)
    source: Mapped[str] = mapped_column(String(64))
    client: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(64))


class AuditEvent(Base):
    """One thing that was done, chained to the one before it. Rows are only ever added.

    ``chain_hash`` is a keyed hash over the row and the previous row's hash, so that changing, removing or inserting a
    row shows without the key having been in the database.
    """

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_object", "object_kind", "object_id"),)

    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(64), index=True)
    action: Mapped[str] = mapped_column(String(64))
    object_kind: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(255), default="")
    source: Mapped[str] = mapped_column(String(64), default="")
    previous_hash: Mapped[str] = mapped_column(String(64))
    chain_hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the chain, in one row: it serialises writers and shows when the newest rows were cut off."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    chain_hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class StaffView:
    """An account as others see it; the hash never leaves the service."""

    username: str
    display_name: str
    roles: tuple[str, ...]
    county: str | None
    active: bool
    locked_until: datetime | None
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner and administrators see it. ``client`` is what the browser says of itself, cut short."""

    id: int
    username: str
    source: str
    client: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What to write into the trail: who did what to which object, why and from where (an address or ``"cli"``)."""

    actor: str
    action: str
    object_kind: str
    object_id: str
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class AuditView:
    """One row of the trail."""

    position: int
    at: datetime
    record: AuditRecord

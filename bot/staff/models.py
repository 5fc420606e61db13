"""Staff accounts and the audit trail's rows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.staff.append_only import guard
from bot.storage.sql import Base


class StaffAccount(Base):
    """One member of staff. The password is kept as an argon2id hash.

    ``must_change_password`` marks a one-time password, good until ``password_valid_until``. ``totp_sealed`` is the
    secret of the code generator; it counts from ``totp_since`` on, and ``totp_step`` is the last 30-second step whose
    code was accepted.
    """

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
    must_change_password: Mapped[bool] = mapped_column(Boolean, default=False)
    password_valid_until: Mapped[datetime | None]
    password_changed_at: Mapped[datetime | None]
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_since: Mapped[datetime | None]
    totp_step: Mapped[int] = mapped_column(Integer, default=0)


class RecoveryCode(Base):
    """One code that stands in once for a lost code generator; only its keyed hash is kept."""

    __tablename__ = "staff_recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("staff_accounts.id"), index=True)
    used_at: Mapped[datetime | None]


class SignInStep(Base):
    """Somebody whose password was right and who still owes a code. The token is in that browser; here is its hash."""

    __tablename__ = "staff_sign_in_steps"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("staff_accounts.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AddressFailures(Base):
    """How often signing in failed from an address (a network, for IPv6) since ``since``."""

    __tablename__ = "staff_address_failures"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(index=True)


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
    __table_args__ = (
        Index("ix_audit_events_object", "object_id", "position"),
        Index("ix_audit_events_actor", "actor", "position"),
        Index("ix_audit_events_action", "action", "position"),
    )

    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    object_kind: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(64), default="")
    previous_hash: Mapped[str] = mapped_column(String(64))
    chain_hash: Mapped[str] = mapped_column(String(64))


guard(AuditEvent.__table__)


class AuditHead(Base):
    """The end of the chain, in one row: it serialises writers and shows when the newest rows were cut off."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    chain_hash: Mapped[str] = mapped_column(String(64))


class AuditCheck(Base):
    """One check of the whole chain. ``broken_at`` is the first position that does not fit, ``None`` when all do."""

    __tablename__ = "audit_checks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    asked_by: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    broken_at: Mapped[int | None] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class StaffView:
    """An account as others see it; the hash never leaves the service.

    ``must_change_password``: the password is a one-time one. ``has_code``: signing in asks for a code as well.
    """

    username: str
    display_name: str
    roles: tuple[str, ...]
    county: str | None
    active: bool
    locked_until: datetime | None
    last_login_at: datetime | None
    must_change_password: bool = False
    has_code: bool = False


def view_of(row: StaffAccount) -> StaffView:
    """Return an account as others see it."""
    return StaffView(
        username=row.username,
        display_name=row.display_name,
        roles=tuple(row.roles),
        county=row.county,
        active=row.active,
        locked_until=row.locked_until,
        last_login_at=row.last_login_at,
        must_change_password=row.must_change_password,
        has_code=row.totp_since is not None,
    )


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


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check of the chain: when, for whom, how many rows fitted, and the first position that did not."""

    at: datetime
    asked_by: str
    rows: int
    broken_at: int | None

"""Passwords of accounts that exist: one's own is changed, a forgotten one is replaced by a one-time password."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.errors import NoSuchAccount
from bot.staff.lockout import Lockout
from bot.staff.models import AuditRecord, StaffAccount
from bot.staff.passwords import ONE_TIME_VALID_FOR, Passwords, one_time_password
from bot.staff.rules import check_password, check_reason
from bot.staff.sessions import SessionService
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The new password counts. ``sessions_ended`` other browsers were signed out."""

    sessions_ended: int


@dataclass(frozen=True, slots=True)
class WrongOldPassword:
    """The old password is not the account's; it was counted like a failed sign-in."""


@dataclass(frozen=True, slots=True)
class LockedOut:
    """Too many wrong passwords; nothing is tried until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """``password`` is shown this once, to be told to its owner; it is good until ``valid_until``."""

    password: str
    valid_until: datetime
    sessions_ended: int


class CredentialService:
    """Changes and resets passwords; a password that changes ends the account's sessions."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        trail: AuditWriter,
        passwords: Passwords,
        sessions: SessionService,
        lockout: Lockout,
    ) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._passwords = passwords
        self._sessions = sessions
        self._lockout = lockout

    async def change_password(
        self, username: str, old: str, new: str, *, source: str, session_id: int
    ) -> PasswordChanged | WrongOldPassword | LockedOut | Problem:
        """Change one's own password; every session but ``session_id`` ends. Raises NoSuchAccount."""
        async with self._database.reading() as session:
            known = await _account(session, username)
        if until := self._lockout.locked_until(known):
            return LockedOut(until)
        if not await self._passwords.matches(known.password_hash, old):
            return await self._wrong(username, source)
        problem = check_password(new, username, known.display_name)
        if problem is None and new == old:
            problem = Problem("staff.password_same")
        if problem is not None:
            return problem
        hashed = await self._passwords.hashed(new)
        async with self._database.transaction() as session:
            row = await _account(session, username, lock=True)
            if row.password_hash != known.password_hash:
                # It was changed from elsewhere meanwhile, so what was typed as the old one is not it any more.
                return WrongOldPassword()
            row.password_hash, row.must_change_password, row.password_valid_until = hashed, False, None
            row.password_changed_at = self._clock.now()
            row.failed_logins = 0
            ended = await self._sessions.end_within(session, username, by=username, source=source, but=session_id)
            record = AuditRecord(username, "staff:password:change", "staff_account", username, "", source)
            await self._trail.append(session, record)
            return PasswordChanged(ended)

    async def reset_password(self, username: str, *, by: str, source: str, reason: str) -> PasswordReset | Problem:
        """Replace a password by a one-time one, unlock the account and end its sessions. Raises NoSuchAccount."""
        problem = check_reason(reason)
        if problem is not None:
            return problem
        password = one_time_password()
        hashed, now = await self._passwords.hashed(password), self._clock.now()
        async with self._database.transaction() as session:
            row = await _account(session, username, lock=True)
            row.password_hash, row.must_change_password = hashed, True
            row.password_valid_until, row.password_changed_at = now + ONE_TIME_VALID_FOR, now
            row.failed_logins, row.locked_until = 0, None
            ended = await self._sessions.end_within(session, username, by=by, source=source)
            record = AuditRecord(by, "staff:password:reset", "staff_account", username, reason.strip(), source)
            await self._trail.append(session, record)
            return PasswordReset(password, now + ONE_TIME_VALID_FOR, ended)

    async def _wrong(self, username: str, source: str) -> WrongOldPassword | LockedOut:
        async with self._database.transaction() as session:
            row = await _account(session, username, lock=True)
            until = self._lockout.locked_until(row) or await self._lockout.failed(
                session, row, source, "old password"
            )
        return WrongOldPassword() if until is None else LockedOut(until)


async def _account(session: AsyncSession, username: str, *, lock: bool = False) -> StaffAccount:
    wanted = select(StaffAccount).where(StaffAccount.username == username)
    row = await session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise NoSuchAccount(username=username)
    return row

"""Staff accounts: adding, signing in with lock-out, locking and listing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditTrail
from bot.staff.errors import NoSuchAccount
from bot.staff.models import AuditRecord, StaffAccount, StaffView
from bot.staff.rules import PASSWORD_MAX_CHARS, PermissionTable, check_password, check_username
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

FAILURES_UNTIL_LOCK = 5
LOCK_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Added:
    """The account exists now."""

    account: StaffView


@dataclass(frozen=True, slots=True)
class UsernameTaken:
    """Somebody has that username already; nothing was changed."""

    username: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Username and password are right and the account may be used."""

    account: StaffView


@dataclass(frozen=True, slots=True)
class WrongPassword:
    """Wrong password, unknown username or an account that was switched off: the three are not told apart."""


@dataclass(frozen=True, slots=True)
class AccountLocked:
    """Too many wrong passwords; nothing is tried until then."""

    until: datetime


AddOutcome = Added | UsernameTaken | Problem
LoginOutcome = LoggedIn | WrongPassword | AccountLocked


class StaffService:
    """Accounts of staff. What changes an account or fails to open one is written to the trail with it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        permissions: PermissionTable,
        trail: AuditTrail,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._permissions = permissions
        self._trail = trail
        self._hasher = hasher or PasswordHasher()
        # Checked when the username is unknown, so that the answer takes as long as for a known one.
        self._decoy_hash = self._hasher.hash("no account has this password")

    async def add(
        self,
        username: str,
        password: str,
        *,
        display_name: str,
        roles: Sequence[str],
        county: str | None = None,
        by: str,
        source: str,
    ) -> AddOutcome:
        """Create an account. ``by`` and ``source`` go to the trail; raises UnknownRole."""
        self._permissions.check_roles(roles)
        problem = check_username(username) or check_password(password, username)
        if problem is not None:
            return problem
        row = StaffAccount(
            username=username,
            display_name=display_name,
            password_hash=await asyncio.to_thread(self._hasher.hash, password),
            roles=list(roles),
            county=county,
            active=True,
            failed_logins=0,
            created_at=self._clock.now(),
        )
        async with self._database.transaction() as session:
            try:
                async with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                return UsernameTaken(username)
            await self._note(session, by, "staff:account:add", username, source)
        return Added(view_of(row))

    async def verify(self, username: str, password: str, *, source: str) -> LoginOutcome:
        """Check a username and password, count a failure, and lock the account after too many.

        The hash is computed in a thread, because it is slow on purpose.
        """
        now = self._clock.now()
        async with self._database.reading() as session:
            known = await _by_username(session, username)
        if known is not None and known.locked_until is not None and known.locked_until > now:
            return AccountLocked(known.locked_until)
        hashed = known.password_hash if known is not None else self._decoy_hash
        matches = await asyncio.to_thread(self._matches, hashed, password)
        async with self._database.transaction() as session:
            row = await _by_username(session, username, lock=True)
            if row is None or not row.active:
                return WrongPassword()
            # Looked at again under the lock: of many attempts at once, those after the limit do not count as tried.
            if row.locked_until is not None and row.locked_until > now:
                return AccountLocked(row.locked_until)
            if not matches:
                return await self._failed(session, row, source)
            row.failed_logins, row.locked_until, row.last_login_at = 0, None, now
            await self._note(session, username, "staff:session:login", username, source)
            return LoggedIn(view_of(row))

    async def lock(self, username: str, *, by: str, source: str, reason: str) -> StaffView:
        """Switch an account off; raises NoSuchAccount."""
        return await self._switch(username, False, "staff:account:lock", by=by, source=source, reason=reason)

    async def unlock(self, username: str, *, by: str, source: str, reason: str) -> StaffView:
        """Switch an account on again and forget its failed logins; raises NoSuchAccount."""
        return await self._switch(username, True, "staff:account:unlock", by=by, source=source, reason=reason)

    async def find(self, username: str) -> StaffView | None:
        """Return an account."""
        async with self._database.reading() as session:
            row = await _by_username(session, username)
        return None if row is None else view_of(row)

    async def accounts(self) -> list[StaffView]:
        """Return every account, by username."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(StaffAccount).order_by(StaffAccount.username))
            return [view_of(row) for row in rows]

    async def _failed(self, session: AsyncSession, row: StaffAccount, source: str) -> LoginOutcome:
        row.failed_logins += 1
        await self._note(session, row.username, "staff:session:refused", row.username, source)
        if row.failed_logins < FAILURES_UNTIL_LOCK:
            return WrongPassword()
        row.failed_logins, row.locked_until = 0, self._clock.now() + LOCK_FOR
        return AccountLocked(row.locked_until)

    async def _switch(
        self, username: str, active: bool, action: str, *, by: str, source: str, reason: str
    ) -> StaffView:
        async with self._database.transaction() as session:
            row = await _by_username(session, username, lock=True)
            if row is None:
                raise NoSuchAccount(username=username)
            row.active, row.failed_logins, row.locked_until = active, 0, None
            await self._note(session, by, action, username, source, reason)
            return view_of(row)

    def _matches(self, hashed: str, password: str) -> bool:
        if len(password) > PASSWORD_MAX_CHARS:
            return False
        try:
            return self._hasher.verify(hashed, password)
        except VerificationError:
            return False

    async def _note(
        self, session: AsyncSession, actor: str, action: str, username: str, source: str, reason: str = ""
    ) -> None:
        await self._trail.append(session, AuditRecord(actor, action, "staff_account", username, reason, source))


async def _by_username(session: AsyncSession, username: str, *, lock: bool = False) -> StaffAccount | None:
    wanted = select(StaffAccount).where(StaffAccount.username == username)
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()


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
    )

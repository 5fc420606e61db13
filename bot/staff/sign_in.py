"""Signing in: the password, and for accounts with a code generator the code as well."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.lockout import Lockout
from bot.staff.models import AuditRecord, SignInStep, StaffAccount, StaffView, view_of
from bot.staff.passwords import Passwords
from bot.staff.second_factor import SecondFactorService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

TOKEN_BYTES = 32
TOKEN_CONTEXT = "staff.sign_in_step"  # noqa: S105 - Names what is hashed; no secret.
CODE_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Everything that was asked for is right and the account may be used."""

    account: StaffView


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """The password is right; the code of the generator is still owed. ``token`` goes to the browser alone."""

    token: str


@dataclass(frozen=True, slots=True)
class WrongPassword:
    """Wrong password, unknown username or an account that was switched off: the three are not told apart."""


@dataclass(frozen=True, slots=True)
class PasswordExpired:
    """The one-time password was right once; it has to be made anew."""


@dataclass(frozen=True, slots=True)
class AccountLocked:
    """Too many wrong passwords or codes; nothing is tried until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class AddressBlocked:
    """Too many failures from this address, whoever's; nothing is tried until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class WrongCode:
    """The code is not the generator's, was used before, or is no recovery code."""


@dataclass(frozen=True, slots=True)
class StepOver:
    """The password was given too long ago, or the step was finished; it begins anew."""


PasswordOutcome = LoggedIn | CodeNeeded | WrongPassword | PasswordExpired | AccountLocked | AddressBlocked
CodeOutcome = LoggedIn | WrongCode | StepOver | AccountLocked


class SignInService:
    """Checks who somebody is. Every refusal and every sign-in is in the trail."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        trail: AuditWriter,
        passwords: Passwords,
        lockout: Lockout,
        second_factor: SecondFactorService,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._trail = trail
        self._passwords = passwords
        self._lockout = lockout
        self._second_factor = second_factor

    async def verify(self, username: str, password: str, *, source: str) -> PasswordOutcome:
        """Check a username and password, count a failure, and lock the account after too many.

        The hash is computed in a thread, because it is slow on purpose.
        """
        async with self._database.reading() as session:
            blocked = await self._lockout.address_blocked_until(session, source)
            known = await session.scalar(_account(username))
        if blocked is not None:
            return AddressBlocked(blocked)
        if known is not None and (until := self._lockout.locked_until(known)):
            return AccountLocked(until)
        matches = await self._passwords.matches(known.password_hash if known is not None else None, password)
        async with self._database.transaction() as session:
            row = await session.scalar(_account(username).with_for_update())
            # Looked at again under the lock: of many attempts at once, those after the limit do not count as tried.
            if row is not None and (until := self._lockout.locked_until(row)):
                return AccountLocked(until)
            if row is None or not row.active or not matches:
                return await self._refused(session, row, source)
            if row.password_valid_until is not None and row.password_valid_until <= self._clock.now():
                return PasswordExpired()
            if row.totp_since is not None:
                # Failures are not forgotten yet: the code is guessed at no faster by whoever has the password.
                return CodeNeeded(await self._begin_step(session, row))
            return await self._enter(session, row, source, "")

    async def verify_code(self, token: str, code: str, *, source: str) -> CodeOutcome:
        """Check the code that follows a right password; a recovery code will do as well."""
        async with self._database.transaction() as session:
            wanted = select(SignInStep).where(SignInStep.token_hash == self._hash(token))
            step = await session.scalar(wanted)
            if step is None or step.expires_at <= self._clock.now():
                return StepOver()
            wanted_row = select(StaffAccount).where(StaffAccount.id == step.account_id).with_for_update()
            row = (await session.scalars(wanted_row)).one()
            # Looked for again behind the lock: of two who hand in the same step, one finds it finished.
            if not row.active or await session.scalar(wanted.execution_options(populate_existing=True)) is None:
                return StepOver()
            if until := self._lockout.locked_until(row):
                return AccountLocked(until)
            accepted = await self._second_factor.accept(session, row, code)
            if accepted is None:
                await self._lockout.address_failed(session, source)
                locked = await self._lockout.failed(session, row, source, "code")
                return WrongCode() if locked is None else AccountLocked(locked)
            await session.delete(step)
            return await self._enter(session, row, source, accepted.value)

    async def forget_old_steps(self) -> int:
        """Delete steps that nobody finished; return how many."""
        async with self._database.transaction() as session:
            over = delete(SignInStep).where(SignInStep.expires_at <= self._clock.now())
            return len((await session.execute(over.returning(SignInStep.token_hash))).all())

    async def _refused(self, session: AsyncSession, row: StaffAccount | None, source: str) -> PasswordOutcome:
        await self._lockout.address_failed(session, source)
        if row is None or not row.active:
            return WrongPassword()
        locked = await self._lockout.failed(session, row, source)
        return WrongPassword() if locked is None else AccountLocked(locked)

    async def _begin_step(self, session: AsyncSession, row: StaffAccount) -> str:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires_at = self._clock.now() + CODE_WITHIN
        session.add(SignInStep(token_hash=self._hash(token), account_id=row.id, expires_at=expires_at))
        return token

    async def _enter(self, session: AsyncSession, row: StaffAccount, source: str, how: str) -> LoggedIn:
        row.failed_logins, row.locked_until, row.last_login_at = 0, None, self._clock.now()
        record = AuditRecord(row.username, "staff:session:login", "staff_account", row.username, how, source)
        await self._trail.append(session, record)
        return LoggedIn(view_of(row))

    def _hash(self, token: str) -> str:
        return self._cipher.lookup_hash(token, TOKEN_CONTEXT)


def _account(username: str) -> Select[StaffAccount]:
    return select(StaffAccount).where(StaffAccount.username == username)

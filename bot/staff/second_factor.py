"""The second factor: a code generator on the member's phone (TOTP), and recovery codes for when it is lost."""

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.errors import NoSuchAccount
from bot.staff.lockout import Lockout
from bot.staff.models import AuditRecord, RecoveryCode, StaffAccount
from bot.staff.passwords import LETTERS
from bot.staff.rules import check_reason
from bot.staff.sessions import SessionService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

SECRET_CONTEXT = "staff_accounts.totp"  # noqa: S105 - Names what is sealed; no secret.
RECOVERY_CONTEXT = "staff_recovery_codes.code"
ISSUER = "铜仁市总工会助手后台"
STEP_S = 30
DRIFT_STEPS = 1
"""How far a phone's clock may be off, in steps either way."""
RECOVERY_CODES, RECOVERY_HALF_CHARS = 10, 5
"""Ten characters of 31 letters are 49 bits; with the lock-out nobody guesses one."""


class Accepted(StrEnum):
    """What proved it."""

    GENERATOR = "code"
    RECOVERY = "recovery code"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A generator that is not confirmed yet. ``uri`` is what the QR code says; ``secret`` is for typing it in."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The code was right. ``recovery_codes`` are shown this once; ``sessions_ended`` others were signed out."""

    recovery_codes: tuple[str, ...]
    sessions_ended: int = 0


@dataclass(frozen=True, slots=True)
class Removed:
    """The generator does not count any more."""


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """The code is wrong or was used before; nothing was changed."""


@dataclass(frozen=True, slots=True)
class NothingEnrolled:
    """There is no generator to confirm, renew or remove, or it is confirmed already."""


@dataclass(frozen=True, slots=True)
class CodeLocked:
    """Too many wrong codes; nothing is tried until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Obligatory:
    """This account's roles have to use a code; an administrator can reset it, so that a new one is set up."""


class SecondFactorService:
    """Sets up, checks and resets code generators. ``required_roles`` may not go without one."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        trail: AuditWriter,
        sessions: SessionService,
        lockout: Lockout,
        required_roles: Collection[str] = (),
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._trail = trail
        self._sessions = sessions
        self._lockout = lockout
        self._required_roles = frozenset(required_roles)

    def is_required(self, roles: Collection[str]) -> bool:
        """Say whether somebody with ``roles`` has to sign in with a code."""
        return not self._required_roles.isdisjoint(roles)

    async def begin(self, username: str) -> Enrolment | None:
        """Return a generator to scan, the same one until it is confirmed; ``None`` when one is confirmed already.

        Raises NoSuchAccount.
        """
        async with self._database.transaction() as session:
            row = await _locked(session, username)
            if row.totp_since is not None:
                return None
            if row.totp_sealed is None:
                row.totp_sealed = self._cipher.seal(pyotp.random_base32(), SECRET_CONTEXT)
            return self._enrolment(row)

    async def confirm(
        self, username: str, code: str, *, source: str, session_id: int
    ) -> Confirmed | NotAccepted | NothingEnrolled:
        """Let the generator count from now on, proved by a code of it; other sessions than ``session_id`` end."""
        async with self._database.transaction() as session:
            row = await _locked(session, username)
            if row.totp_sealed is None or row.totp_since is not None:
                return NothingEnrolled()
            if not self._accept_generated(row, code):
                return NotAccepted()
            row.totp_since = self._clock.now()
            codes = await self._new_codes(session, row)
            ended = await self._sessions.end_within(session, username, by=username, source=source, but=session_id)
            await self._note(session, username, "staff:code:enrol", username, source)
            return Confirmed(codes, ended)

    async def renew_codes(
        self, username: str, code: str, *, source: str
    ) -> Confirmed | NotAccepted | NothingEnrolled | CodeLocked:
        """Give new recovery codes in place of the old ones, proved by a code of the generator."""
        async with self._database.transaction() as session:
            row = await _locked(session, username)
            refusal = await self._refusal(session, row, code, source)
            if refusal is not None:
                return refusal
            codes = await self._new_codes(session, row)
            await self._note(session, username, "staff:code:renew", username, source)
            return Confirmed(codes)

    async def remove(
        self, username: str, code: str, *, source: str
    ) -> Removed | NotAccepted | NothingEnrolled | CodeLocked | Obligatory:
        """Give up one's own generator, proved by a code of it."""
        async with self._database.transaction() as session:
            row = await _locked(session, username)
            if self.is_required(row.roles):
                return Obligatory()
            refusal = await self._refusal(session, row, code, source)
            if refusal is not None:
                return refusal
            await self._forget(session, row)
            await self._note(session, username, "staff:code:remove", username, source)
            return Removed()

    async def reset(self, username: str, *, by: str, source: str, reason: str) -> Removed | NothingEnrolled | Problem:
        """Take a lost generator away from somebody, end their sessions; raises NoSuchAccount."""
        problem = check_reason(reason)
        if problem is not None:
            return problem
        async with self._database.transaction() as session:
            row = await _locked(session, username)
            if row.totp_since is None:
                return NothingEnrolled()
            await self._forget(session, row)
            await self._sessions.end_within(session, username, by=by, source=source)
            await self._note(session, by, "staff:code:reset", username, source, reason.strip())
            return Removed()

    async def codes_left(self, username: str) -> int:
        """Return how many recovery codes were not used yet."""
        counted = (
            select(func.count())
            .select_from(RecoveryCode)
            .join(StaffAccount, StaffAccount.id == RecoveryCode.account_id)
            .where(StaffAccount.username == username, RecoveryCode.used_at.is_(None))
        )
        async with self._database.reading() as session:
            return await session.scalar(counted) or 0

    async def accept(self, session: AsyncSession, row: StaffAccount, code: str) -> Accepted | None:
        """Check a code of the generator or a recovery code for a locked row and spend it; ``None``: it is wrong."""
        if self._accept_generated(row, code):
            return Accepted.GENERATOR
        wanted = select(RecoveryCode).where(
            RecoveryCode.code_hash == self._hash(code),
            RecoveryCode.account_id == row.id,
            RecoveryCode.used_at.is_(None),
        )
        found = await session.scalar(wanted)
        if found is None:
            return None
        found.used_at = self._clock.now()
        return Accepted.RECOVERY

    def _accept_generated(self, row: StaffAccount, code: str) -> bool:
        if row.totp_sealed is None:
            return False
        generator = pyotp.TOTP(self._cipher.open(row.totp_sealed, SECRET_CONTEXT), interval=STEP_S)
        typed = re.sub(r"\s", "", code).encode()
        now = int(self._clock.now().timestamp()) // STEP_S
        for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
            # A step counts once: whoever looked over a shoulder has a code that is worth nothing any more.
            if step > row.totp_step and hmac.compare_digest(generator.generate_otp(step).encode(), typed):
                row.totp_step = step
                return True
        return False

    async def _refusal(
        self, session: AsyncSession, row: StaffAccount, code: str, source: str
    ) -> NotAccepted | NothingEnrolled | CodeLocked | None:
        if row.totp_since is None:
            return NothingEnrolled()
        if until := self._lockout.locked_until(row):
            return CodeLocked(until)
        if self._accept_generated(row, code):
            return None
        locked = await self._lockout.failed(session, row, source, "code")
        return NotAccepted() if locked is None else CodeLocked(locked)

    async def _new_codes(self, session: AsyncSession, row: StaffAccount) -> tuple[str, ...]:
        await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == row.id))
        codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
        session.add_all(RecoveryCode(code_hash=self._hash(code), account_id=row.id) for code in codes)
        return codes

    async def _forget(self, session: AsyncSession, row: StaffAccount) -> None:
        await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == row.id))
        row.totp_sealed, row.totp_since, row.totp_step = None, None, 0

    def _enrolment(self, row: StaffAccount) -> Enrolment:
        secret = self._cipher.open(row.totp_sealed or b"", SECRET_CONTEXT)
        uri = pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=row.username, issuer_name=ISSUER)
        return Enrolment(secret, uri)

    def _hash(self, code: str) -> str:
        return self._cipher.lookup_hash(re.sub(r"[\s-]", "", code).lower(), RECOVERY_CONTEXT)

    async def _note(
        self, session: AsyncSession, actor: str, action: str, username: str, source: str, reason: str = ""
    ) -> None:
        await self._trail.append(session, AuditRecord(actor, action, "staff_account", username, reason, source))


def _recovery_code() -> str:
    halves = ("".join(secrets.choice(LETTERS) for _ in range(RECOVERY_HALF_CHARS)) for _ in range(2))
    return "-".join(halves)


async def _locked(session: AsyncSession, username: str) -> StaffAccount:
    row = await session.scalar(select(StaffAccount).where(StaffAccount.username == username).with_for_update())
    if row is None:
        raise NoSuchAccount(username=username)
    return row

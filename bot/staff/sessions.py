"""Sessions of staff: opened at sign-in, resumed with each request, ended by people or by time."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.errors import NoSuchAccount
from bot.staff.models import AuditRecord, SessionView, StaffAccount, StaffSession, StaffView, view_of
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

TOKEN_BYTES = 32
TOKEN_CONTEXT = "staff.session"  # noqa: S105 - Names what is hashed; no secret.
CLIENT_MAX_CHARS = 120
SEEN_EVERY = timedelta(minutes=1)
"""How often a request writes that the session is in use; more often would cost a write for each page."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session. ``token`` goes to the browser and nowhere else."""

    token: str
    session_id: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The session is good, and this is whose it is."""

    session_id: int
    account: StaffView


class SessionService:
    """Sessions over SQL, so that every console process knows them and one can be ended from another.

    ``idle`` ends a session nobody uses; ``longest`` ends every one, however busy.
    """

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        trail: AuditWriter,
        idle: timedelta,
        longest: timedelta,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._trail = trail
        self._idle = idle
        self._longest = longest

    async def open(self, username: str, *, source: str, client: str) -> Opened:
        """Open a session with a fresh token; call it after the password was checked. Raises NoSuchAccount."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock.now()
        async with self._database.transaction() as session:
            account_id = await session.scalar(select(StaffAccount.id).where(StaffAccount.username == username))
            if account_id is None:
                raise NoSuchAccount(username=username)
            row = StaffSession(
                token_hash=self._hash(token),
                account_id=account_id,
                source=source,
                client=client[:CLIENT_MAX_CHARS],
                created_at=now,
                seen_at=now,
                expires_at=now + self._longest,
            )
            session.add(row)
            await session.flush()
            return Opened(token, row.id)

    async def resume(self, token: str, *, touch: bool = True) -> Resumed | None:
        """Return whose session it is, or ``None`` when it is unknown, over, or its account was switched off.

        ``touch`` notes that it is in use; a page that asks by itself does not.
        """
        now = self._clock.now()
        wanted = (
            select(StaffSession, StaffAccount)
            .join(StaffAccount, StaffAccount.id == StaffSession.account_id)
            .where(StaffSession.token_hash == self._hash(token), StaffSession.ended_at.is_(None))
        )
        async with self._database.reading() as session:
            found = (await session.execute(wanted)).one_or_none()
        if found is None:
            return None
        row, account = found
        if not account.active or row.expires_at <= now or row.seen_at + self._idle <= now:
            return None
        if touch and now - row.seen_at >= SEEN_EVERY:
            async with self._database.transaction() as session:
                # A session that was ended meanwhile stays ended: the row is narrowed again.
                await session.execute(
                    update(StaffSession)
                    .where(StaffSession.id == row.id, StaffSession.ended_at.is_(None))
                    .values(seen_at=now)
                )
        return Resumed(row.id, view_of(account))

    async def close(self, token: str, *, source: str) -> None:
        """End the session of ``token``; an unknown or ended one is left as it is."""
        async with self._database.transaction() as session:
            wanted = select(StaffSession).where(StaffSession.token_hash == self._hash(token))
            row = (await session.scalars(wanted)).one_or_none()
            if row is None or row.ended_at is not None:
                return
            username = await self._username(session, row.account_id)
            row.ended_at, row.ended_by = self._clock.now(), username
            await self._note(session, username, "staff:session:logout", row.id, source)

    async def sessions_of(self, username: str) -> list[SessionView]:
        """Return the sessions that can still be used, the latest first."""
        now = self._clock.now()
        wanted = (
            select(StaffSession)
            .join(StaffAccount, StaffAccount.id == StaffSession.account_id)
            .where(
                StaffAccount.username == username,
                StaffSession.ended_at.is_(None),
                StaffSession.expires_at > now,
                StaffSession.seen_at > now - self._idle,
            )
            .order_by(StaffSession.id.desc())
        )
        async with self._database.reading() as session:
            return [_view(row, username) for row in await session.scalars(wanted)]

    async def end(self, session_id: int, *, username: str, by: str, source: str) -> bool:
        """End one session of ``username``; say whether it was open."""
        async with self._database.transaction() as session:
            ended = await self.end_within(session, username, by=by, source=source, only=session_id)
        return ended > 0

    async def end_all(self, username: str, *, by: str, source: str, but: int | None = None) -> int:
        """End every session of ``username``, except the session ``but``; return how many were open."""
        async with self._database.transaction() as session:
            return await self.end_within(session, username, by=by, source=source, but=but)

    async def end_within(
        self,
        session: AsyncSession,
        username: str,
        *,
        by: str,
        source: str,
        only: int | None = None,
        but: int | None = None,
    ) -> int:
        """End sessions inside the caller's transaction, so that what ends them and their end happen together."""
        wanted = (
            select(StaffSession)
            .join(StaffAccount, StaffAccount.id == StaffSession.account_id)
            .where(StaffAccount.username == username, StaffSession.ended_at.is_(None))
        )
        if only is not None:
            wanted = wanted.where(StaffSession.id == only)
        if but is not None:
            wanted = wanted.where(StaffSession.id != but)
        rows = (await session.scalars(wanted)).all()
        for row in rows:
            row.ended_at, row.ended_by = self._clock.now(), by
            await self._note(session, by, "staff:session:end", row.id, source)
        return len(rows)

    async def _username(self, session: AsyncSession, account_id: int) -> str:
        return (await session.scalars(select(StaffAccount.username).where(StaffAccount.id == account_id))).one()

    async def _note(self, session: AsyncSession, actor: str, action: str, session_id: int, source: str) -> None:
        await self._trail.append(session, AuditRecord(actor, action, "staff_session", str(session_id), source=source))

    def _hash(self, token: str) -> str:
        return self._cipher.lookup_hash(token, TOKEN_CONTEXT)


def _view(row: StaffSession, username: str) -> SessionView:
    return SessionView(
        id=row.id,
        username=username,
        source=row.source,
        client=row.client,
        created_at=row.created_at,
        seen_at=row.seen_at,
    )

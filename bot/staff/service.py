"""Staff accounts: adding, listing, editing, switching off and on. Somebody can always administer them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.errors import NoSuchAccount
from bot.staff.models import AuditRecord, StaffAccount, StaffView, view_of
from bot.staff.passwords import ONE_TIME_VALID_FOR, Passwords
from bot.staff.rules import (
    PermissionTable,
    check_county,
    check_display_name,
    check_password,
    check_reason,
    check_username,
    differences,
    names_of,
)
from bot.staff.sessions import SessionService
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem


@dataclass(frozen=True, slots=True)
class Added:
    """The account exists now."""

    account: StaffView


@dataclass(frozen=True, slots=True)
class UsernameTaken:
    """Somebody has that username already; nothing was changed."""

    username: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The account is as wanted. ``sessions_ended`` counts the browsers that were signed out by it."""

    account: StaffView
    sessions_ended: int


@dataclass(frozen=True, slots=True)
class LastAdministrator:
    """Without this account nobody could administer accounts any more; nothing was changed."""


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts to list; empty fields do not narrow. ``text`` is part of a username or name."""

    text: str = ""
    role: str = ""
    county: str = ""
    active: bool | None = None


AddOutcome = Added | UsernameTaken | Problem
ChangeOutcome = Changed | LastAdministrator | Problem


class StaffService:
    """Accounts of staff. What changes an account is written to the trail with it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        permissions: PermissionTable,
        trail: AuditWriter,
        sessions: SessionService,
        passwords: Passwords,
    ) -> None:
        self._database = database
        self._clock = clock
        self._permissions = permissions
        self._trail = trail
        self._sessions = sessions
        self._passwords = passwords

    async def add(
        self,
        username: str,
        password: str,
        *,
        display_name: str,
        roles: Sequence[str],
        county: str | None = None,
        one_time: bool = False,
        by: str,
        source: str,
    ) -> AddOutcome:
        """Create an account. ``by`` and ``source`` go to the trail; raises UnknownRole.

        ``one_time``: the password is good for three days and has to be changed at the first sign-in.
        """
        self._permissions.check_roles(roles)
        problem = (
            check_username(username)
            or check_display_name(display_name)
            or check_password(password, username, display_name)
            or check_county(self._permissions, roles, county)
        )
        if problem is not None:
            return problem
        now = self._clock.now()
        row = StaffAccount(
            username=username,
            display_name=display_name,
            password_hash=await self._passwords.hashed(password),
            roles=list(roles),
            county=county,
            active=True,
            failed_logins=0,
            created_at=now,
            must_change_password=one_time,
            password_valid_until=now + ONE_TIME_VALID_FOR if one_time else None,
        )
        async with self._database.transaction() as session:
            try:
                async with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                return UsernameTaken(username)
            await self._note(
                session, by, "staff:account:add", username, source, names_of(roles, self._permissions.roles)
            )
        return Added(view_of(row))

    async def edit(
        self,
        username: str,
        *,
        display_name: str,
        roles: Sequence[str],
        county: str | None,
        by: str,
        source: str,
        reason: str,
    ) -> ChangeOutcome:
        """Change name, roles and county. Other roles or another county end the account's sessions.

        Raises NoSuchAccount, UnknownRole.
        """
        self._permissions.check_roles(roles)
        problem = (
            check_display_name(display_name) or check_county(self._permissions, roles, county) or check_reason(reason)
        )
        if problem is not None:
            return problem
        async with self._database.transaction() as session:
            row = await self._locked(session, username)
            if row.active and not self._permissions.is_administrator(roles) and await self._is_last(session, row):
                return LastAdministrator()
            before = view_of(row)
            row.display_name, row.roles, row.county = display_name, list(roles), county
            after = view_of(row)
            if after == before:
                return Changed(after, 0)
            ended = 0
            if (before.roles, before.county) != (after.roles, after.county):
                ended = await self._sessions.end_within(session, username, by=by, source=source)
            why = f"{differences(before, after, self._permissions.roles)};{reason.strip()}"
            await self._note(session, by, "staff:account:edit", username, source, why)
            return Changed(after, ended)

    async def lock(self, username: str, *, by: str, source: str, reason: str) -> Changed | LastAdministrator:
        """Switch an account off and end its sessions; raises NoSuchAccount."""
        async with self._database.transaction() as session:
            row = await self._locked(session, username)
            if row.active and await self._is_last(session, row):
                return LastAdministrator()
            row.active, row.failed_logins, row.locked_until = False, 0, None
            ended = await self._sessions.end_within(session, username, by=by, source=source)
            await self._note(session, by, "staff:account:lock", username, source, reason)
            return Changed(view_of(row), ended)

    async def unlock(self, username: str, *, by: str, source: str, reason: str) -> StaffView:
        """Switch an account on again and forget its failed logins; raises NoSuchAccount."""
        async with self._database.transaction() as session:
            row = await self._locked(session, username)
            row.active, row.failed_logins, row.locked_until = True, 0, None
            await self._note(session, by, "staff:account:unlock", username, source, reason)
            return view_of(row)

    async def find(self, username: str) -> StaffView | None:
        """Return an account."""
        async with self._database.reading() as session:
            row = await session.scalar(select(StaffAccount).where(StaffAccount.username == username))
        return None if row is None else view_of(row)

    async def get(self, username: str) -> StaffView:
        """Return an account; raises NoSuchAccount."""
        account = await self.find(username)
        if account is None:
            raise NoSuchAccount(username=username)
        return account

    async def accounts(self) -> list[StaffView]:
        """Return every account, by username."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(StaffAccount).order_by(StaffAccount.username))
            return [view_of(row) for row in rows]

    async def page(self, wanted: AccountFilter, *, after: str = "", limit: int = 50) -> list[StaffView]:
        """Return accounts by username; ``after`` continues behind a username."""
        query = select(StaffAccount).where(StaffAccount.username > after, *_narrowed(wanted))
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(StaffAccount.username).limit(limit))
            return [view_of(row) for row in rows]

    async def locked_out(self) -> int:
        """Return how many accounts are locked right now because of wrong passwords."""
        counted = select(func.count()).where(
            StaffAccount.active.is_(True), StaffAccount.locked_until > self._clock.now()
        )
        async with self._database.reading() as session:
            return await session.scalar(counted) or 0

    async def _is_last(self, session: AsyncSession, row: StaffAccount) -> bool:
        """Say whether ``row`` is the only active administrator."""
        active = await session.scalars(select(StaffAccount.id).where(*self._active_administrators()))
        return set(active) == {row.id}

    async def _locked(self, session: AsyncSession, username: str) -> StaffAccount:
        # All administrators are locked before one account is changed, in one order, so that two who demote each
        # other at the same moment do not both find the other still there, nor wait for each other for ever.
        administrators = select(StaffAccount.id).where(*self._active_administrators()).order_by(StaffAccount.id)
        await session.execute(administrators.with_for_update())
        wanted = select(StaffAccount).where(StaffAccount.username == username).with_for_update()
        row = (await session.scalars(wanted)).one_or_none()
        if row is None:
            raise NoSuchAccount(username=username)
        return row

    def _active_administrators(self) -> tuple[ColumnElement[bool], ...]:
        held = [_has_role(role) for role in self._permissions.roles if self._permissions.is_administrator([role])]
        return StaffAccount.active.is_(True), or_(*held)

    async def _note(
        self, session: AsyncSession, actor: str, action: str, username: str, source: str, reason: str = ""
    ) -> None:
        await self._trail.append(session, AuditRecord(actor, action, "staff_account", username, reason, source))


def _narrowed(wanted: AccountFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(
            or_(
                StaffAccount.username.icontains(wanted.text, autoescape=True),
                StaffAccount.display_name.icontains(wanted.text, autoescape=True),
            )
        )
    if wanted.role:
        conditions.append(_has_role(wanted.role))
    if wanted.county:
        conditions.append(StaffAccount.county == wanted.county)
    if wanted.active is not None:
        conditions.append(StaffAccount.active.is_(wanted.active))
    return conditions


def _has_role(role: str) -> ColumnElement[bool]:
    # The column is a JSON list of codes, which are letters and underlines only.
    return cast(StaffAccount.roles, String).contains(f'"{role}"', autoescape=True)

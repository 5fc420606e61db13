"""Staff accounts: adding, signing in, lock-out."""

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from sqlalchemy import select

from bot.staff.audit import AuditTrail
from bot.staff.errors import NoSuchAccount, UnknownRole
from bot.staff.models import StaffAccount
from bot.staff.rules import PermissionTable
from bot.staff.service import (
    FAILURES_UNTIL_LOCK,
    LOCK_FOR,
    AccountLocked,
    Added,
    AddOutcome,
    LoggedIn,
    StaffService,
    UsernameTaken,
    WrongPassword,
)
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem

PASSWORD = "梵净山上有金丝猴呢"  # Nine characters are refused, so the tests add one.
RIGHT = PASSWORD + "!"


async def _add(staff: StaffService, username: str = "li", password: str = RIGHT) -> AddOutcome:
    return await staff.add(
        username, password, display_name="李老师", roles=["chat_agent"], county="sinan", by="cli", source="cli"
    )


async def test_an_account_is_added_and_listed(staff: StaffService) -> None:
    added = await _add(staff)
    assert isinstance(added, Added)
    await _add(staff, "admin")
    assert [account.username for account in await staff.accounts()] == ["admin", "li"]
    assert added.account.roles == ("chat_agent",)
    assert await staff.find("li") == added.account
    assert await staff.find("nobody") is None


async def test_a_username_is_taken_once(staff: StaffService) -> None:
    outcomes = await asyncio.gather(*(_add(staff) for _ in range(4)))
    assert sum(isinstance(outcome, Added) for outcome in outcomes) == 1
    assert sum(outcome == UsernameTaken("li") for outcome in outcomes) == 3


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("Li", RIGHT, "staff.username_form"),
        ("l", RIGHT, "staff.username_form"),
        ("../li", RIGHT, "staff.username_form"),
        ("li", PASSWORD, "staff.password_too_short"),
        ("li", "x" * 201, "staff.password_too_long"),
        ("yang", "my-name-is-YANG", "staff.password_has_username"),
        ("li", "aaaaaaaaaaaa", "staff.password_monotonous"),
    ],
)
async def test_what_will_not_do_is_said(staff: StaffService, username: str, password: str, code: str) -> None:
    outcome = await _add(staff, username, password)
    assert isinstance(outcome, Problem)
    assert outcome.code == code
    assert await staff.accounts() == []


async def test_an_unknown_role_is_an_error(staff: StaffService) -> None:
    with pytest.raises(UnknownRole):
        await staff.add("li", RIGHT, display_name="", roles=["emperor"], by="cli", source="cli")


async def test_the_right_password_opens_and_is_noted(
    staff: StaffService, trail: AuditTrail, clock: MovedClock
) -> None:
    await _add(staff)
    outcome = await staff.verify("li", RIGHT, source="127.0.0.1")
    assert isinstance(outcome, LoggedIn)
    assert outcome.account.last_login_at == clock.now()
    (login, added) = await trail.events(object_id="li")
    assert (login.record.action, login.record.source) == ("staff:session:login", "127.0.0.1")
    assert added.record.action == "staff:account:add"


@pytest.mark.parametrize(("username", "password"), [("li", "wrong password"), ("nobody", RIGHT), ("li", "x" * 5_000)])
async def test_wrong_and_unknown_are_not_told_apart(staff: StaffService, username: str, password: str) -> None:
    await _add(staff)
    assert await staff.verify(username, password, source="test") == WrongPassword()


async def test_an_unknown_username_takes_a_hash_as_well(staff: StaffService, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    genuine = PasswordHasher.verify

    def counted(self: PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002  argon2's own names
        verified.append(hash)
        return genuine(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    await staff.verify("nobody", RIGHT, source="test")
    assert len(verified) == 1


async def test_too_many_failures_lock_for_a_while(staff: StaffService, clock: MovedClock) -> None:
    await _add(staff)
    until = clock.now() + LOCK_FOR
    outcomes = [await staff.verify("li", "wrong password", source="test") for _ in range(FAILURES_UNTIL_LOCK)]
    assert outcomes == [WrongPassword()] * (FAILURES_UNTIL_LOCK - 1) + [AccountLocked(until)]
    assert await staff.verify("li", RIGHT, source="test") == AccountLocked(until)
    clock.move(LOCK_FOR + timedelta(seconds=1))
    assert isinstance(await staff.verify("li", RIGHT, source="test"), LoggedIn)


async def test_a_success_forgets_the_failures(staff: StaffService) -> None:
    await _add(staff)
    for _ in range(3):
        for _ in range(FAILURES_UNTIL_LOCK - 1):
            await staff.verify("li", "wrong password", source="test")
        assert isinstance(await staff.verify("li", RIGHT, source="test"), LoggedIn)


async def test_guesses_at_once_lock_as_well(staff: StaffService) -> None:
    await _add(staff)
    guesses = [staff.verify("li", f"guess number {number}", source="test") for number in range(FAILURES_UNTIL_LOCK)]
    await asyncio.gather(*guesses)
    assert isinstance(await staff.verify("li", RIGHT, source="test"), AccountLocked)


async def test_an_account_is_switched_off_and_on(staff: StaffService, trail: AuditTrail) -> None:
    await _add(staff)
    assert not (await staff.lock("li", by="admin", source="cli", reason="left the service")).active
    assert await staff.verify("li", RIGHT, source="test") == WrongPassword()
    assert (await staff.unlock("li", by="admin", source="cli", reason="came back")).active
    assert isinstance(await staff.verify("li", RIGHT, source="test"), LoggedIn)
    (locked,) = await trail.events(action="staff:account:lock")
    assert (locked.record.actor, locked.record.reason) == ("admin", "left the service")
    with pytest.raises(NoSuchAccount):
        await staff.lock("nobody", by="admin", source="cli", reason="x")


async def test_only_an_argon2id_hash_is_stored(
    database: Database, clock: MovedClock, permissions: PermissionTable, trail: AuditTrail
) -> None:
    staff = StaffService(database, clock, permissions=permissions, trail=trail)
    await _add(staff)
    async with database.reading() as session:
        (stored,) = await session.scalars(select(StaffAccount.password_hash))
    parameters = extract_parameters(stored)
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19 * 1024, "less than the least that OWASP recommends"
    assert RIGHT not in stored

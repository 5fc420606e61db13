"""Staff accounts: adding, editing, switching off; somebody can always administer them."""

import asyncio
from typing import Any

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from sqlalchemy import select, update

from bot.staff.audit import AuditTrail
from bot.staff.errors import NoSuchAccount, UnknownRole
from bot.staff.models import StaffAccount
from bot.staff.names import StaffNames
from bot.staff.passwords import Passwords
from bot.staff.rules import PermissionTable
from bot.staff.service import (
    AccountFilter,
    Added,
    AddOutcome,
    Changed,
    ChangeOutcome,
    LastAdministrator,
    StaffService,
    UsernameTaken,
)
from bot.staff.sessions import SessionService
from bot.staff.sign_in import LoggedIn, SignInService, WrongPassword
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


async def test_everybody_has_a_name_also_when_the_account_is_off(staff: StaffService, database: Database) -> None:
    await _add(staff)
    await _add(staff, "wang")
    await staff.lock("wang", by="li", source="test", reason="调离")
    names = await StaffNames(database).read()
    assert names == {account.username: account.display_name for account in await staff.accounts()}
    assert set(names) == {"li", "wang"}


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
        ("li", "我叫李老师我叫李老师的", "staff.password_has_username"),
        ("li", "Password2026!", "staff.password_guessable"),
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


async def test_an_account_is_switched_off_and_on(
    staff: StaffService, sign_in: SignInService, trail: AuditTrail
) -> None:
    await _add(staff)
    switched = await staff.lock("li", by="admin", source="cli", reason="left the service")
    assert isinstance(switched, Changed)
    assert not switched.account.active
    assert await sign_in.verify("li", RIGHT, source="test") == WrongPassword()
    assert (await staff.unlock("li", by="admin", source="cli", reason="came back")).active
    assert isinstance(await sign_in.verify("li", RIGHT, source="test"), LoggedIn)
    (locked,) = await trail.events(action="staff:account:lock")
    assert (locked.record.actor, locked.record.reason) == ("admin", "left the service")
    with pytest.raises(NoSuchAccount):
        await staff.lock("nobody", by="admin", source="cli", reason="x")


async def test_only_an_argon2id_hash_is_stored(
    database: Database, clock: MovedClock, permissions: PermissionTable, trail: AuditTrail, sessions: SessionService
) -> None:
    staff = StaffService(
        database, clock, permissions=permissions, trail=trail, sessions=sessions, passwords=Passwords()
    )
    await _add(staff)
    async with database.reading() as session:
        (stored,) = await session.scalars(select(StaffAccount.password_hash))
    parameters = extract_parameters(stored)
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19 * 1024, "less than the least that OWASP recommends"
    assert RIGHT not in stored


# Editing

NAMED = {"display_name": "李老师", "by": "chief", "source": "10.0.0.8", "reason": "岗位调整"}


async def _signed_in(sessions: SessionService, username: str = "li") -> str:
    return (await sessions.open(username, source="10.0.0.9", client="Chromium")).token


async def test_other_roles_or_another_county_end_the_sessions_and_a_name_does_not(
    staff: StaffService, sessions: SessionService, trail: AuditTrail
) -> None:
    await _add(staff)
    token = await _signed_in(sessions)
    renamed = await staff.edit("li", **{**NAMED, "display_name": "李主任"}, roles=["chat_agent"], county="sinan")
    assert isinstance(renamed, Changed)
    assert (renamed.account.display_name, renamed.sessions_ended) == ("李主任", 0)
    assert await sessions.resume(token) is not None
    moved = await staff.edit("li", **{**NAMED, "display_name": "李主任"}, roles=["chat_agent"], county="dejiang")
    assert isinstance(moved, Changed)
    assert moved.sessions_ended == 1
    assert await sessions.resume(token) is None
    token = await _signed_in(sessions)
    await staff.edit("li", **{**NAMED, "display_name": "李主任"}, roles=["chat_agent", "auditor"], county="dejiang")
    assert await sessions.resume(token) is None
    (roles, county, name) = await trail.events(action="staff:account:edit")
    assert roles.record.reason == "角色 在线客服 → 在线客服、审计员;岗位调整"
    assert county.record.reason == "区县 sinan → dejiang;岗位调整"
    assert (name.record.reason, name.record.actor) == ("姓名 李老师 → 李主任;岗位调整", "chief")


async def test_an_edit_that_changes_nothing_leaves_no_row(staff: StaffService, trail: AuditTrail) -> None:
    await _add(staff)
    assert isinstance(await staff.edit("li", **NAMED, roles=["chat_agent"], county="sinan"), Changed)
    assert await trail.events(action="staff:account:edit") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"display_name": "  "}, "staff.name_needed"),
        ({"display_name": "长" * 65}, "staff.name_too_long"),
        ({"roles": ["county_reviewer"], "county": None}, "staff.county_needed"),
        ({"reason": "调"}, "staff.reason_too_short"),
    ],
)
async def test_an_edit_that_will_not_do_says_why(staff: StaffService, changes: dict[str, Any], code: str) -> None:
    await _add(staff)
    wanted: dict[str, Any] = {**NAMED, "roles": ["chat_agent"], "county": "sinan", **changes}
    outcome = await staff.edit("li", **wanted)
    assert isinstance(outcome, Problem)
    assert outcome.code == code


async def _two_administrators(staff: StaffService) -> None:
    for username in ("chief", "deputy"):
        await staff.add(username, RIGHT, display_name=username, roles=["administrator"], by="cli", source="cli")


async def _demoted(staff: StaffService, username: str) -> ChangeOutcome:
    return await staff.edit(username, **{**NAMED, "display_name": username}, roles=["auditor"], county=None)


async def test_the_last_administrator_stays(staff: StaffService) -> None:
    await _two_administrators(staff)
    assert isinstance(await _demoted(staff, "deputy"), Changed)
    assert await _demoted(staff, "chief") == LastAdministrator()
    assert await staff.lock("chief", by="chief", source="cli", reason="gone") == LastAdministrator()
    chief = await staff.get("chief")
    assert (chief.roles, chief.active) == (("administrator",), True)
    renamed = await staff.edit("chief", **NAMED, roles=["administrator", "auditor"], county=None)
    assert isinstance(renamed, Changed), "who stays an administrator may change the rest"


async def test_an_administrator_who_is_switched_off_does_not_count(staff: StaffService) -> None:
    await _two_administrators(staff)
    await staff.lock("deputy", by="chief", source="cli", reason="left")
    assert await staff.lock("chief", by="chief", source="cli", reason="left") == LastAdministrator()
    assert isinstance(await _demoted(staff, "deputy"), Changed)


async def test_two_who_demote_each_other_at_once_leave_one(staff: StaffService) -> None:
    await _two_administrators(staff)
    outcomes = await asyncio.gather(_demoted(staff, "chief"), _demoted(staff, "deputy"))
    assert sum(isinstance(outcome, Changed) for outcome in outcomes) == 1
    assert outcomes.count(LastAdministrator()) == 1


async def test_the_control_without_the_lock_leaves_none(staff: StaffService, database: Database) -> None:
    await _two_administrators(staff)
    looked = asyncio.Barrier(2)

    async def demote_unlocked(username: str) -> None:
        async with database.reading() as session:
            others = await session.scalars(select(StaffAccount.username).where(StaffAccount.username != username))
            assert others.all() != []
        await looked.wait()
        async with database.transaction() as session:
            await session.execute(
                update(StaffAccount).where(StaffAccount.username == username).values(roles=["auditor"])
            )

    await asyncio.gather(demote_unlocked("chief"), demote_unlocked("deputy"))
    assert not any("administrator" in account.roles for account in await staff.accounts())


async def test_accounts_are_listed_in_pages_and_narrowed(staff: StaffService) -> None:
    await _two_administrators(staff)
    for number in range(5):
        await staff.add(
            f"lawyer.{number}",
            RIGHT,
            display_name=f"律师{number}",
            roles=["lawyer"],
            county="520628" if number else "520603",
            by="cli",
            source="cli",
        )
    await staff.lock("lawyer.4", by="chief", source="cli", reason="left")

    async def listed(**wanted: Any) -> list[str]:
        return [account.username for account in await staff.page(AccountFilter(**wanted))]

    assert await listed(role="lawyer", active=True) == [f"lawyer.{number}" for number in range(4)]
    assert await listed(role="law") == [], "a part of a role is none"
    assert await listed(text="律师3") == ["lawyer.3"]
    assert await listed(text="CHI") == ["chief"]
    assert await listed(text="%") == []
    assert await listed(county="520603") == ["lawyer.0"]
    assert await listed(active=False) == ["lawyer.4"]
    first = await staff.page(AccountFilter(), limit=3)
    rest = await staff.page(AccountFilter(), after=first[-1].username, limit=9)
    assert [account.username for account in (*first, *rest)] == [a.username for a in await staff.accounts()]

"""Which passwords will do, how one-time ones look, and what changing one does."""

import asyncio
from datetime import timedelta

import pytest

from bot.staff.audit import AuditTrail
from bot.staff.credentials import (
    CredentialService,
    LockedOut,
    PasswordChanged,
    PasswordReset,
    WrongOldPassword,
)
from bot.staff.errors import NoSuchAccount
from bot.staff.guessable import is_guessable
from bot.staff.lockout import FAILURES_UNTIL_LOCK, LOCK_FOR
from bot.staff.passwords import ONE_TIME_VALID_FOR, one_time_password
from bot.staff.rules import check_password
from bot.staff.service import StaffService
from bot.staff.sessions import SessionService
from bot.staff.sign_in import AccountLocked, LoggedIn, SignInService, WrongPassword
from bot.values.clock import MovedClock
from bot.values.problem import Problem

OLD = "梵净山上有金丝猴呢!"
NEW = "锦江边上晨跑两公里。"


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "P@ssw0rd2026",
        "Admin@123456",
        "tongren2026!",
        "TongrenZongGongHui",
        "tongren.gonghui.1",
        "qwertyuiop",
        "1qaz2wsx3edc",
        "poiuytrewq12",
        "1234567890",
        "13912345678",
        "2026-06-15-2026",
        "abcabcabcabc",
        "abc12abc12",
        "woaini5201314",
        "zhiyuan12345",
        "li12345678",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert is_guessable(password, "li")
    problem = check_password(password, "li")
    assert problem is not None
    assert problem.code in ("staff.password_guessable", "staff.password_monotonous")


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-42",
        "梵净山上有金丝猴呢!",
        "lin-jia-pu-zi-mi-fen",
        "kx7m-2hqd-9wpz-tr4n",
        "我们单位在碧江区三楼",
        "admin likes long walks",
        "aa bb cc dd ee ff",
    ],
)
def test_what_is_long_and_ones_own_will_do(password: str) -> None:
    assert check_password(password, "li", "李老师") is None


def test_one_time_passwords_can_be_read_out_and_will_do() -> None:
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert check_password(password, "li") is None, password
        assert not set(password) & set("01oil")


async def _add(staff: StaffService) -> None:
    await staff.add("li", OLD, display_name="李老师", roles=["chat_agent"], by="cli", source="cli")


async def test_ones_own_password_is_changed_and_every_other_session_ends(
    staff: StaffService,
    credentials: CredentialService,
    sessions: SessionService,
    sign_in: SignInService,
    trail: AuditTrail,
) -> None:
    await _add(staff)
    here = await sessions.open("li", source="10.0.0.8", client="Chromium")
    elsewhere = await sessions.open("li", source="10.0.0.9", client="Firefox")
    outcome = await credentials.change_password("li", OLD, NEW, source="10.0.0.8", session_id=here.session_id)
    assert outcome == PasswordChanged(1)
    assert await sessions.resume(here.token) is not None
    assert await sessions.resume(elsewhere.token) is None
    assert await sign_in.verify("li", OLD, source="test") == WrongPassword()
    assert isinstance(await sign_in.verify("li", NEW, source="test"), LoggedIn)
    [event] = await trail.events(action="staff:password:change")
    assert (event.record.actor, event.record.source) == ("li", "10.0.0.8")


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "staff.password_too_short"),
        ("Password2026", "staff.password_guessable"),
        (OLD, "staff.password_same"),
        ("这是李老师的密码呀呀", "staff.password_has_username"),
    ],
)
async def test_a_new_password_that_will_not_do_changes_nothing(
    staff: StaffService, credentials: CredentialService, sign_in: SignInService, new: str, code: str
) -> None:
    await _add(staff)
    outcome = await credentials.change_password("li", OLD, new, source="test", session_id=0)
    assert isinstance(outcome, Problem)
    assert outcome.code == code
    assert isinstance(await sign_in.verify("li", OLD, source="test"), LoggedIn)


async def test_whoever_finds_an_open_browser_cannot_guess_the_old_password(
    staff: StaffService, credentials: CredentialService, sign_in: SignInService, clock: MovedClock
) -> None:
    await _add(staff)
    until = clock.now() + LOCK_FOR
    outcomes = [
        await credentials.change_password("li", f"guess number {number}", NEW, source="test", session_id=0)
        for number in range(FAILURES_UNTIL_LOCK + 1)
    ]
    assert outcomes == [WrongOldPassword()] * (FAILURES_UNTIL_LOCK - 1) + [LockedOut(until)] * 2
    assert await sign_in.verify("li", OLD, source="test") == AccountLocked(until)


async def test_two_changes_at_once_leave_one_of_the_two(
    staff: StaffService, credentials: CredentialService, sign_in: SignInService
) -> None:
    await _add(staff)
    wanted = [NEW, NEW + "再加一圈"]
    outcomes = await asyncio.gather(
        *(credentials.change_password("li", OLD, new, source="test", session_id=0) for new in wanted)
    )
    assert sum(isinstance(outcome, PasswordChanged) for outcome in outcomes) == 1
    kept = wanted[[isinstance(outcome, PasswordChanged) for outcome in outcomes].index(True)]
    assert isinstance(await sign_in.verify("li", kept, source="test"), LoggedIn)


async def test_a_reset_gives_a_one_time_password_unlocks_and_ends_sessions(
    staff: StaffService,
    credentials: CredentialService,
    sessions: SessionService,
    sign_in: SignInService,
    trail: AuditTrail,
    clock: MovedClock,
) -> None:
    await _add(staff)
    opened = await sessions.open("li", source="10.0.0.8", client="Chromium")
    for _ in range(FAILURES_UNTIL_LOCK):
        await sign_in.verify("li", "wrong password", source="test")
    reset = await credentials.reset_password("li", by="chief", source="10.0.0.1", reason="本人电话说忘了")
    assert isinstance(reset, PasswordReset)
    assert (reset.sessions_ended, reset.valid_until) == (1, clock.now() + ONE_TIME_VALID_FOR)
    assert await sessions.resume(opened.token) is None
    outcome = await sign_in.verify("li", reset.password, source="test")
    assert isinstance(outcome, LoggedIn)
    assert outcome.account.must_change_password
    changed = await credentials.change_password("li", reset.password, NEW, source="test", session_id=0)
    assert isinstance(changed, PasswordChanged)
    clock.move(ONE_TIME_VALID_FOR + timedelta(days=1))
    outcome = await sign_in.verify("li", NEW, source="test")
    assert isinstance(outcome, LoggedIn)
    assert not outcome.account.must_change_password
    [event] = await trail.events(action="staff:password:reset")
    assert (event.record.actor, event.record.reason) == ("chief", "本人电话说忘了")
    assert reset.password not in repr(await trail.events())


async def test_a_reset_needs_a_reason_and_an_account(staff: StaffService, credentials: CredentialService) -> None:
    await _add(staff)
    assert isinstance(await credentials.reset_password("li", by="chief", source="cli", reason="忘"), Problem)
    with pytest.raises(NoSuchAccount):
        await credentials.reset_password("nobody", by="chief", source="cli", reason="忘记密码了")
    with pytest.raises(NoSuchAccount):
        await credentials.change_password("nobody", OLD, NEW, source="cli", session_id=0)

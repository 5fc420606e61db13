"""Signing in: the password, the code after it, lock-outs of accounts and of addresses."""

import asyncio
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from bot.staff.audit import AuditTrail
from bot.staff.credentials import CredentialService, PasswordReset
from bot.staff.lockout import ADDRESS_FAILURES, ADDRESS_WINDOW, FAILURES_UNTIL_LOCK, LOCK_FOR, Lockout, network_of
from bot.staff.models import AddressFailures, SignInStep
from bot.staff.passwords import ONE_TIME_VALID_FOR
from bot.staff.second_factor import STEP_S, Confirmed, SecondFactorService
from bot.staff.service import StaffService
from bot.staff.sign_in import (
    CODE_WITHIN,
    AccountLocked,
    AddressBlocked,
    CodeNeeded,
    LoggedIn,
    PasswordExpired,
    SignInService,
    StepOver,
    WrongCode,
    WrongPassword,
)
from bot.storage.sql import Database
from bot.values.clock import MovedClock

RIGHT = "梵净山上有金丝猴呢!"


async def _add(staff: StaffService, username: str = "li") -> None:
    await staff.add(username, RIGHT, display_name="李老师", roles=["chat_agent"], by="cli", source="cli")


async def test_the_right_password_opens_and_is_noted(
    staff: StaffService, sign_in: SignInService, trail: AuditTrail, clock: MovedClock
) -> None:
    await _add(staff)
    outcome = await sign_in.verify("li", RIGHT, source="127.0.0.1")
    assert isinstance(outcome, LoggedIn)
    assert outcome.account.last_login_at == clock.now()
    (login, added) = await trail.events(object_id="li")
    assert (login.record.action, login.record.source) == ("staff:session:login", "127.0.0.1")
    assert added.record.action == "staff:account:add"


@pytest.mark.parametrize(("username", "password"), [("li", "wrong password"), ("nobody", RIGHT), ("li", "x" * 5_000)])
async def test_wrong_and_unknown_are_not_told_apart(
    staff: StaffService, sign_in: SignInService, username: str, password: str
) -> None:
    await _add(staff)
    assert await sign_in.verify(username, password, source="test") == WrongPassword()


async def test_an_unknown_username_takes_a_hash_as_well(
    sign_in: SignInService, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    genuine = PasswordHasher.verify

    def counted(self: PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002  argon2's own names
        verified.append(hash)
        return genuine(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    await sign_in.verify("nobody", RIGHT, source="test")
    assert len(verified) == 1


async def test_too_many_failures_lock_for_a_while(
    staff: StaffService, sign_in: SignInService, clock: MovedClock
) -> None:
    await _add(staff)
    until = clock.now() + LOCK_FOR
    outcomes = [await sign_in.verify("li", "wrong password", source="test") for _ in range(FAILURES_UNTIL_LOCK)]
    assert outcomes == [WrongPassword()] * (FAILURES_UNTIL_LOCK - 1) + [AccountLocked(until)]
    assert await sign_in.verify("li", RIGHT, source="test") == AccountLocked(until)
    clock.move(LOCK_FOR + timedelta(seconds=1))
    assert isinstance(await sign_in.verify("li", RIGHT, source="test"), LoggedIn)


async def test_a_success_forgets_the_failures(staff: StaffService, sign_in: SignInService) -> None:
    await _add(staff)
    for _ in range(3):
        for _ in range(FAILURES_UNTIL_LOCK - 1):
            await sign_in.verify("li", "wrong password", source="test")
        assert isinstance(await sign_in.verify("li", RIGHT, source="test"), LoggedIn)


async def test_guesses_at_once_lock_as_well(staff: StaffService, sign_in: SignInService) -> None:
    await _add(staff)
    guesses = [sign_in.verify("li", f"guess number {number}", source="test") for number in range(FAILURES_UNTIL_LOCK)]
    await asyncio.gather(*guesses)
    assert isinstance(await sign_in.verify("li", RIGHT, source="test"), AccountLocked)


# Addresses


async def _fail(sign_in: SignInService, times: int, source: str) -> None:
    for number in range(times):
        await sign_in.verify(f"nobody.{number}", "wrong password", source=source)


async def test_an_address_that_fails_too_often_waits_and_others_do_not(
    staff: StaffService, sign_in: SignInService, clock: MovedClock
) -> None:
    await _add(staff)
    until = clock.now() + ADDRESS_WINDOW
    await _fail(sign_in, ADDRESS_FAILURES, "203.0.113.7")
    assert await sign_in.verify("li", RIGHT, source="203.0.113.7") == AddressBlocked(until)
    assert isinstance(await sign_in.verify("li", RIGHT, source="203.0.113.8"), LoggedIn)
    clock.set(until)
    assert isinstance(await sign_in.verify("li", RIGHT, source="203.0.113.7"), LoggedIn)
    assert await sign_in.verify("li", "wrong password", source="203.0.113.7") == WrongPassword(), "it counts anew"


async def test_failures_at_once_are_all_counted(sign_in: SignInService, database: Database) -> None:
    await asyncio.gather(*(sign_in.verify(f"n.{n}", "wrong password", source="203.0.113.7") for n in range(6)))
    async with database.reading() as session:
        assert await session.scalar(select(AddressFailures.failures)) == 6


async def test_counts_that_mean_nothing_any_more_are_deleted(
    sign_in: SignInService, lockout: Lockout, clock: MovedClock
) -> None:
    await _fail(sign_in, 1, "203.0.113.7")
    assert await lockout.forget_old() == 0
    clock.move(ADDRESS_WINDOW + timedelta(seconds=1))
    assert await lockout.forget_old() == 1


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("command line", "command line"),
    ],
)
def test_one_line_is_one_network(source: str, network: str) -> None:
    assert network_of(source) == network


# One-time passwords


async def test_a_one_time_password_opens_for_three_days(
    staff: StaffService, sign_in: SignInService, credentials: CredentialService, clock: MovedClock
) -> None:
    await _add(staff)
    reset = await credentials.reset_password("li", by="chief", source="cli", reason="忘记密码了")
    assert isinstance(reset, PasswordReset)
    assert await sign_in.verify("li", RIGHT, source="test") == WrongPassword()
    outcome = await sign_in.verify("li", reset.password, source="test")
    assert isinstance(outcome, LoggedIn)
    assert outcome.account.must_change_password
    clock.move(ONE_TIME_VALID_FOR)
    assert await sign_in.verify("li", reset.password, source="test") == PasswordExpired()
    assert await sign_in.verify("li", "wrong password", source="test") == WrongPassword()


# The code


async def _enrolled(second_factor: SecondFactorService, clock: MovedClock, username: str = "li") -> pyotp.TOTP:
    enrolment = await second_factor.begin(username)
    assert enrolment is not None
    generator = pyotp.TOTP(enrolment.secret)
    confirmed = await second_factor.confirm(username, generator.at(clock.now()), source="test", session_id=0)
    assert isinstance(confirmed, Confirmed)
    clock.move(timedelta(seconds=STEP_S))
    return generator


async def _step(sign_in: SignInService) -> str:
    outcome = await sign_in.verify("li", RIGHT, source="test")
    assert isinstance(outcome, CodeNeeded), outcome
    return outcome.token


async def test_with_a_generator_the_password_is_half_of_it(
    staff: StaffService,
    sign_in: SignInService,
    second_factor: SecondFactorService,
    trail: AuditTrail,
    clock: MovedClock,
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    token = await _step(sign_in)
    assert await trail.events(action="staff:session:login") == []
    outcome = await sign_in.verify_code(token, generator.at(clock.now()), source="10.0.0.8")
    assert isinstance(outcome, LoggedIn)
    assert outcome.account.has_code
    [login] = await trail.events(action="staff:session:login")
    assert (login.record.reason, login.record.source) == ("code", "10.0.0.8")
    assert await sign_in.verify_code(token, generator.at(clock.now()), source="test") == StepOver()


async def test_a_code_is_typed_as_people_type(
    staff: StaffService, sign_in: SignInService, second_factor: SecondFactorService, clock: MovedClock
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    code = generator.at(clock.now())
    outcome = await sign_in.verify_code(await _step(sign_in), f" {code[:3]} {code[3:]} ", source="test")
    assert isinstance(outcome, LoggedIn)


async def test_a_code_counts_once(
    staff: StaffService, sign_in: SignInService, second_factor: SecondFactorService, clock: MovedClock
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    first, second = await _step(sign_in), await _step(sign_in)
    code = generator.at(clock.now())
    outcomes = await asyncio.gather(*(sign_in.verify_code(token, code, source="test") for token in (first, second)))
    assert sum(isinstance(outcome, LoggedIn) for outcome in outcomes) == 1
    assert outcomes.count(WrongCode()) == 1
    clock.move(timedelta(seconds=STEP_S))
    assert await sign_in.verify_code(await _step(sign_in), code, source="test") == WrongCode(), "within the drift"


async def test_a_phone_whose_clock_is_off_by_half_a_minute_will_do_and_by_more_will_not(
    staff: StaffService, sign_in: SignInService, second_factor: SecondFactorService, clock: MovedClock
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    clock.move(timedelta(minutes=5))
    now = clock.now()
    for seconds, accepted in ((-61, False), (61, False), (-STEP_S, True), (STEP_S, True)):
        outcome = await sign_in.verify_code(
            await _step(sign_in), generator.at(now + timedelta(seconds=seconds)), source="test"
        )
        assert isinstance(outcome, LoggedIn) is accepted, seconds


async def test_a_step_lasts_five_minutes(
    staff: StaffService, sign_in: SignInService, second_factor: SecondFactorService, clock: MovedClock
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    token = await _step(sign_in)
    clock.move(CODE_WITHIN)
    assert await sign_in.verify_code(token, generator.at(clock.now()), source="test") == StepOver()
    assert await sign_in.verify_code("made up", generator.at(clock.now()), source="test") == StepOver()
    assert await sign_in.forget_old_steps() == 1


async def test_who_has_the_password_cannot_guess_codes_without_end(
    staff: StaffService, sign_in: SignInService, second_factor: SecondFactorService, clock: MovedClock
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    until = clock.now() + LOCK_FOR
    outcomes = [
        await sign_in.verify_code(await _step(sign_in), "000000", source="test") for _ in range(FAILURES_UNTIL_LOCK)
    ]
    assert outcomes == [WrongCode()] * (FAILURES_UNTIL_LOCK - 1) + [AccountLocked(until)]
    assert await sign_in.verify("li", RIGHT, source="test") == AccountLocked(until)
    clock.set(until)
    assert isinstance(
        await sign_in.verify_code(await _step(sign_in), generator.at(clock.now()), source="test"), LoggedIn
    )


async def test_a_step_that_was_open_is_worth_nothing_while_the_account_is_locked_or_off(
    staff: StaffService, sign_in: SignInService, second_factor: SecondFactorService, clock: MovedClock
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    token = await _step(sign_in)
    for _ in range(FAILURES_UNTIL_LOCK):
        await sign_in.verify("li", "wrong password", source="test")
    assert isinstance(await sign_in.verify_code(token, generator.at(clock.now()), source="test"), AccountLocked)
    await staff.unlock("li", by="chief", source="cli", reason="it was me")
    await staff.lock("li", by="chief", source="cli", reason="left")
    assert await sign_in.verify_code(token, generator.at(clock.now()), source="test") == StepOver()


async def test_a_recovery_code_stands_in_once(
    staff: StaffService,
    sign_in: SignInService,
    second_factor: SecondFactorService,
    trail: AuditTrail,
    clock: MovedClock,
) -> None:
    await _add(staff)
    generator = await _enrolled(second_factor, clock)
    renewed = await second_factor.renew_codes("li", generator.at(clock.now()), source="test")
    assert isinstance(renewed, Confirmed)
    code = renewed.recovery_codes[0]
    outcome = await sign_in.verify_code(await _step(sign_in), f" {code.upper().replace('-', ' ')}", source="test")
    assert isinstance(outcome, LoggedIn)
    assert await second_factor.codes_left("li") == len(renewed.recovery_codes) - 1
    assert await sign_in.verify_code(await _step(sign_in), code, source="test") == WrongCode()
    [login] = await trail.events(action="staff:session:login")
    assert login.record.reason == "recovery code"


async def test_somebody_elses_recovery_code_is_wrong(
    staff: StaffService, sign_in: SignInService, second_factor: SecondFactorService, clock: MovedClock
) -> None:
    await _add(staff)
    await _add(staff, "yang")
    await _enrolled(second_factor, clock)
    generator = await _enrolled(second_factor, clock, "yang")
    renewed = await second_factor.renew_codes("yang", generator.at(clock.now()), source="test")
    assert isinstance(renewed, Confirmed)
    token = await _step(sign_in)
    assert await sign_in.verify_code(token, renewed.recovery_codes[0], source="test") == WrongCode()


async def test_the_token_of_a_step_is_not_in_the_database(
    staff: StaffService,
    sign_in: SignInService,
    second_factor: SecondFactorService,
    database: Database,
    clock: MovedClock,
) -> None:
    await _add(staff)
    await _enrolled(second_factor, clock)
    token = await _step(sign_in)
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(SignInStep)) == 1
        assert await session.scalar(select(SignInStep.token_hash)) != token

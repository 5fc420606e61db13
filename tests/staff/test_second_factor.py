"""Code generators: enrolled by a code, given up by a code, reset by an administrator."""

from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from sqlalchemy import select

from bot.staff.audit import AuditTrail
from bot.staff.errors import NoSuchAccount
from bot.staff.lockout import FAILURES_UNTIL_LOCK, LOCK_FOR
from bot.staff.models import RecoveryCode, StaffAccount
from bot.staff.second_factor import (
    RECOVERY_CODES,
    STEP_S,
    CodeLocked,
    Confirmed,
    NotAccepted,
    NothingEnrolled,
    Obligatory,
    Removed,
    SecondFactorService,
)
from bot.staff.service import StaffService
from bot.staff.sessions import SessionService
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem


@pytest.fixture(autouse=True)
async def _accounts(staff: StaffService) -> None:
    for username, role in (("li", "chat_agent"), ("shen", "auditor")):
        await staff.add(username, "梵净山上有金丝猴呢!", display_name=username, roles=[role], by="cli", source="cli")


async def _begun(second_factor: SecondFactorService, username: str = "li") -> pyotp.TOTP:
    enrolment = await second_factor.begin(username)
    assert enrolment is not None
    return pyotp.TOTP(enrolment.secret)


async def _confirmed(
    second_factor: SecondFactorService, clock: MovedClock, username: str = "li"
) -> tuple[pyotp.TOTP, Confirmed]:
    generator = await _begun(second_factor, username)
    outcome = await second_factor.confirm(username, generator.at(clock.now()), source="test", session_id=0)
    assert isinstance(outcome, Confirmed)
    clock.move(timedelta(seconds=STEP_S))
    return generator, outcome


async def test_the_picture_says_whose_and_ours_and_stays_until_it_is_confirmed(
    second_factor: SecondFactorService,
) -> None:
    enrolment = await second_factor.begin("li")
    assert enrolment is not None
    parts = urlsplit(enrolment.uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/铜仁市总工会助手后台:li"
    assert parse_qs(parts.query)["secret"] == [enrolment.secret]
    assert await second_factor.begin("li") == enrolment


async def test_it_counts_only_after_a_code_and_ends_the_other_sessions(
    second_factor: SecondFactorService,
    staff: StaffService,
    sessions: SessionService,
    trail: AuditTrail,
    clock: MovedClock,
) -> None:
    here = await sessions.open("li", source="10.0.0.8", client="Chromium")
    elsewhere = await sessions.open("li", source="10.0.0.9", client="Firefox")
    generator = await _begun(second_factor)
    wrong = await second_factor.confirm("li", "000000", source="test", session_id=here.session_id)
    assert wrong == NotAccepted()
    assert not (await staff.get("li")).has_code
    code = generator.at(clock.now())
    outcome = await second_factor.confirm("li", code, source="10.0.0.8", session_id=here.session_id)
    assert isinstance(outcome, Confirmed)
    assert (len(set(outcome.recovery_codes)), outcome.sessions_ended) == (RECOVERY_CODES, 1)
    assert (await staff.get("li")).has_code
    assert await sessions.resume(here.token) is not None
    assert await sessions.resume(elsewhere.token) is None
    assert await second_factor.begin("li") is None
    again = await second_factor.confirm("li", code, source="test", session_id=here.session_id)
    assert again == NothingEnrolled()
    assert len(await trail.events(action="staff:code:enrol")) == 1


async def test_neither_the_secret_nor_a_recovery_code_can_be_read_in_the_database(
    second_factor: SecondFactorService, database: Database, clock: MovedClock
) -> None:
    generator, confirmed = await _confirmed(second_factor, clock)
    async with database.reading() as session:
        sealed = await session.scalar(select(StaffAccount.totp_sealed).where(StaffAccount.username == "li"))
        hashes = list(await session.scalars(select(RecoveryCode.code_hash)))
    assert sealed is not None
    assert generator.secret.encode() not in sealed
    assert not {code.replace("-", "") for code in confirmed.recovery_codes} & set(hashes)


async def test_new_recovery_codes_replace_the_old(second_factor: SecondFactorService, clock: MovedClock) -> None:
    generator, confirmed = await _confirmed(second_factor, clock)
    assert await second_factor.renew_codes("li", "000000", source="test") == NotAccepted()
    renewed = await second_factor.renew_codes("li", generator.at(clock.now()), source="test")
    assert isinstance(renewed, Confirmed)
    assert not set(renewed.recovery_codes) & set(confirmed.recovery_codes)
    assert await second_factor.codes_left("li") == RECOVERY_CODES
    assert await second_factor.codes_left("shen") == 0


async def test_it_is_given_up_by_a_code(
    second_factor: SecondFactorService, staff: StaffService, clock: MovedClock
) -> None:
    assert await second_factor.remove("li", "000000", source="test") == NothingEnrolled()
    generator, _ = await _confirmed(second_factor, clock)
    assert await second_factor.remove("li", "000000", source="test") == NotAccepted()
    assert await second_factor.remove("li", generator.at(clock.now()), source="test") == Removed()
    assert not (await staff.get("li")).has_code
    assert await second_factor.codes_left("li") == 0
    fresh = await second_factor.begin("li")
    assert fresh is not None
    assert fresh.secret != generator.secret


async def test_codes_cannot_be_guessed_in_an_open_browser(
    second_factor: SecondFactorService, clock: MovedClock
) -> None:
    generator, _ = await _confirmed(second_factor, clock)
    until = clock.now() + LOCK_FOR
    outcomes = [await second_factor.remove("li", "000000", source="test") for _ in range(FAILURES_UNTIL_LOCK)]
    assert outcomes == [NotAccepted()] * (FAILURES_UNTIL_LOCK - 1) + [CodeLocked(until)]
    assert await second_factor.remove("li", generator.at(clock.now()), source="test") == CodeLocked(until)


async def test_where_it_is_obligatory_only_an_administrator_takes_it_away(
    second_factor: SecondFactorService,
    staff: StaffService,
    sessions: SessionService,
    trail: AuditTrail,
    clock: MovedClock,
) -> None:
    assert second_factor.is_required(["chat_agent", "auditor"])
    assert not second_factor.is_required(["chat_agent"])
    generator, _ = await _confirmed(second_factor, clock, "shen")
    assert await second_factor.remove("shen", generator.at(clock.now()), source="test") == Obligatory()
    opened = await sessions.open("shen", source="10.0.0.8", client="Chromium")
    short = await second_factor.reset("shen", by="chief", source="test", reason="丢")
    assert isinstance(short, Problem)
    assert await second_factor.reset("shen", by="chief", source="test", reason="手机丢了") == Removed()
    assert not (await staff.get("shen")).has_code
    assert await sessions.resume(opened.token) is None
    assert await second_factor.reset("shen", by="chief", source="test", reason="手机丢了") == NothingEnrolled()
    [event] = await trail.events(action="staff:code:reset")
    assert (event.record.actor, event.record.object_id) == ("chief", "shen")


async def test_nobody_enrols_who_is_not_there(second_factor: SecondFactorService) -> None:
    with pytest.raises(NoSuchAccount):
        await second_factor.begin("nobody")

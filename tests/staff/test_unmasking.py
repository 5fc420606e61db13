"""A sealed value is read by people one field at a time, with a reason, so often, and never without a row."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditTrail
from bot.staff.errors import NoSuchAccount, NotPermitted
from bot.staff.models import AuditEvent, AuditRecord
from bot.staff.rules import PermissionTable
from bot.staff.service import StaffService
from bot.staff.unmasking import LimitReached, NothingStored, Unmasked, Unmasking, UnmaskingService
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem

LIMIT = 3
PHONE = Unmasking(
    permission="registrations:application:unmask",
    object_kind="registration",
    object_id="QG26-0615-0001",
    field="phone",
    reason="电话核实材料",
    source="10.0.0.8",
    county="520603",
)


@pytest.fixture
def unmasking(
    database: Database, clock: MovedClock, permissions: PermissionTable, trail: AuditTrail
) -> UnmaskingService:
    return UnmaskingService(database, clock, permissions=permissions, trail=trail, per_hour=LIMIT)


async def _phone(_session: AsyncSession) -> str | None:
    return "13912345678"


async def _nothing(_session: AsyncSession) -> str | None:
    return None


async def _add(staff: StaffService, username: str, roles: Sequence[str], county: str | None = None) -> None:
    await staff.add(
        username,
        "correct-horse-42",
        display_name=username,
        roles=roles,
        county=county,
        by="chief",
        source="test",
    )


@pytest.fixture(autouse=True)
async def _reviewer(staff: StaffService) -> None:
    await _add(staff, "li", ["county_reviewer"], county="520603")


async def test_the_value_comes_with_its_row(unmasking: UnmaskingService, trail: AuditTrail) -> None:
    assert await unmasking.unmask("li", PHONE, _phone) == Unmasked("13912345678", LIMIT - 1)
    [event] = await trail.events(action=PHONE.permission)
    assert event.record == AuditRecord(
        "li", PHONE.permission, "registration", "QG26-0615-0001", "phone:电话核实材料", "10.0.0.8"
    )
    assert await unmasking.read_within_the_hour("li") == 1


@pytest.mark.parametrize("reason", ["", "   ", "核实", "  看看  ", "长" * 201])
async def test_a_reason_is_words_that_another_person_understands(
    unmasking: UnmaskingService, trail: AuditTrail, reason: str
) -> None:
    outcome = await unmasking.unmask("li", replace(PHONE, reason=reason), _phone)
    assert isinstance(outcome, Problem)
    assert outcome.code.startswith("staff.reason_too_")
    assert await trail.events(action=PHONE.permission) == []


async def test_an_empty_field_leaves_no_row(unmasking: UnmaskingService, trail: AuditTrail) -> None:
    assert await unmasking.unmask("li", PHONE, _nothing) == NothingStored()
    assert await trail.events(action=PHONE.permission) == []


async def test_out_of_reach_is_refused_before_anything_is_read(
    unmasking: UnmaskingService, staff: StaffService
) -> None:
    async def never(_session: AsyncSession) -> str | None:
        raise AssertionError("the field was opened")

    await _add(staff, "lawyer", ["lawyer"], county="520603")
    await _add(staff, "auditor", ["auditor"])
    case = replace(PHONE, permission="legal:case:unmask", owner="another")
    for username, wanted in (
        ("li", replace(PHONE, county="520628")),
        ("li", replace(PHONE, county=None)),
        ("li", case),
        ("lawyer", case),
        ("lawyer", replace(case, owner=None)),
        ("auditor", PHONE),
    ):
        with pytest.raises(NotPermitted):
            await unmasking.unmask(username, wanted, never)
    assert isinstance(await unmasking.unmask("lawyer", replace(case, owner="lawyer"), _phone), Unmasked)


async def test_who_was_switched_off_meanwhile_reads_nothing(unmasking: UnmaskingService, staff: StaffService) -> None:
    await staff.lock("li", by="chief", source="test", reason="left the office")
    with pytest.raises(NotPermitted):
        await unmasking.unmask("li", PHONE, _phone)
    with pytest.raises(NoSuchAccount):
        await unmasking.unmask("nobody", PHONE, _phone)


async def test_only_permissions_to_unmask_will_do(unmasking: UnmaskingService) -> None:
    with pytest.raises(ValueError, match="not a permission to unmask"):
        await unmasking.unmask("li", replace(PHONE, permission="registrations:application:read"), _phone)


async def test_an_hour_holds_so_many_and_then_goes_on(
    unmasking: UnmaskingService, trail: AuditTrail, clock: MovedClock
) -> None:
    first = clock.now()
    for left in (2, 1, 0):
        assert await unmasking.unmask("li", PHONE, _phone) == Unmasked("13912345678", left)
        clock.move(timedelta(minutes=10))
    assert await unmasking.unmask("li", PHONE, _phone) == LimitReached(LIMIT, first + timedelta(hours=1))
    assert len(await trail.events(action="staff:unmask:refused")) == 1
    clock.set(first + timedelta(hours=1))
    assert isinstance(await unmasking.unmask("li", PHONE, _phone), Unmasked)


async def test_many_at_once_do_not_pass_the_limit(unmasking: UnmaskingService) -> None:
    outcomes = await asyncio.gather(*(unmasking.unmask("li", PHONE, _phone) for _ in range(LIMIT + 4)))
    assert sum(isinstance(outcome, Unmasked) for outcome in outcomes) == LIMIT


async def test_the_control_without_the_lock_lets_all_pass(database: Database) -> None:
    looked = asyncio.Barrier(LIMIT + 1)

    async def count_unlocked() -> int:
        async with database.reading() as session:
            counted = select(func.count()).where(AuditEvent.actor == "li", AuditEvent.action.like("%:unmask"))
            found = await session.scalar(counted) or 0
        await looked.wait()
        return found

    assert max(await asyncio.gather(*(count_unlocked() for _ in range(LIMIT + 1)))) < LIMIT


async def test_a_failure_while_reading_leaves_neither_row_nor_count(
    unmasking: UnmaskingService, trail: AuditTrail
) -> None:
    async def broken(_session: AsyncSession) -> str | None:
        raise ConnectionError("the store is away")

    with pytest.raises(ConnectionError):
        await unmasking.unmask("li", PHONE, broken)
    assert await trail.events(action=PHONE.permission) == []

"""Every write, repeated with its key: the same answer, and nothing changes; also at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.programmes.errors import SnapshotUnreadable
from bot.programmes.service import ProgrammeService
from bot.registrations.calls import Calls
from bot.registrations.outcomes import Cancelled, Changes, Full, Held, NotFound, Submitted
from bot.registrations.review import ReviewService
from bot.registrations.service import RegistrationService
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import (
    application,
    by_staff,
    receipt_of,
    stage_screening,
    stage_work_study,
    submitted,
)

TABLES = (
    "registrations",
    "registration_changes",
    "registration_holds",
    "registration_materials",
    "registration_notices",
    "registration_receipt_counters",
    "registration_calls",
    "audit_events",
)
Write = Callable[[], Awaitable[object]]


async def _everything(database: Database) -> list[object]:
    async with database.reading() as session:
        return [(await session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))).all() for table in TABLES]  # noqa: S608


async def _check(database: Database, clock: MovedClock, write: Write) -> object:
    """Do ``write`` twice, some minutes apart; return the answer, which must be the same."""
    first = await write()
    before = await _everything(database)
    clock.move(timedelta(minutes=3))
    assert await write() == first
    assert await _everything(database) == before
    return first


async def test_every_write_of_a_follower(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    one, other = stage.slots
    service, programme_id = registrations, stage.programme.id
    (first,) = await submitted(service, stage, 1, slot=0)

    def hold(key: str, slot_id: int) -> Write:
        return lambda: service.hold_place(programme_id, slot_id, "openid-2", key)

    async def check(write: Write) -> object:
        return await _check(database, clock, write)

    full = await check(hold("h1", one.id))
    assert isinstance(full, Full)
    assert isinstance(await check(hold("h2", other.id)), Held)
    # The alternative is taken meanwhile; the repeated call still answers what it answered.
    assert await hold("h1", one.id)() == full
    waiting = await check(lambda: service.submit(application(2, stage.programme, slot_id=one.id)))
    assert isinstance(waiting, Submitted)
    await check(lambda: service.submit(application(3, stage.programme, slot_id=one.id)))
    await check(lambda: service.submit(application(2, stage.programme, slot_id=one.id, key="again")))
    await check(lambda: service.change(waiting.receipt, "openid-2", Changes(phone="13900000000"), "p"))
    cancelled = await check(lambda: service.cancel(first, "openid-1", "c1"))
    assert isinstance(cancelled, Cancelled)
    assert len(cancelled.promoted) == 1
    await check(lambda: service.decline_offer(waiting.receipt, "openid-2", "d"))
    third = (await service.find_for("openid-3"))[0].receipt
    await check(lambda: service.accept_offer(third, "openid-3", "a"))
    await check(lambda: service.change(third, "openid-3", Changes(slot_id=other.id), "s"))
    assert await check(lambda: service.cancel("none", "openid-3", "n")) == NotFound()


async def test_every_write_of_staff(
    database: Database,
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    clock: MovedClock,
) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 1}, quota_total=1)
    until = clock.now() + timedelta(days=1)
    a, b = [receipt_of(await registrations.submit(application(serial, stage.programme))) for serial in (1, 2)]

    async def check(write: Write) -> object:
        return await _check(database, clock, write)

    await check(lambda: review.return_(by_staff(a, "data_mismatch"), items=["student_card"], until=until))
    await check(lambda: registrations.attach_material(a, "openid-1", "student_card", "f", "m"))
    await check(lambda: registrations.resubmit(a, "openid-1", "r"))
    await check(lambda: review.approve(by_staff(a, "qualified")))
    await check(lambda: review.approve(by_staff(b, "qualified")))
    await check(lambda: review.assign_post(by_staff(a, "post_assigned"), stage.posts[0].id))
    await check(lambda: review.waitlist(by_staff(b, "qualified_but_full")))
    await check(lambda: review.requeue(by_staff(b, "requeued")))
    await check(lambda: review.confirm_changes(by_staff(a, "reviewed_again")))
    await check(lambda: review.check_in(by_staff(a, "checked_in")))
    await check(lambda: review.no_show(by_staff(a, "did_not_come")))
    await check(lambda: review.complete(by_staff(a, "served_recorded_later")))
    await check(lambda: review.reject(by_staff(b, "age_rule")))
    await check(lambda: review.reopen(by_staff(b, "after_appeal")))
    await check(lambda: review.cancel(by_staff(b, "programme_stopped")))


async def test_one_key_at_the_same_moment_is_one_registration(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 5)
    one = application(1, stage.programme, slot_id=stage.slots[0].id)
    outcomes = await asyncio.gather(*(registrations.submit(one) for _ in range(6)))
    assert len({receipt_of(outcome) for outcome in outcomes}) == 1
    assert len(await registrations.find_for("openid-1")) == 1


async def test_a_key_belongs_to_its_kind_of_call(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    held = await registrations.hold_place(stage.programme.id, stage.slots[0].id, "openid-1", "same")
    assert isinstance(held, Held)
    outcome = await registrations.submit(application(1, stage.programme, slot_id=stage.slots[0].id, key="same"))
    assert isinstance(outcome, Submitted)


async def test_a_call_that_failed_is_not_remembered(database: Database, clock: MovedClock) -> None:
    calls = Calls(database, clock)
    attempts: list[int] = []

    async def work(_session: object) -> NotFound:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError
        return NotFound()

    with pytest.raises(ConnectionError):
        await calls.once("test", "k", (NotFound,), work)
    for _ in range(2):
        assert await calls.once("test", "k", (NotFound,), work) == NotFound()
    assert len(attempts) == 2


async def test_old_calls_are_forgotten_and_unknown_outcomes_refused(database: Database, clock: MovedClock) -> None:
    calls = Calls(database, clock)

    async def work(_session: object) -> NotFound:
        return NotFound()

    await calls.once("test", "k", (NotFound,), work)
    with pytest.raises(SnapshotUnreadable):
        await calls.once("test", "k", (Held,), work)  # type: ignore[arg-type]  # the caller's list has changed since
    assert await calls.forget_before(clock.now()) == 0
    assert await calls.forget_before(clock.now() + timedelta(seconds=1)) == 1

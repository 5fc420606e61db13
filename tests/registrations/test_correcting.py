"""Taking back what staff decided by mistake: status, place and notices are as if it had not been."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.programmes.models import ReviewMode
from bot.programmes.service import ProgrammeService
from bot.registrations.correcting import Mistake, last_mistake
from bot.registrations.errors import AlreadyRegistered, IllegalTransition, MovedSince
from bot.registrations.models import Notice
from bot.registrations.notices import NoticeBook
from bot.registrations.outcomes import Moved, NoPlace, Submitted
from bot.registrations.records import RegistrationRecords
from bot.registrations.review import Decision, ReviewService
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Actor, ActorKind, Status
from bot.registrations.steps import Step, Terms, take
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import (
    TO_THE_DAY,
    Stage,
    application,
    by_staff,
    receipt_of,
    stage_screening,
    stage_work_study,
    statuses,
    submitted,
)

REASONS = {
    Step.APPROVE: "qualified",
    Step.RETURN: "materials_missing",
    Step.WAITLIST: "qualified_but_full",
    Step.REJECT: "audience_rule",
    Step.COMPLETE: "served",
    Step.NO_SHOW: "did_not_come",
}


@pytest.fixture
def book(database: Database, clock: MovedClock) -> NoticeBook:
    return NoticeBook(database, clock)


async def screening(programmes: ProgrammeService, *capacities: int) -> Stage:
    """A screening whose applications people review; each keeps its slot from the start."""
    return await stage_screening(programmes, *capacities, review_mode=ReviewMode.BY_STAFF)


async def free(registrations: RegistrationService, stage: Stage) -> int:
    """How many places of the first slot are free."""
    [slot, *_] = await registrations.slots(stage.programme.id)
    return slot.free


async def decided(review: ReviewService, clock: MovedClock, receipt: str, *steps: Step) -> None:
    """Take one step after the other."""
    for step in steps:
        terms = Terms(items=["phone"], until=clock.now() + timedelta(days=7)) if step is Step.RETURN else Terms()
        assert isinstance(await take(review, step, by_staff(receipt, REASONS[step]), terms), Moved)


async def mistake_of(records: RegistrationRecords, receipt: str) -> Mistake | None:
    return last_mistake(await records.history(receipt))


async def taken_back(
    review: ReviewService, records: RegistrationRecords, receipt: str, *, key: str = ""
) -> Moved | NoPlace:
    """Take back what the history shows as the last decision."""
    mistake = await mistake_of(records, receipt)
    assert mistake is not None
    actor = Actor(ActorKind.REVIEWER, "zhao")
    decision = Decision(receipt=receipt, by=actor, key=key or f"{receipt}-back", reason="taken_back")
    return await review.take_back(decision, mistake)


@pytest.mark.parametrize(
    ("steps", "back", "left"),
    [
        ([Step.APPROVE], Status.PENDING, 2),
        ([Step.RETURN], Status.PENDING, 2),
        ([Step.WAITLIST], Status.PENDING, 2),
        ([Step.REJECT], Status.PENDING, 2),
        ([Step.RETURN, Step.REJECT], Status.RETURNED, 2),
        ([Step.APPROVE, Step.COMPLETE], Status.APPROVED, 2),
        ([Step.APPROVE, Step.NO_SHOW], Status.APPROVED, 2),
        ([Step.APPROVE, Step.NO_SHOW, Step.COMPLETE], Status.NO_SHOW, 3),
    ],
)
async def test_a_registration_stands_again_as_it_stood(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
    steps: Sequence[Step],
    back: Status,
    left: int,
) -> None:
    stage = await screening(programmes, 3)
    [receipt] = await submitted(registrations, stage, 1)
    clock.move(TO_THE_DAY)
    await decided(review, clock, receipt, *steps)
    outcome = await taken_back(review, records, receipt)
    assert isinstance(outcome, Moved)
    assert outcome.status is back
    assert await free(registrations, stage) == left
    view = await records.get(receipt)
    assert (view.status, bool(view.returned_until)) == (back, back is Status.RETURNED)
    last = (await records.history(receipt))[-1]
    assert (last.actor_id, last.reason, last.target) == ("zhao", "taken_back", back)
    assert await mistake_of(records, receipt) is None


async def test_a_place_of_the_quota_is_free_again_and_goes_to_who_waits(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    stage = await stage_work_study(programmes, {}, quota_total=1, quota_by_county={})
    wrong, waiting = [
        receipt_of(await registrations.submit(application(serial, stage.programme))) for serial in (1, 2)
    ]
    await decided(review, clock, wrong, Step.APPROVE)
    await decided(review, clock, waiting, Step.WAITLIST)
    outcome = await taken_back(review, records, wrong)
    assert isinstance(outcome, Moved)
    assert [one.receipt for one in outcome.promoted] == [waiting]
    assert await review.approve(by_staff(wrong, "qualified", key="again")) == NoPlace("total")


async def test_who_moved_up_by_mistake_waits_again_where_they_waited(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    stage = await stage_work_study(programmes, {}, quota_total=2, quota_by_county={})
    receipts = [receipt_of(await registrations.submit(application(n, stage.programme))) for n in (1, 2, 3, 4)]
    await decided(review, clock, receipts[0], Step.APPROVE)
    await decided(review, clock, receipts[1], Step.APPROVE)
    await decided(review, clock, receipts[2], Step.WAITLIST)
    await decided(review, clock, receipts[3], Step.WAITLIST)
    await review.cancel(by_staff(receipts[0], "programme_stopped"))
    await review.cancel(by_staff(receipts[1], "programme_stopped"))
    await review.approve(by_staff(receipts[3], "qualified"))
    await taken_back(review, records, receipts[3])
    assert await statuses(registrations, 3, 4) == ["waitlisted 1", "waitlisted 2"]


async def test_a_notice_that_has_not_left_is_kept_back(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
    book: NoticeBook,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 3), 1)
    await decided(review, clock, receipt, Step.REJECT)
    await taken_back(review, records, receipt)
    assert await book.lease_due() == ()


@pytest.mark.parametrize("reported", [True, False])
async def test_what_may_have_been_read_is_corrected(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
    book: NoticeBook,
    reported: bool,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 3), 1)
    await decided(review, clock, receipt, Step.REJECT)
    [told] = await book.lease_due()
    if reported:
        await book.mark_sent(told.id, "customer_service")
    await taken_back(review, records, receipt)
    assert [notice.kind for notice in await book.lease_due()] == ["corrected_pending"]


async def test_a_notice_that_a_worker_is_just_taking_is_corrected(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    database: Database,
    clock: MovedClock,
    book: NoticeBook,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 3), 1)
    await decided(review, clock, receipt, Step.REJECT)
    async with database.transaction() as taking:
        notice = (await taking.scalars(select(Notice).with_for_update())).one()
        notice.leased_until = clock.now() + timedelta(minutes=2)
        await taking.flush()
        back = asyncio.create_task(taken_back(review, records, receipt))
        # Who takes the decision back waits until it is clear whether the notice leaves.
        done, _ = await asyncio.wait({back}, timeout=0.5)
        assert not done
    await back
    assert [notice.kind for notice in await book.lease_due()] == ["corrected_pending"]


async def test_a_notice_tried_in_vain_is_kept_back_as_well(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
    book: NoticeBook,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 3), 1)
    await decided(review, clock, receipt, Step.APPROVE)
    [held] = await book.lease_due()
    await book.mark_failed(held.id, again_at=clock.now() + timedelta(minutes=15), code="held")
    await taken_back(review, records, receipt)
    clock.move(timedelta(hours=1))
    assert await book.lease_due() == ()


async def test_a_place_that_somebody_else_has_is_not_taken_from_them(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    stage = await screening(programmes, 1)
    [absent] = await submitted(registrations, stage, 1)
    clock.move(TO_THE_DAY)
    await decided(review, clock, absent, Step.APPROVE, Step.NO_SHOW)
    [other] = await submitted(registrations, stage, 2)
    assert await taken_back(review, records, absent) == NoPlace("slot")
    assert await statuses(registrations, 1, 2) == ["no_show", "pending"]
    await decided(review, clock, other, Step.REJECT)
    await submitted(registrations, stage, 3)
    assert isinstance(await taken_back(review, records, other), Moved)
    assert await statuses(registrations, 2) == ["pending"]
    assert await review.approve(by_staff(other, "qualified")) == NoPlace("slot")


async def test_nobody_competes_for_a_time_that_is_past(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 1), 1)
    await decided(review, clock, receipt, Step.APPROVE)
    clock.move(timedelta(days=6))
    await decided(review, clock, receipt, Step.NO_SHOW)
    assert isinstance(await taken_back(review, records, receipt), Moved)
    await decided(review, clock, receipt, Step.COMPLETE)


async def test_only_the_last_decision_is_taken_back(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 3), 1)
    await decided(review, clock, receipt, Step.APPROVE)
    seen = await mistake_of(records, receipt)
    assert seen is not None
    clock.move(TO_THE_DAY)
    await decided(review, clock, receipt, Step.COMPLETE)
    with pytest.raises(MovedSince):
        await review.take_back(by_staff(receipt, "taken_back"), seen)
    assert await statuses(registrations, 1) == ["completed"]


async def test_two_who_take_back_at_once_do_it_once(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 3), 1)
    await decided(review, clock, receipt, Step.RETURN, Step.REJECT)
    # All four have the page of before open; who looked later would find nothing to take back.
    seen = await mistake_of(records, receipt)
    assert seen is not None
    outcomes = await asyncio.gather(
        *(review.take_back(by_staff(receipt, "taken_back", key=f"{n}"), seen) for n in range(4)),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Moved", *["MovedSince"] * 3]
    assert await statuses(registrations, 1) == ["returned"]


async def test_what_is_not_a_decision_of_staff_stays(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
) -> None:
    by_itself, called_off = await submitted(registrations, await stage_screening(programmes, 3), 1, 2)
    assert await mistake_of(records, by_itself) is None
    await review.cancel(by_staff(called_off, "programme_stopped"))
    assert await mistake_of(records, called_off) is None
    for receipt in (by_itself, called_off):
        [*_, last] = [line for line in await records.history(receipt) if line.source is not line.target]
        claimed = Mistake(last.actor_id, last.at, last.at, last.target)
        with pytest.raises(IllegalTransition):
            await review.take_back(by_staff(receipt, "taken_back"), claimed)


async def test_who_is_in_is_let_out_first(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    [receipt] = await submitted(registrations, await screening(programmes, 3), 1)
    await decided(review, clock, receipt, Step.APPROVE)
    await review.check_in(by_staff(receipt, "checked_in"))
    assert last_mistake(await records.history(receipt), has_come=True) is None
    with pytest.raises(IllegalTransition):
        await taken_back(review, records, receipt)
    await review.revoke_check_in(by_staff(receipt, "check_in_revoked"))
    assert isinstance(await taken_back(review, records, receipt, key="again"), Moved)


async def test_an_absent_person_who_registered_anew_stays_absent(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    stage = await screening(programmes, 3)
    [absent] = await submitted(registrations, stage, 1)
    clock.move(TO_THE_DAY)
    await decided(review, clock, absent, Step.APPROVE, Step.NO_SHOW)
    anew = application(1, stage.programme, slot_id=stage.slots[0].id, key="anew")
    assert isinstance(await registrations.submit(anew), Submitted)
    with pytest.raises(AlreadyRegistered):
        await taken_back(review, records, absent)

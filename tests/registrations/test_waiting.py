"""Cancelling, moving up in order, offers that are accepted, declined or run out."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot.programmes.service import ProgrammeService
from bot.registrations.notices import NoticeBook
from bot.registrations.outcomes import (
    Accepted,
    Cancelled,
    Declined,
    NotFound,
    NotPossible,
    OfferGone,
    Promoted,
    TooLate,
)
from bot.registrations.review import ReviewService
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import application, by_staff, receipt_of, stage_screening, statuses, submitted

OFFER = timedelta(hours=12)


async def test_whoever_waits_longest_is_offered_the_place_that_became_free(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock, database: Database
) -> None:
    stage = await stage_screening(programmes, 1)
    first, second, _third = await submitted(registrations, stage, 1, 2, 3)

    outcome = await registrations.cancel(first, "openid-1", "c")

    assert outcome == Cancelled(first, (Promoted(second, clock.now() + OFFER),))
    assert await statuses(registrations, 1, 2, 3) == ["cancelled", "waitlisted 1", "waitlisted 2"]
    # The place is reserved: nobody new gets it meanwhile.
    await submitted(registrations, stage, 4)
    assert await statuses(registrations, 4) == ["waitlisted 3"]
    assert await registrations.accept_offer(second, "openid-2", "a") == Accepted(second)
    assert await statuses(registrations, 2, 3) == ["approved", "waitlisted 1"]
    notices = await NoticeBook(database, clock).lease_due()
    assert [(notice.kind, notice.openid) for notice in notices] == [("offered", "openid-2")]


async def test_a_declined_offer_goes_to_the_next(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1)
    first, second, third = await submitted(registrations, stage, 1, 2, 3)
    await registrations.cancel(first, "openid-1", "c")

    outcome = await registrations.decline_offer(second, "openid-2", "d")

    assert outcome == Declined(second, (Promoted(third, clock.now() + OFFER),))
    assert await statuses(registrations, 2, 3) == ["cancelled", "waitlisted 1"]


async def test_an_offer_that_runs_out_goes_to_the_next_and_is_not_repeated(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock, database: Database
) -> None:
    stage = await stage_screening(programmes, 1)
    first, second, third = await submitted(registrations, stage, 1, 2, 3)
    await registrations.cancel(first, "openid-1", "c")
    clock.move(OFFER)

    late = await registrations.accept_offer(second, "openid-2", "late")

    assert late == OfferGone(Status.WAITLISTED, 2)
    assert await registrations.accept_offer(third, "openid-3", "a") == Accepted(third)
    await registrations.cancel(third, "openid-3", "c3")
    assert (await registrations.release_expired()).promoted == ()
    kinds = [(notice.kind, notice.receipt) for notice in await NoticeBook(database, clock).lease_due()]
    assert kinds == [("offered", second), ("offer_lapsed", second), ("offered", third)]


async def test_staff_put_somebody_forward_again(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1)
    first, second = await submitted(registrations, stage, 1, 2)
    await registrations.cancel(first, "openid-1", "c")
    clock.move(OFFER)
    assert (await registrations.release_expired()).offers == 1

    moved = await review.requeue(by_staff(second, "requeued"))

    assert [promoted.receipt for promoted in moved.promoted] == [second]


async def test_more_capacity_moves_the_list_up(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    _first, *waiting = await submitted(registrations, stage, 1, 2, 3, 4)
    await programmes.edit_row(replace(stage.slots[0], capacity=3), editor="test", note="加号")

    released = await registrations.release_expired()

    assert [promoted.receipt for promoted in released.promoted] == waiting[:2]


async def test_less_capacity_takes_nobodys_place(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 2)
    first, _second, _third = await submitted(registrations, stage, 1, 2, 3)
    await programmes.edit_row(replace(stage.slots[0], capacity=1), editor="test", note="减号")

    assert await registrations.cancel(first, "openid-1", "c") == Cancelled(first, ())
    assert await statuses(registrations, 2, 3) == ["approved", "waitlisted 1"]


async def test_a_closed_or_started_slot_is_offered_to_nobody(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    first, _ = await submitted(registrations, stage, 1, 2, slot=0)
    third, _ = await submitted(registrations, stage, 3, 4, slot=1)
    await programmes.edit_row(replace(stage.slots[0], closed=True), editor="test", note="停诊")
    assert (await review.cancel(by_staff(first, "site_closed"))).promoted == ()
    clock.move(timedelta(days=5))
    assert (await review.cancel(by_staff(third, "by_applicant_request"))).promoted == ()


async def test_an_offer_never_outlives_the_beginning_of_its_slot(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1)
    first, _second = await submitted(registrations, stage, 1, 2)
    clock.move(timedelta(days=4, hours=20))
    (promoted,) = (await review.cancel(by_staff(first, "by_applicant_request"))).promoted
    assert promoted.offer_expires_at == clock.now() + timedelta(hours=2)


async def test_cancelling_by_oneself_ends_at_the_deadline(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1)
    receipt, waiting = await submitted(registrations, stage, 1, 2)
    deadline = clock.now() + timedelta(days=3, hours=22)
    clock.set(deadline + timedelta(seconds=1))

    assert await registrations.cancel(receipt, "openid-1", "late") == TooLate(deadline)
    # Who only waits may leave at any time, and staff may always cancel.
    assert await registrations.cancel(waiting, "openid-2", "w") == Cancelled(waiting, ())
    assert (await review.cancel(by_staff(receipt, "by_applicant_request"))).status is Status.CANCELLED


async def test_only_the_owner_cancels_accepts_and_declines(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    first, second = await submitted(registrations, stage, 1, 2)
    assert await registrations.cancel(first, "openid-2", "a") == NotFound()
    assert await registrations.cancel("QG26-0101-0001", "openid-1", "b") == NotFound()
    await registrations.cancel(first, "openid-1", "c")
    assert await registrations.cancel(first, "openid-1", "d") == NotPossible(Status.CANCELLED)
    assert await registrations.accept_offer(second, "openid-1", "e") == NotFound()
    assert await registrations.decline_offer(second, "openid-1", "f") == NotFound()
    assert await registrations.decline_offer(first, "openid-1", "g") == OfferGone(Status.CANCELLED, None)


async def test_many_cancelling_at_once_move_up_as_many_in_order(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 6)
    placed = await submitted(registrations, stage, *range(6))
    waiting = await submitted(registrations, stage, *range(6, 14))

    outcomes = await asyncio.gather(
        *(registrations.cancel(receipt, f"openid-{serial}", f"c{serial}") for serial, receipt in enumerate(placed)),
        registrations.cancel(waiting[1], "openid-7", "c7"),
    )

    offered = {p.receipt for outcome in outcomes if isinstance(outcome, Cancelled) for p in outcome.promoted}
    views = [(await registrations.find_for(f"openid-{serial}"))[0] for serial in range(6, 14)]
    live = [view.receipt for view in views if view.offer_expires_at is not None]
    assert live == [receipt for receipt in waiting if receipt != waiting[1]][:6]
    assert set(live) <= offered


async def test_a_person_who_needs_a_look_is_passed_over_until_somebody_looked(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_screening(programmes, 1)
    slot_id = stage.slots[0].id
    (first,) = await submitted(registrations, stage, 1)
    unclear = receipt_of(await registrations.submit(application(2, stage.programme, slot_id=slot_id, sex=None)))
    (third,) = await submitted(registrations, stage, 3)

    outcome = await registrations.cancel(first, "openid-1", "c")
    assert isinstance(outcome, Cancelled)
    assert [promoted.receipt for promoted in outcome.promoted] == [third]
    await review.requeue(by_staff(unclear, "requeued"))
    outcome = await registrations.cancel(third, "openid-3", "c3")
    assert isinstance(outcome, Cancelled)
    assert [promoted.receipt for promoted in outcome.promoted] == [unclear]

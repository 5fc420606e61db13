"""Editing by the owner: values, another slot, files, and sending a returned registration back."""

import asyncio
from datetime import date, timedelta

from bot.programmes.service import ProgrammeService
from bot.registrations.outcomes import (
    Attached,
    Cancelled,
    Changed,
    Changes,
    Duplicate,
    Full,
    Gone,
    NotFound,
    NotPossible,
    Resubmitted,
    TooLate,
    TooMany,
    UnknownMaterial,
)
from bot.registrations.records import RegistrationRecords
from bot.registrations.review import ReviewService
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.values.clock import MovedClock
from bot.values.identity import Sex
from tests.registrations.factories import (
    MONDAY,
    application,
    by_staff,
    number,
    receipt_of,
    stage_screening,
    stage_work_study,
    statuses,
    submitted,
)


async def test_plain_values_are_changed_and_the_rest_stays(
    programmes: ProgrammeService, registrations: RegistrationService, records: RegistrationRecords
) -> None:
    stage = await stage_screening(programmes, 1)
    (receipt,) = await submitted(registrations, stage, 1)

    changes = Changes(phone="13911112222", answers={"needs": ["company"]})
    outcome = await registrations.change(receipt, "openid-1", changes, "a")

    assert outcome == Changed(receipt, Status.APPROVED, None, review_again=False, promoted=())
    particulars = await registrations.own_particulars(receipt, "openid-1")
    assert particulars is not None
    assert (particulars.name, particulars.phone) == ("杨欧·阿妹", "13911112222")
    assert particulars.answers == {"employer": "环卫所", "needs": ["company"]}
    last = (await records.history(receipt))[-1]
    assert (last.reason, last.note) == ("edited", "phone,needs")


async def test_a_name_or_number_changed_after_approval_is_reviewed_again(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
) -> None:
    stage = await stage_screening(programmes, 2)
    receipt, _other = await submitted(registrations, stage, 1, 2)

    taken = Changes(id_number=number(2), birth_date=date(1980, 5, 20), sex=Sex.FEMALE)
    assert await registrations.change(receipt, "openid-1", taken, "a") == Duplicate(
        None, Status.APPROVED, editable=False
    )
    outcome = await registrations.change(receipt, "openid-1", Changes(name="杨阿妹"), "b")
    assert isinstance(outcome, Changed)
    assert (outcome.status, outcome.review_again) == (Status.APPROVED, True)
    await review.confirm_changes(by_staff(receipt, "reviewed_again"))
    assert not (await records.get(receipt)).needs_review


async def test_a_corrected_number_is_checked_anew(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    slot_id = stage.slots[0].id
    receipt = receipt_of(await registrations.submit(application(1, stage.programme, slot_id=slot_id, sex=Sex.MALE)))
    (before,) = await registrations.find_for("openid-1")
    assert (before.findings, before.qualified) == (("sex.differs",), False)

    corrected = Changes(id_number=number(9), birth_date=date(1980, 5, 20), sex=Sex.FEMALE)
    await registrations.change(receipt, "openid-1", corrected, "a")

    (after,) = await registrations.find_for("openid-1")
    assert (after.findings, after.qualified, after.status) == ((), True, Status.PENDING)


async def test_the_new_slot_is_taken_before_the_old_one_is_given_up(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1, 1, 1)
    (receipt,) = await submitted(registrations, stage, 1, slot=0)
    (waiting,) = await submitted(registrations, stage, 2, slot=0)
    await submitted(registrations, stage, 3, slot=1)

    full = await registrations.change(receipt, "openid-1", Changes(slot_id=stage.slots[1].id), "a")
    assert isinstance(full, Full)
    assert [slot.slot_id for slot in full.alternatives] == [stage.slots[2].id]
    assert (await registrations.find_for("openid-1"))[0].slot == stage.slots[0]

    moved = await registrations.change(receipt, "openid-1", Changes(slot_id=stage.slots[2].id), "b")
    assert isinstance(moved, Changed)
    assert [promoted.receipt for promoted in moved.promoted] == [waiting]
    assert (await registrations.find_for("openid-1"))[0].slot == stage.slots[2]
    gone = await registrations.change(receipt, "openid-1", Changes(slot_id=999), "c")
    assert isinstance(gone, Gone)


async def test_a_held_slot_is_the_holders_to_move_to(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    (receipt,) = await submitted(registrations, stage, 1, slot=0)
    await registrations.hold_place(stage.programme.id, stage.slots[1].id, "openid-1", "h")

    moved = await registrations.change(receipt, "openid-1", Changes(slot_id=stage.slots[1].id), "a")

    assert isinstance(moved, Changed)
    assert [slot.free for slot in await registrations.slots(stage.programme.id)] == [1, 0]


async def test_who_waits_takes_a_free_place_elsewhere(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 0, 1)
    (receipt,) = await submitted(registrations, stage, 1, slot=0)
    unclear = receipt_of(
        await registrations.submit(application(2, stage.programme, slot_id=stage.slots[0].id, sex=None))
    )

    # A person has to look at the second one first; until then it waits, wherever it goes.
    later = await registrations.change(unclear, "openid-2", Changes(slot_id=stage.slots[1].id), "a")
    assert isinstance(later, Changed)
    assert (later.status, later.waitlist_position) == (Status.WAITLISTED, 1)
    moved = await registrations.change(receipt, "openid-1", Changes(slot_id=stage.slots[1].id), "b")
    assert isinstance(moved, Changed)
    assert moved.status is Status.APPROVED


async def test_an_offer_is_passed_on_by_who_finds_a_place_elsewhere(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    first, second, third = await submitted(registrations, stage, 1, 2, 3, slot=0)
    await registrations.cancel(first, "openid-1", "c")

    moved = await registrations.change(second, "openid-2", Changes(slot_id=stage.slots[1].id), "a")

    assert isinstance(moved, Changed)
    assert [promoted.receipt for promoted in moved.promoted] == [third]
    (view,) = await registrations.find_for("openid-2")
    assert (view.status, view.offer_expires_at) == (Status.APPROVED, None)


async def test_two_who_swap_slots_at_once_never_hang_or_overbook(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 2, 2)
    first, second = stage.slots
    receipts = [*await submitted(registrations, stage, 1, slot=0), *await submitted(registrations, stage, 2, slot=1)]

    for turn in range(4):
        wanted = (second, first) if turn % 2 == 0 else (first, second)
        outcomes = await asyncio.gather(
            registrations.change(receipts[0], "openid-1", Changes(slot_id=wanted[0].id), f"a{turn}"),
            registrations.change(receipts[1], "openid-2", Changes(slot_id=wanted[1].id), f"b{turn}"),
        )
        assert [type(outcome) for outcome in outcomes] == [Changed, Changed]
    assert [slot.free for slot in await registrations.slots(stage.programme.id)] == [1, 1]


async def test_changing_the_slot_ends_at_the_deadline_but_not_other_values(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    (receipt,) = await submitted(registrations, stage, 1)
    deadline = MONDAY + timedelta(days=3, hours=22)
    clock.set(deadline + timedelta(minutes=1))

    late = await registrations.change(receipt, "openid-1", Changes(slot_id=stage.slots[1].id), "a")
    assert late == TooLate(deadline)
    assert isinstance(await registrations.change(receipt, "openid-1", Changes(phone="13911112222"), "b"), Changed)


async def test_what_is_over_or_somebody_elses_stays_as_it_is(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    (receipt,) = await submitted(registrations, stage, 1)
    phone = Changes(phone="13911112222")
    assert await registrations.change(receipt, "openid-2", phone, "a") == NotFound()
    assert isinstance(await registrations.cancel(receipt, "openid-1", "c"), Cancelled)
    assert await registrations.change(receipt, "openid-1", phone, "b") == NotPossible(Status.CANCELLED)
    assert await registrations.resubmit(receipt, "openid-1", "r") == NotPossible(Status.CANCELLED)


async def test_a_returned_registration_is_completed_and_sent_back(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, clock: MovedClock
) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 2})
    one = application(1, stage.programme, answers={"hardship": "illness"}, consents={"sensitive": 1})
    receipt = receipt_of(await registrations.submit(one))
    until = clock.now() + timedelta(days=3)
    decision = by_staff(receipt, "materials_missing")
    await review.return_(decision, items=["student_card", "hardship_proof"], until=until)
    (view,) = await registrations.find_for("openid-1")
    assert (view.returned_items, view.returned_until) == (("student_card", "hardship_proof"), until)
    assert view.last_reason == "materials_missing"

    async def attach(code: str, file_id: str) -> object:
        return await registrations.attach_material(receipt, "openid-1", code, file_id, f"key-{file_id}")

    assert await attach("student_card", "f1") == Attached(receipt, "student_card", ("hardship_proof",))
    assert await attach("hardship_proof", "f2") == Attached(receipt, "hardship_proof", ())
    assert isinstance(await attach("diary", "f3"), UnknownMaterial)
    assert await attach("student_card", "f4") == Attached(receipt, "student_card", ())
    assert await attach("student_card", "f5") == TooMany(3)
    assert await registrations.resubmit(receipt, "openid-1", "r") == Resubmitted(receipt, ())
    (view,) = await registrations.find_for("openid-1")
    assert (view.status, view.returned_items, view.returned_until) == (Status.PENDING, (), None)
    assert await statuses(registrations, 1) == ["pending"]


async def test_people_decide_on_posts_once_somebody_is_placed(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 2, "松桃苗族自治县": 2})
    first, second = stage.posts
    receipt = receipt_of(await registrations.submit(application(1, stage.programme, post_id=first.id)))

    changed = await registrations.change(
        receipt, "openid-1", Changes(post_id=second.id, county="松桃苗族自治县"), "a"
    )
    assert isinstance(changed, Changed)
    assert await registrations.change(receipt, "openid-1", Changes(post_id=999), "b") == Gone(())
    await review.approve(by_staff(receipt, "qualified"))
    (view,) = await registrations.find_for("openid-1")
    assert (view.status, view.post) == (Status.APPROVED, second)
    assert await registrations.change(receipt, "openid-1", Changes(post_id=first.id), "c") == NotPossible(
        Status.APPROVED
    )

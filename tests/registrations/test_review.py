"""What staff do: approving takes the place, every move has a reason, a history line and an audit row."""

import asyncio
from datetime import date, timedelta

import pytest

from bot.programmes.models import ReviewMode
from bot.programmes.service import ProgrammeService
from bot.registrations.errors import (
    AlreadyRegistered,
    IllegalTransition,
    NotDueYet,
    ReasonMissing,
    UnknownReason,
    UnknownRegistration,
)
from bot.registrations.notices import NoticeBook
from bot.registrations.outcomes import Moved, NoPlace
from bot.registrations.reasons import ReasonTable
from bot.registrations.records import RegistrationRecords
from bot.registrations.review import Decision, ReviewService
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Actor, ActorKind, Status
from bot.staff.audit import AuditTrail, ChainIntact
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import (
    Stage,
    application,
    by_staff,
    receipt_of,
    stage_screening,
    stage_work_study,
    statuses,
    submitted,
)


async def _apply(service: RegistrationService, stage: Stage, *serials: int, **changes: object) -> list[str]:
    return [receipt_of(await service.submit(application(serial, stage.programme, **changes))) for serial in serials]


async def test_approving_takes_a_place_of_each_quota(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 2, "松桃苗族自治县": 9}, quota_total=4)
    here, there = stage.posts
    wish = {"county": "碧江区", "post_id": here.id}
    a, b, c, d = await _apply(registrations, stage, 1, 2, 3, 4, **wish)
    others = await _apply(registrations, stage, 5, 6, county="松桃苗族自治县", post_id=there.id)

    async def approve(receipt: str, key: str = "", post_id: int | None = None) -> object:
        return await review.approve(by_staff(receipt, "qualified", key=key), post_id=post_id)

    assert await approve(a) == Moved(a, Status.APPROVED)
    assert await approve(b) == Moved(b, Status.APPROVED)
    assert await approve(c) == NoPlace("post")
    assert await approve(c, "elsewhere", there.id) == Moved(c, Status.APPROVED)
    assert await approve(d, "elsewhere-2", there.id) == NoPlace("county")
    assert await approve(others[0]) == Moved(others[0], Status.APPROVED)
    assert await approve(others[1]) == NoPlace("total")
    free = {post.post_id: post.free for post in await registrations.posts(stage.programme.id)}
    assert free == {here.id: 0, there.id: 7}


async def test_two_reviewers_do_not_give_the_last_place_twice(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_work_study(programmes, {}, quota_total=1)
    receipts = await _apply(registrations, stage, *range(5))
    outcomes = await asyncio.gather(*(review.approve(by_staff(receipt, "qualified")) for receipt in receipts))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Moved"] + ["NoPlace"] * 4


async def test_a_place_that_becomes_free_is_offered_to_the_first_whose_quota_fits(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 1}, quota_total=2, quota_by_county={"碧江区": 1})
    (post,) = stage.posts
    here = await _apply(registrations, stage, 1, county="碧江区", post_id=post.id)
    there = await _apply(registrations, stage, 2, county="德江县")
    waiting_here = await _apply(registrations, stage, 3, county="碧江区")
    waiting_there = await _apply(registrations, stage, 4, county="德江县", post_id=post.id)
    for receipt in (*here, *there):
        await review.approve(by_staff(receipt, "qualified"))
    for receipt in (*waiting_here, *waiting_there):
        await review.waitlist(by_staff(receipt, "qualified_but_full"))
    assert await statuses(registrations, 3, 4) == ["waitlisted 1", "waitlisted 2"]

    moved = await review.reject(by_staff((await _apply(registrations, stage, 9))[0], "age_rule"))
    assert moved.promoted == ()
    moved = await review.cancel(by_staff(there[0], "by_applicant_request"))

    # The place in 碧江区 is still taken, so the second who waits comes first, without the post that is full.
    assert [promoted.receipt for promoted in moved.promoted] == waiting_there
    assert (await registrations.find_for("openid-4"))[0].post is None
    await registrations.accept_offer(waiting_there[0], "openid-4", "a")
    assert await statuses(registrations, 3, 4) == ["waitlisted 1", "approved"]


async def test_rejecting_frees_the_place_and_can_be_taken_up_again(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_screening(programmes, 1, review_mode=ReviewMode.BY_STAFF)
    receipt, second = await submitted(registrations, stage, 1, 2)
    await review.requeue(by_staff(second, "requeued"))

    moved = await review.reject(by_staff(receipt, "audience_rule"))

    assert [promoted.receipt for promoted in moved.promoted] == [second]
    await review.reopen(by_staff(receipt, "after_appeal"))
    assert await review.approve(by_staff(receipt, "qualified", key="k1")) == NoPlace("slot")
    await registrations.decline_offer(second, "openid-2", "d")
    assert await review.approve(by_staff(receipt, "qualified", key="k2")) == Moved(receipt, Status.APPROVED)


async def test_an_offered_place_can_also_be_confirmed_by_staff(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_screening(programmes, 1)
    first, second, third = await submitted(registrations, stage, 1, 2, 3)
    await registrations.cancel(first, "openid-1", "c")
    assert await review.approve(by_staff(third, "place_free")) == NoPlace("slot")
    assert await review.approve(by_staff(second, "place_free")) == Moved(second, Status.APPROVED)


async def test_putting_somebody_back_on_the_list_frees_the_place(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_screening(programmes, 1, review_mode=ReviewMode.BY_STAFF)
    receipt, second = await submitted(registrations, stage, 1, 2)
    await review.requeue(by_staff(second, "requeued"))
    moved = await review.waitlist(by_staff(receipt, "qualified_but_full"))
    assert [promoted.receipt for promoted in moved.promoted] == [second]
    assert await statuses(registrations, 1, 2) == ["waitlisted 2", "waitlisted 1"]


async def test_attendance(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    clock: MovedClock,
) -> None:
    stage = await stage_screening(programmes, 3)
    came, missed, again = await submitted(registrations, stage, 1, 2, 3)
    clock.move(timedelta(days=5))
    site = ActorKind.SITE
    await review.check_in(by_staff(came, "checked_in", kind=site))
    assert (await records.get(came)).checked_in_at == clock.now()
    assert await review.complete(by_staff(came, "served", kind=site)) == Moved(came, Status.COMPLETED)
    await review.no_show(by_staff(missed, "did_not_come", kind=site))
    await review.no_show(by_staff(again, "did_not_come", kind=site))
    with pytest.raises(IllegalTransition):
        await review.check_in(by_staff(missed, "checked_in", key="late"))

    assert await review.complete(by_staff(missed, "served_recorded_later")) == Moved(missed, Status.COMPLETED)
    anew = application(3, stage.programme, key="anew", slot_id=stage.slots[0].id)
    clock.move(timedelta(days=-5))
    await registrations.submit(anew)
    clock.move(timedelta(days=5))
    with pytest.raises(AlreadyRegistered):
        await review.complete(by_staff(again, "served_recorded_later"))

    next_year = await stage_screening(
        programmes, 1, id="next", service_start=date(2027, 1, 1), service_end=date(2027, 2, 1)
    )
    person = application(1, next_year.programme)
    (finding,) = await registrations.precheck("next", person)
    assert finding.fields["last_served"] == "2026-06-20"


async def test_another_post_is_given_when_it_has_a_place(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService
) -> None:
    stage = await stage_work_study(programmes, {"碧江区": 1, "松桃苗族自治县": 1}, quota_total=2)
    first, second = stage.posts
    a, b = await _apply(registrations, stage, 1, 2)
    await review.approve(by_staff(a, "qualified"), post_id=first.id)
    assert await review.assign_post(by_staff(a, "post_assigned", key="same"), first.id) == Moved(a, Status.APPROVED)
    await review.approve(by_staff(b, "qualified"), post_id=second.id)
    assert await review.assign_post(by_staff(b, "post_assigned", key="full"), first.id) == NoPlace("post")
    await review.cancel(by_staff(a, "by_applicant_request"))
    assert await review.assign_post(by_staff(b, "post_assigned", key="free"), first.id) == Moved(b, Status.APPROVED)


async def test_nobody_is_absent_or_served_before_the_day(
    programmes: ProgrammeService, registrations: RegistrationService, review: ReviewService, clock: MovedClock
) -> None:
    (receipt,) = await submitted(registrations, await stage_screening(programmes, 1), 1)
    with pytest.raises(NotDueYet, match="2026-06-20"):
        await review.no_show(by_staff(receipt, "did_not_come"))
    with pytest.raises(NotDueYet):
        await review.complete(by_staff(receipt, "served"))
    clock.move(timedelta(days=5))
    assert await review.no_show(by_staff(receipt, "did_not_come")) == Moved(receipt, Status.NO_SHOW)


async def test_a_move_without_a_fitting_reason_or_right_changes_nothing(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
) -> None:
    stage = await stage_screening(programmes, 1)
    (receipt,) = await submitted(registrations, stage, 1)
    before = await records.history(receipt)
    with pytest.raises(ReasonMissing):
        await review.no_show(by_staff(receipt, ""))
    with pytest.raises(UnknownReason):
        await review.no_show(by_staff(receipt, "age_rule"))
    with pytest.raises(UnknownReason):
        await review.no_show(by_staff(receipt, "because"))
    with pytest.raises(IllegalTransition):
        await review.reject(by_staff(receipt, "age_rule"))
    with pytest.raises(IllegalTransition):
        await review.cancel(by_staff(receipt, "site_closed", kind=ActorKind.SITE))
    with pytest.raises(IllegalTransition):
        await review.check_in(by_staff(receipt, "checked_in", kind=ActorKind.FOLLOWER))
    with pytest.raises(UnknownRegistration):
        await review.no_show(by_staff("JK26-0101-0009", "did_not_come"))
    assert await records.history(receipt) == before


async def test_every_move_leaves_a_line_an_audit_row_and_a_notice(
    database: Database,
    programmes: ProgrammeService,
    registrations: RegistrationService,
    review: ReviewService,
    records: RegistrationRecords,
    audit: AuditTrail,
    clock: MovedClock,
) -> None:
    stage = await stage_work_study(programmes, {})
    (receipt,) = await _apply(registrations, stage, 1)
    decision = Decision(
        receipt=receipt,
        by=Actor(ActorKind.REVIEWER, "liu"),
        key="k",
        reason="materials_unclear",
        note="电话核实过",
        source="10.0.0.1",
    )
    await review.return_(decision, items=["student_card"], until=clock.now() + timedelta(days=2))

    lines = [(line.actor_kind.value, line.source.value, line.target.value) for line in await records.history(receipt)]
    assert lines == [("system", "draft", "pending"), ("reviewer", "pending", "returned")]
    assert (await records.history(receipt))[-1].note == "电话核实过"
    (event,) = await audit.events(object_kind="registration")
    assert (event.record.actor, event.record.action) == ("liu", "registration:pending>returned")
    assert (event.record.object_id, event.record.source) == (receipt, "10.0.0.1")
    assert await audit.verify() == ChainIntact(1)
    (notice,) = await NoticeBook(database, clock).lease_due()
    assert (notice.kind, notice.receipt, notice.programme_title) == ("returned", receipt, stage.programme.title)
    assert notice.fields == {
        "reason": "materials_unclear",
        "items": ["student_card"],
        "until": (clock.now() + timedelta(days=2)).isoformat(),
    }


def test_every_reason_has_a_text_people_can_read() -> None:
    reasons = ReasonTable.from_file()
    for target in Status:
        for reason in reasons.choices_for(target):
            assert reasons.text(reason.code) == reason.text
            assert any("\u4e00" <= char <= "\u9fff" for char in reason.text)
    with pytest.raises(UnknownReason):
        reasons.text("no such reason")

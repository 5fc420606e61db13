"""One decision about many: each as if by hand, refusals with their reasons, going on after a crash, taking back."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.programmes.models import ReviewMode
from bot.programmes.service import ProgrammeService
from bot.registrations.bulk import BULK_MAX, BulkReview, Order
from bot.registrations.bulk_work import KIND, BulkTask, BulkWork
from bot.registrations.correcting import last_mistake
from bot.registrations.desk_models import BulkRow
from bot.registrations.errors import NotUndoable, ReasonMissing, TooManyAtOnce, UnknownBulkRun
from bot.registrations.notices import NoticeBook
from bot.registrations.records import RegistrationRecords
from bot.registrations.review import ReviewService
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.registrations.steps import Step, Terms, take
from bot.staff.audit import AuditTrail
from bot.staff.tasks.models import TaskState
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import (
    MONDAY,
    TO_THE_DAY,
    application,
    by_staff,
    receipt_of,
    stage_screening,
    stage_work_study,
    statuses,
    submitted,
)
from tests.registrations.running import Worker

SONGTAO, DEJIANG = "520628", "520626"


@pytest.fixture
def bulk(database: Database, clock: MovedClock, audit: AuditTrail) -> BulkReview:
    return BulkReview(database, clock, audit)


@pytest.fixture
def work(database: Database, clock: MovedClock, review: ReviewService) -> BulkWork:
    return BulkWork(database, clock, review)


@pytest.fixture
def worker(
    database: Database, cipher: FieldCipher, clock: MovedClock, audit: AuditTrail, files: PrivateFiles
) -> Worker:
    return Worker(database, cipher, clock, audit, files)


async def applied(registrations: RegistrationService, programmes: ProgrammeService, count: int) -> list[str]:
    """Work-study applications in two counties by turns, all pending."""
    stage = await stage_work_study(programmes, {SONGTAO: 5}, quota_total=3, quota_by_county={})
    return [
        receipt_of(
            await registrations.submit(
                application(serial, stage.programme, county=(SONGTAO, DEJIANG)[serial % 2], key=f"key-{serial}")
            )
        )
        for serial in range(1, count + 1)
    ]


def order(step: Step, receipts: list[str], reason: str, key: str = "key-1", **more: object) -> Order:
    return Order(step=step, receipts=receipts, by="liu", reason=reason, key=key, **more)  # type: ignore[arg-type]


async def test_many_are_approved_until_the_places_are_gone_and_everybody_is_told(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    database: Database,
    clock: MovedClock,
    bulk: BulkReview,
    work: BulkWork,
    worker: Worker,
    audit: AuditTrail,
) -> None:
    receipts = await applied(registrations, programmes, 5)
    run = await bulk.plan(order(Step.APPROVE, [*receipts, receipts[0], "QG26-0101-9999"], "qualified", note="材料齐"))
    assert (run.total, run.done, run.refused) == (6, 0, 0)
    task = await worker.run(KIND, BulkTask(work), {"run": run.id})
    assert (task.state, task.summary) == (TaskState.DONE, {"run": run.id, "done": 3, "refused": 3})
    rows = await bulk.rows(run.id)
    assert [(row.receipt, row.outcome) for row in rows] == [
        *((receipt, "done") for receipt in receipts[:3]),
        *((receipt, "no_place") for receipt in receipts[3:]),
        ("QG26-0101-9999", "registration.unknown"),
    ]
    assert rows[3].fields == {"what": "total"}
    assert [row.receipt for row in await bulk.rows(run.id, refused_only=True, after=4)] == [
        receipts[4],
        "QG26-0101-9999",
    ]
    assert await statuses(registrations, 1, 2, 3, 4) == ["approved", "approved", "approved", "pending"]
    told = await NoticeBook(database, clock).lease_due()
    assert sorted((notice.receipt, notice.kind) for notice in told) == [(one, "approved") for one in receipts[:3]]
    events = await audit.events(action="registration:pending>approved")
    assert {(event.record.actor, event.record.reason) for event in events} == {("liu", "qualified")}
    [started] = await audit.events(action="registrations:bulk:start")
    assert started.record.reason == "approve:qualified:6"


async def test_sending_back_names_all_items_and_the_deadline_to_everybody(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    records: RegistrationRecords,
    database: Database,
    clock: MovedClock,
    bulk: BulkReview,
    work: BulkWork,
    worker: Worker,
) -> None:
    receipts = await applied(registrations, programmes, 2)
    until = clock.now() + timedelta(days=7)
    items = ["student_card", "school"]
    run = await bulk.plan(order(Step.RETURN, receipts, "materials_missing", items=items, until=until))
    await worker.run(KIND, BulkTask(work), {"run": run.id})
    for receipt in receipts:
        view = await records.get(receipt)
        assert (view.status, view.returned_labels, view.returned_until) == (
            Status.RETURNED,
            ("学生证", "学校、年级和专业"),
            until,
        )
    assert {notice.kind for notice in await NoticeBook(database, clock).lease_due()} == {"returned"}


async def test_a_reviewer_of_a_county_moves_only_what_is_theirs(
    programmes: ProgrammeService, registrations: RegistrationService, bulk: BulkReview, work: BulkWork, worker: Worker
) -> None:
    receipts = await applied(registrations, programmes, 4)
    run = await bulk.plan(order(Step.REJECT, receipts, "audience_rule", county=SONGTAO))
    await worker.run(KIND, BulkTask(work), {"run": run.id})
    assert [row.outcome for row in await bulk.rows(run.id)] == ["out_of_reach", "done", "out_of_reach", "done"]
    assert await statuses(registrations, 1, 2, 3, 4) == ["pending", "rejected", "pending", "rejected"]


async def test_rejections_are_taken_back_once(
    programmes: ProgrammeService, registrations: RegistrationService, bulk: BulkReview, work: BulkWork, worker: Worker
) -> None:
    receipts = await applied(registrations, programmes, 3)
    run = await bulk.plan(order(Step.REJECT, receipts[:2], "audience_rule"))

    async def undo(key: str) -> int:
        undone = await bulk.undo(run.id, by="liu", key=key, county=None, source="")
        return undone.id

    with pytest.raises(NotUndoable):
        await undo("too early")
    await worker.run(KIND, BulkTask(work), {"run": run.id})
    assert (await bulk.get(run.id)).can_undo
    back = await undo("undo-1")
    await worker.run(KIND, BulkTask(work), {"run": back})
    assert await statuses(registrations, 1, 2, 3) == ["pending"] * 3
    assert (await bulk.get(back)).undo_of == run.id
    assert (await bulk.get(run.id)).undone_by == back
    with pytest.raises(NotUndoable):
        await undo("undo-2")
    cancelled = await bulk.plan(order(Step.CANCEL, receipts, "programme_stopped", key="key-2"))
    await worker.run(KIND, BulkTask(work), {"run": cancelled.id})
    assert not (await bulk.get(cancelled.id)).can_undo


@pytest.mark.parametrize(
    ("before", "step", "reason"),
    [
        ((), Step.APPROVE, "qualified"),
        ((), Step.RETURN, "materials_missing"),
        ((), Step.WAITLIST, "qualified_but_full"),
        ((), Step.REJECT, "audience_rule"),
        ((Step.REJECT,), Step.REOPEN, "after_appeal"),
        ((Step.APPROVE,), Step.CHECK_IN, "checked_in"),
        ((Step.APPROVE,), Step.COMPLETE, "served"),
        ((Step.APPROVE,), Step.NO_SHOW, "did_not_come"),
    ],
)
async def test_a_run_is_taken_back_and_nothing_that_happened_since(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    records: RegistrationRecords,
    review: ReviewService,
    clock: MovedClock,
    bulk: BulkReview,
    work: BulkWork,
    worker: Worker,
    before: tuple[Step, ...],
    step: Step,
    reason: str,
) -> None:
    stage = await stage_screening(programmes, 9, review_mode=ReviewMode.BY_STAFF)
    receipts = await submitted(registrations, stage, 1, 2, 3)
    clock.move(TO_THE_DAY)
    reasons = {Step.REJECT: "age_rule", Step.APPROVE: "exception_approved"}
    for number, earlier in enumerate(before):
        made = await bulk.plan(order(earlier, receipts, reasons[earlier], key=f"before-{number}"))
        await worker.run(KIND, BulkTask(work), {"run": made.id})
    stood = [(view.status, view.checked_in_at) for view in [await records.get(receipt) for receipt in receipts]]
    items, until = (["phone"], clock.now() + timedelta(days=7)) if step is Step.RETURN else ([], None)
    run = await bulk.plan(order(step, receipts, reason, items=items, until=until))
    await worker.run(KIND, BulkTask(work), {"run": run.id})
    assert [row.outcome for row in await bulk.rows(run.id)] == ["done"] * 3
    clock.move(timedelta(minutes=5))
    if step is Step.CHECK_IN:
        await review.revoke_check_in(by_staff(receipts[2], "check_in_revoked"))
        await review.check_in(by_staff(receipts[2], "checked_in", key="in again"))
    else:
        await _decided_again(review, records, receipts[2], step, reason)
    since = await records.get(receipts[2])
    undone = await bulk.undo(run.id, by="zhao", key="undo", county=None, source="")
    await worker.run(KIND, BulkTask(work), {"run": undone.id})
    rows = await bulk.rows(undone.id)
    assert [row.outcome for row in rows] == ["done", "done", "registration.moved_since"]
    stands = [(view.status, view.checked_in_at) for view in [await records.get(receipt) for receipt in receipts]]
    assert stands == [*stood[:2], (since.status, since.checked_in_at)]


async def _decided_again(
    review: ReviewService, records: RegistrationRecords, receipt: str, step: Step, reason: str
) -> None:
    """Take back what a run decided and decide the same by hand: the very same status, and not the run's doing."""
    mistake = last_mistake(await records.history(receipt))
    assert mistake is not None
    await review.take_back(by_staff(receipt, "taken_back", key="by hand"), mistake)
    terms = Terms(items=["phone"], until=mistake.until + timedelta(days=9)) if step is Step.RETURN else Terms()
    await take(review, step, by_staff(receipt, reason, key="by hand"), terms)


async def test_who_was_in_before_a_run_stays_in_when_it_is_taken_back(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    records: RegistrationRecords,
    review: ReviewService,
    bulk: BulkReview,
    work: BulkWork,
    worker: Worker,
) -> None:
    before, now = await submitted(registrations, await stage_screening(programmes, 3), 1, 2)
    await review.check_in(by_staff(before, "checked_in"))
    run = await bulk.plan(order(Step.CHECK_IN, [before, now], "checked_in"))
    await worker.run(KIND, BulkTask(work), {"run": run.id})
    assert [row.outcome for row in await bulk.rows(run.id)] == ["already_in", "done"]
    undone = await bulk.undo(run.id, by="liu", key="undo", county=None, source="")
    await worker.run(KIND, BulkTask(work), {"run": undone.id})
    assert [(await records.get(receipt)).checked_in_at is not None for receipt in (before, now)] == [True, False]


async def test_taking_back_goes_on_where_a_worker_died(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    database: Database,
    bulk: BulkReview,
    work: BulkWork,
    worker: Worker,
) -> None:
    receipts = await applied(registrations, programmes, 2)
    run = await bulk.plan(
        order(Step.RETURN, receipts, "materials_missing", items=["phone"], until=MONDAY + timedelta(days=7))
    )
    await worker.run(KIND, BulkTask(work), {"run": run.id})
    undone = await bulk.undo(run.id, by="liu", key="undo", county=None, source="")
    await work.do(undone.id, 1)
    # Decided about, and the worker died before it could note so.
    async with database.transaction() as session:
        await session.execute(update(BulkRow).where(BulkRow.run_id == undone.id).values(outcome=None))
    await worker.run(KIND, BulkTask(work), {"run": undone.id})
    assert [row.outcome for row in await bulk.rows(undone.id)] == ["done", "done"]
    assert await statuses(registrations, 1, 2) == ["pending", "pending"]


async def test_a_button_pressed_twice_plans_one_run(
    programmes: ProgrammeService, registrations: RegistrationService, bulk: BulkReview
) -> None:
    receipts = await applied(registrations, programmes, 2)
    runs = await asyncio.gather(*(bulk.plan(order(Step.APPROVE, receipts, "qualified")) for _ in range(3)))
    assert len({run.id for run in runs}) == 1


async def test_what_a_worker_left_is_gone_on_with_and_nothing_is_done_twice(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    bulk: BulkReview,
    work: BulkWork,
    worker: Worker,
    audit: AuditTrail,
) -> None:
    receipts = await applied(registrations, programmes, 3)
    run = await bulk.plan(order(Step.APPROVE, receipts, "qualified"))

    class Dying(BulkWork):
        async def do(self, run_id: int, ordinal: int) -> None:
            # The second is decided, and the worker dies before it could note that.
            if ordinal == 2:
                await self._reviews.approve(by_staff(receipts[1], "qualified", key=f"bulk-{run_id}-2"))
                raise asyncio.CancelledError
            await super().do(run_id, ordinal)

    dying = Dying(work._database, work._clock, work._reviews)
    task = await worker.run(KIND, BulkTask(dying), {"run": run.id})
    assert (await bulk.get(run.id)).done == 1
    await BulkTask(work)(_running(task.id, run.id))
    found = await bulk.get(run.id)
    assert (found.done, found.refused) == (3, 0)
    assert len(await audit.events(action="registration:pending>approved")) == 3


class _Progress(RunningTask):
    def __init__(self, task_id: int, run_id: int) -> None:
        self.id, self.kind, self.owner, self.params = task_id, KIND, "liu", {"run": run_id}
        self.told: list[tuple[int, int]] = []

    async def progress(self, done: int, total: int) -> None:
        self.told.append((done, total))


def _running(task_id: int, run_id: int) -> _Progress:
    return _Progress(task_id, run_id)


async def test_progress_goes_on_where_it_stopped(
    programmes: ProgrammeService, registrations: RegistrationService, bulk: BulkReview, work: BulkWork
) -> None:
    receipts = await applied(registrations, programmes, 3)
    run = await bulk.plan(order(Step.APPROVE, receipts, "qualified"))
    await work.do(run.id, 1)
    task = _running(1, run.id)
    assert await BulkTask(work)(task) == TaskResult({"run": run.id, "done": 3, "refused": 0})
    assert task.told == [(1, 3), (2, 3)]


async def test_too_many_or_none_or_no_reason_is_an_error(bulk: BulkReview) -> None:
    with pytest.raises(TooManyAtOnce):
        await bulk.plan(order(Step.APPROVE, [], "qualified"))
    with pytest.raises(TooManyAtOnce):
        await bulk.plan(order(Step.APPROVE, [f"r{number}" for number in range(BULK_MAX + 1)], "qualified"))
    with pytest.raises(ReasonMissing):
        await bulk.plan(order(Step.APPROVE, ["r1"], ""))
    with pytest.raises(UnknownBulkRun):
        await bulk.get(99)


@pytest.mark.parametrize(
    ("step", "reason", "outcome"),
    [
        (Step.COMPLETE, "served", "completed"),
        (Step.NO_SHOW, "did_not_come", "no_show"),
        (Step.CANCEL, "site_closed", "cancelled"),
        (Step.CHECK_IN, "checked_in", "approved"),
        (Step.CONFIRM_CHANGES, "reviewed_again", "approved"),
    ],
)
async def test_every_step_can_be_taken_for_many(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    bulk: BulkReview,
    work: BulkWork,
    worker: Worker,
    clock: MovedClock,
    step: Step,
    reason: str,
    outcome: str,
) -> None:
    stage = await stage_screening(programmes, 3)
    receipts = await submitted(registrations, stage, 1, 2)
    clock.move(TO_THE_DAY)
    run = await bulk.plan(order(step, receipts, reason))
    await worker.run(KIND, BulkTask(work), {"run": run.id})
    assert [row.outcome for row in await bulk.rows(run.id)] == ["done", "done"]
    assert await statuses(registrations, 1, 2) == [outcome, outcome]

"""How tasks are run: one worker each, taken over from the dead, and no fault of a handler reaches the worker."""

import asyncio
from datetime import timedelta

import pytest

from bot.staff.tasks.errors import TaskLost
from bot.staff.tasks.leases import ATTEMPTS, LEASE, TOLD_AGAIN_AFTER
from bot.staff.tasks.models import StaffTask, TaskState, TaskView
from bot.staff.tasks.running import RunningTask, TaskHandler, TaskResult
from bot.staff.tasks.service import TaskBook
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.errors import BotError
from tests.staff.doing import Told, Workshop

OWNER = "wang"


async def started(book: TaskBook, key: str = "k1") -> TaskView:
    return await book.start("export", owner=OWNER, params={}, key=key)


def counting(calls: list[int]) -> TaskHandler:
    async def handler(task: RunningTask) -> TaskResult:
        calls.append(task.id)
        await asyncio.sleep(0)
        return TaskResult({"rows": 1})

    return handler


class RowsMissing(BotError):
    """A refusal of the tests."""

    code = "tests.rows_missing"


async def test_workers_that_are_told_at_once_run_it_once(book: TaskBook, workshop: Workshop) -> None:
    calls: list[int] = []
    task = await started(book)
    runners = [workshop.runner({"export": counting(calls)}) for _ in range(6)]
    ran = await asyncio.gather(*(runner.run(task.id) for runner in runners))
    assert (sum(ran), calls) == (1, [task.id])


async def test_a_refusal_is_shown_by_its_code(book: TaskBook, workshop: Workshop) -> None:
    async def refuse(_task: RunningTask) -> TaskResult:
        raise RowsMissing(rows=3)

    task = await started(book)
    await workshop.runner({"export": refuse}).run(task.id)
    view = await book.get(task.id, owner=OWNER)
    assert (view.state, view.message, view.message_fields) == (TaskState.FAILED, "tests.rows_missing", {"rows": 3})


async def test_a_fault_is_shown_without_what_it_says(book: TaskBook, workshop: Workshop) -> None:
    async def broken(_task: RunningTask) -> TaskResult:
        raise ValueError("杨小芳")

    task = await started(book)
    await workshop.runner({"export": broken}).run(task.id)
    view = await book.get(task.id, owner=OWNER)
    assert (view.state, view.message, view.message_fields) == (TaskState.FAILED, "internal", {})


async def test_a_handler_that_cancels_itself_has_failed(book: TaskBook, workshop: Workshop) -> None:
    async def confused(_task: RunningTask) -> TaskResult:
        raise asyncio.CancelledError

    task = await started(book)
    await workshop.runner({"export": confused}).run(task.id)
    assert (await book.get(task.id, owner=OWNER)).state is TaskState.FAILED


async def test_a_kind_that_nobody_knows_fails(book: TaskBook, workshop: Workshop) -> None:
    task = await started(book)
    await workshop.runner({}).run(task.id)
    view = await book.get(task.id, owner=OWNER)
    assert (view.state, view.message, view.message_fields) == (
        TaskState.FAILED,
        "tasks.unknown_kind",
        {"kind": "export"},
    )


async def test_a_task_nobody_was_told_of_is_found(
    book: TaskBook, told: Told, workshop: Workshop, clock: MovedClock
) -> None:
    told.works = False
    calls: list[int] = []
    task = await started(book)
    runner = workshop.runner({"export": counting(calls)})
    assert await runner.run_due() == 0
    clock.move(TOLD_AGAIN_AFTER)
    assert await runner.run_due() == 1
    assert calls == [task.id]
    assert await workshop.leases.due() == []


async def test_a_task_is_not_told_of_again_right_away(book: TaskBook, workshop: Workshop, clock: MovedClock) -> None:
    task = await started(book)
    clock.move(TOLD_AGAIN_AFTER)
    due = await asyncio.gather(*(workshop.leases.due() for _ in range(4)))
    assert sorted(due) == [[], [], [], [task.id]]


async def test_a_dead_workers_task_is_taken_over(book: TaskBook, workshop: Workshop, clock: MovedClock) -> None:
    task = await started(book)
    dead = await workshop.leases.claim(task.id)
    assert dead is not None
    assert await workshop.leases.claim(task.id) is None
    clock.move(LEASE - timedelta(seconds=1))
    await workshop.leases.beat(dead, done=3, total=10)
    clock.move(LEASE - timedelta(seconds=1))
    assert await workshop.leases.due() == []
    assert await workshop.leases.claim(task.id) is None
    clock.move(timedelta(seconds=1))
    assert await workshop.leases.due() == [task.id]
    calls: list[int] = []
    assert await workshop.runner({"export": counting(calls)}).run(task.id)
    view = await book.get(task.id, owner=OWNER)
    assert (view.state, view.done, view.total) == (TaskState.DONE, 10, 10)


async def test_a_worker_that_wakes_up_late_changes_nothing(
    book: TaskBook, workshop: Workshop, clock: MovedClock, database: Database
) -> None:
    task = await started(book)
    late = await workshop.leases.claim(task.id)
    clock.move(LEASE)
    living = await workshop.leases.claim(task.id)
    assert late is not None
    assert living is not None
    with pytest.raises(TaskLost):
        await workshop.leases.beat(late, done=9, total=9)
    with pytest.raises(TaskLost):
        async with database.transaction() as session:
            await workshop.leases.verify(session, late)
    assert not await workshop.leases.finish(late, TaskResult({"rows": 9}))
    await workshop.leases.fail(late, RowsMissing())
    await workshop.leases.stop(late)
    await workshop.leases.release(late)
    view = await book.get(task.id, owner=OWNER)
    assert (view.state, view.done, view.message, view.summary) == (TaskState.RUNNING, 0, None, {})
    async with database.transaction() as session:
        await workshop.leases.verify(session, living)
    assert await workshop.leases.finish(living, TaskResult({"rows": 1}))


async def test_a_handler_that_lost_its_task_is_interrupted(
    book: TaskBook, workshop: Workshop, clock: MovedClock
) -> None:
    began, interrupted = asyncio.Event(), asyncio.Event()

    async def endless(_task: RunningTask) -> TaskResult:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            interrupted.set()
            raise
        raise AssertionError("nobody stopped it")

    task = await started(book)
    running = asyncio.create_task(workshop.runner({"export": endless}, beat_s=0.01).run(task.id))
    await began.wait()
    clock.move(LEASE)
    # The clock stands while the worker beats, so it takes a few tries until the lease is seen as lapsed.
    while (other := await workshop.leases.claim(task.id)) is None:
        clock.move(LEASE)
    assert await running
    assert interrupted.is_set()
    assert await workshop.leases.finish(other, TaskResult())


async def test_a_heartbeat_keeps_a_task_whose_handler_is_silent(
    book: TaskBook, workshop: Workshop, clock: MovedClock
) -> None:
    let_go = asyncio.Event()

    async def silent(_task: RunningTask) -> TaskResult:
        await let_go.wait()
        return TaskResult()

    task = await started(book)
    running = asyncio.create_task(workshop.runner({"export": silent}, beat_s=0.01).run(task.id))
    for _ in range(4):
        clock.move(LEASE - timedelta(seconds=1))
        beaten = await _beaten_at(workshop, task.id, clock)
        assert beaten
    let_go.set()
    assert await running
    assert (await book.get(task.id, owner=OWNER)).state is TaskState.DONE


async def _beaten_at(workshop: Workshop, task_id: int, clock: MovedClock) -> bool:
    """Wait until the heartbeat carries the present time; nobody else may take the task meanwhile."""
    async with asyncio.timeout(20):
        while True:
            async with workshop.database.reading() as session:
                row = await session.get_one(StaffTask, task_id)
            if row.beat_at == clock.now():
                return await workshop.leases.claim(task_id) is None
            await asyncio.sleep(0.01)


async def test_a_worker_that_ends_puts_its_task_back(book: TaskBook, workshop: Workshop) -> None:
    began = asyncio.Event()

    async def endless(_task: RunningTask) -> TaskResult:
        began.set()
        await asyncio.Event().wait()
        return TaskResult()

    task = await started(book)
    runner = workshop.runner({"export": endless})
    running = asyncio.create_task(runner.run(task.id))
    await began.wait()
    await runner.stop()
    assert await running
    assert not await runner.run(task.id)
    # At once, without waiting for a lease to lapse.
    calls: list[int] = []
    assert await workshop.runner({"export": counting(calls)}).run_due() == 1
    assert (await book.get(task.id, owner=OWNER)).state is TaskState.DONE


async def test_putting_back_is_no_attempt_and_dying_is(book: TaskBook, workshop: Workshop, clock: MovedClock) -> None:
    task = await started(book)
    for _ in range(ATTEMPTS + 1):
        hold = await workshop.leases.claim(task.id)
        assert hold is not None
        await workshop.leases.release(hold)
    for _ in range(ATTEMPTS):
        assert await workshop.leases.claim(task.id) is not None
        clock.move(LEASE)
    assert await workshop.leases.claim(task.id) is None
    view = await book.get(task.id, owner=OWNER)
    assert (view.state, view.message, view.message_fields) == (
        TaskState.FAILED,
        "tasks.given_up",
        {"attempts": ATTEMPTS},
    )


async def test_progress_is_written_now_and_then(book: TaskBook, workshop: Workshop) -> None:
    at_s = 0.0
    hold = await workshop.leases.claim((await started(book)).id)
    assert hold is not None
    task = RunningTask(hold, workshop.leases, timer=lambda: at_s)
    seen = set()
    for done in range(1, 101):
        at_s += 0.1
        await task.progress(done, 100)
        seen.add((await book.get(task.id, owner=OWNER)).done)
    assert max(seen) == 100
    assert 15 <= len(seen) <= 25

"""Long work as its owner sees it: started once, followed, cancelled, fetched, gone after a week."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.staff.audit import AuditTrail
from bot.staff.tasks.errors import NoSuchTask
from bot.staff.tasks.models import StaffTask, TaskState, TaskView
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.staff.tasks.service import TaskBook
from bot.storage.files import FileMissing, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.staff.doing import EXCEL, Told, Workshop

OWNER, SOMEBODY_ELSE = "wang", "li"


async def started(book: TaskBook, key: str = "k1", kind: str = "export") -> TaskView:
    return await book.start(kind, owner=OWNER, params={"name": "杨小芳", "ids": [1, 2]}, key=key, source="10.0.0.1")


async def test_a_button_pressed_twice_starts_one_task(book: TaskBook, told: Told, trail: AuditTrail) -> None:
    first, second = await started(book), await started(book)
    assert first.id == second.id
    assert first.state is TaskState.QUEUED
    assert told.task_ids == [first.id]
    [event] = await trail.events(action="staff:task:start")
    assert (event.record.actor, event.record.object_id, event.record.reason) == (OWNER, str(first.id), "export")


async def test_a_button_pressed_many_times_at_once_starts_one_task(book: TaskBook, trail: AuditTrail) -> None:
    views = await asyncio.gather(*(started(book) for _ in range(8)))
    assert len({view.id for view in views}) == 1
    assert len(await trail.events(action="staff:task:start")) == 1


async def test_the_same_key_of_another_owner_is_another_task(book: TaskBook) -> None:
    mine = await started(book)
    theirs = await book.start("export", owner=SOMEBODY_ELSE, params={}, key="k1")
    assert mine.id != theirs.id


async def test_what_is_asked_for_is_sealed(book: TaskBook, database: Database) -> None:
    await started(book)
    async with database.reading() as session:
        row = (await session.scalars(select(StaffTask))).one()
    assert row.params is not None
    assert "杨小芳".encode() not in row.params


async def test_only_the_owner_finds_a_task(book: TaskBook) -> None:
    task = await started(book)
    assert (await book.get(task.id, owner=OWNER)).id == task.id
    for call in (book.get, book.cancel, book.fetch):
        with pytest.raises(NoSuchTask):
            await call(task.id, owner=SOMEBODY_ELSE)
    assert await book.of(SOMEBODY_ELSE) == []


async def test_tasks_are_listed_latest_first_and_go_on_from_one(book: TaskBook) -> None:
    ids = [(await started(book, f"k{number}")).id for number in range(5)]
    page = await book.of(OWNER, limit=2)
    assert [task.id for task in page] == ids[:2:-1]
    assert [task.id for task in await book.of(OWNER, before=page[-1].id, limit=2)] == ids[2:0:-1]


async def test_a_finished_task_shows_counts_and_gives_its_file(
    book: TaskBook, workshop: Workshop, files: PrivateFiles, trail: AuditTrail
) -> None:
    async def export(task: RunningTask) -> TaskResult:
        assert task.params == {"name": "杨小芳", "ids": [1, 2]}
        await task.progress(1, 2)
        stored = await files.save_made(b"PK table", EXCEL, owner=task.owner, purpose=task.kind)
        return TaskResult({"rows": 2}, stored.id, "名单.xlsx")

    task = await started(book)
    assert await workshop.runner({"export": export}).run(task.id)
    view, file = await book.fetch(task.id, owner=OWNER, source="10.0.0.1")
    assert (view.state, view.summary, view.file_name, view.percent) == (TaskState.DONE, {"rows": 2}, "名单.xlsx", 100)
    assert (file.data, file.file.media_type, file.owner) == (b"PK table", EXCEL, OWNER)
    assert len(await trail.events(action="staff:task:fetch")) == 1
    assert [task.id for task in await book.open_of(OWNER)] == []


async def test_a_task_nobody_has_begun_is_cancelled_at_once(book: TaskBook, workshop: Workshop) -> None:
    task = await started(book)
    assert (await book.cancel(task.id, owner=OWNER)).state is TaskState.CANCELLED
    assert not await workshop.runner({}).run(task.id)
    assert (await book.cancel(task.id, owner=OWNER)).state is TaskState.CANCELLED


async def test_a_running_task_stops_at_its_next_step(book: TaskBook, workshop: Workshop, trail: AuditTrail) -> None:
    steps: list[int] = []

    async def slow(task: RunningTask) -> TaskResult:
        for step in range(10):
            steps.append(step)
            if step == 2:
                assert (await book.cancel(task.id, owner=OWNER)).is_cancelling
                await task.beat()
            await task.progress(step, 10)
        raise AssertionError("nobody stopped it")

    task = await started(book)
    assert await workshop.runner({"export": slow}).run(task.id)
    view = await book.get(task.id, owner=OWNER)
    assert (view.state, view.is_cancelling, steps) == (TaskState.CANCELLED, False, [0, 1, 2])
    assert len(await trail.events(action="staff:task:cancel")) == 1


async def test_a_result_is_gone_after_a_week(
    book: TaskBook, workshop: Workshop, files: PrivateFiles, clock: MovedClock, database: Database
) -> None:
    async def export(task: RunningTask) -> TaskResult:
        stored = await files.save_made(b"PK table", EXCEL, owner=task.owner, purpose=task.kind)
        return TaskResult({"rows": 2}, stored.id, "名单.xlsx")

    task = await started(book)
    await workshop.runner({"export": export}).run(task.id)
    view = await book.get(task.id, owner=OWNER)
    assert view.file_id is not None
    clock.move(timedelta(days=6, hours=23))
    assert await book.purge() == 0
    clock.move(timedelta(hours=2))
    assert await book.purge() == 1
    assert await book.purge() == 0
    with pytest.raises(FileMissing):
        await files.read(view.file_id)
    with pytest.raises(NoSuchTask):
        await book.fetch(task.id, owner=OWNER)
    async with database.reading() as session:
        assert (await session.scalars(select(StaffTask.params))).one() is None
    left = await book.get(task.id, owner=OWNER)
    assert (left.is_expired, left.summary) == (True, {"rows": 2})
    clock.move(timedelta(days=366))
    await book.purge()
    assert await book.of(OWNER) == []


async def test_a_file_that_a_dying_worker_left_goes_and_a_fresh_one_stays(
    book: TaskBook, workshop: Workshop, files: PrivateFiles, clock: MovedClock
) -> None:
    left = await files.save_made(b"PK left", EXCEL, owner=OWNER, purpose="export")

    async def export(task: RunningTask) -> TaskResult:
        stored = await files.save_made(b"PK kept", EXCEL, owner=task.owner, purpose=task.kind)
        return TaskResult({}, stored.id, "名单.xlsx")

    # The files carry the machine's time, so the clock goes there first.
    clock.set(workshop.machine_time() + timedelta(days=15))
    task = await started(book)
    await workshop.runner({"export": export}).run(task.id)
    await book.purge()
    with pytest.raises(FileMissing):
        await files.read(left.id)
    assert (await book.fetch(task.id, owner=OWNER))[1].data == b"PK kept"

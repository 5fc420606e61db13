"""Long work from the button to the worker, over the real stream."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.staff.audit import AuditTrail
from bot.staff.tasks.leases import TOLD_AGAIN_AFTER, TaskLeases
from bot.staff.tasks.models import TaskState
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.running import RunningTask, TaskHandler, TaskResult
from bot.staff.tasks.service import NoTaskQueue, TaskBook
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.storage.task_queue import GROUP, STREAM, TaskStream
from bot.values.clock import MovedClock, SystemClock
from bot.worker.service import Job, Listener, Worker
from bot.worker.shards import ShardLeases
from bot.worker.tasks import StaffTasks
from tests.support.waiting import until

OWNER = "wang"


@dataclass(frozen=True, slots=True)
class House:
    """Where tasks are kept and told of."""

    database: Database
    cipher: FieldCipher
    clock: MovedClock
    redis: Redis
    redis_url: str
    folder: Path

    def book(self, queue: TaskStream | None = None) -> TaskBook:
        trail = AuditTrail(self.database, self.cipher, self.clock)
        files = PrivateFiles(self.folder, self.cipher)
        return TaskBook(
            self.database, self.cipher, self.clock, trail=trail, queue=queue or NoTaskQueue(), files=files
        )

    async def is_over(self, task_id: int) -> bool:
        return (await self.book().get(task_id, owner=OWNER)).state.is_over

    @asynccontextmanager
    async def worker(self, handlers: Mapping[str, TaskHandler], *jobs: Job) -> AsyncIterator[StaffTasks]:
        """Run a worker with a stream of its own, as another process has."""
        stream = TaskStream(self.redis_url)
        leases = TaskLeases(self.database, self.cipher, self.clock)
        tasks = StaffTasks(stream, leases, TaskRunner(leases, handlers))
        shards = ShardLeases(self.redis, str(id(stream)), SystemClock())
        worker = Worker(shards, jobs, (Listener("staff tasks", tasks.listen),))
        running = asyncio.create_task(worker.run())
        try:
            yield tasks
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await stream.close()


@pytest.fixture
async def stream(redis_url: str) -> AsyncIterator[TaskStream]:
    """The console's end of the stream; the private Redis listens on a socket."""
    opened = TaskStream(redis_url)
    yield opened
    await opened.close()


@pytest.fixture
def house(
    sqlite_database: Database, cipher: FieldCipher, clock: MovedClock, redis: Redis, redis_url: str, tmp_path: Path
) -> House:
    return House(sqlite_database, cipher, clock, redis, redis_url, tmp_path / "task-files")


async def done(task: RunningTask) -> TaskResult:
    await task.progress(1, 1)
    return TaskResult({"rows": 1})


async def test_a_started_task_is_run_and_acknowledged(house: House, stream: TaskStream) -> None:
    async with house.worker({"export": done}):
        task = await house.book(stream).start("export", owner=OWNER, params={}, key="k1")
        await until(lambda: house.is_over(task.id))

        async def acknowledged() -> bool:
            return bool((await house.redis.xpending(STREAM, GROUP))["pending"] == 0)

        await until(acknowledged)
    assert (await house.book().get(task.id, owner=OWNER)).state is TaskState.DONE


async def test_a_task_started_before_any_worker_is_run_by_the_first(house: House, stream: TaskStream) -> None:
    task = await house.book(stream).start("export", owner=OWNER, params={}, key="k1")
    async with house.worker({"export": done}):
        await until(lambda: house.is_over(task.id))


async def test_a_task_the_stream_never_heard_of_is_told_again(house: House) -> None:
    """A crash between the row and the stream, or a Redis that was away."""
    task = await house.book().start("export", owner=OWNER, params={}, key="k1")
    async with house.worker({"export": done}) as tasks:
        assert await tasks.tell_again() == 0
        house.clock.move(TOLD_AGAIN_AFTER)
        assert await tasks.tell_again() == 1
        await until(lambda: house.is_over(task.id))


async def test_a_redis_that_is_away_does_not_keep_staff_waiting(house: House, tmp_path: Path) -> None:
    stream = TaskStream(f"unix://{tmp_path}/nobody.sock")
    task = await house.book(stream).start("export", owner=OWNER, params={}, key="k1")
    assert task.state is TaskState.QUEUED
    assert await house.book(stream).get(task.id, owner=OWNER) == task
    await stream.close()


async def test_told_twice_it_is_run_once(house: House, stream: TaskStream) -> None:
    runs: list[int] = []

    async def counted(task: RunningTask) -> TaskResult:
        runs.append(task.id)
        return TaskResult()

    async with house.worker({"export": counted}), house.worker({"export": counted}):
        task = await house.book(stream).start("export", owner=OWNER, params={}, key="k1")
        for _ in range(5):
            await stream.put(task.id)
        last = await house.book(stream).start("export", owner=OWNER, params={}, key="k2")
        await until(lambda: house.is_over(last.id))
        await until(lambda: house.is_over(task.id))
    assert sorted(runs) == [task.id, last.id]


async def test_long_work_does_not_hold_up_the_other_jobs(house: House, stream: TaskStream) -> None:
    let_go, ticks = asyncio.Event(), 0

    async def long(_task: RunningTask) -> TaskResult:
        await let_go.wait()
        return TaskResult()

    async def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    async with house.worker({"export": long}, Job("tick", tick, rest_s=0.001)):
        task = await house.book(stream).start("export", owner=OWNER, params={}, key="k1")

        async def is_running() -> bool:
            return (await house.book().get(task.id, owner=OWNER)).state is TaskState.RUNNING

        await until(is_running)
        before = ticks

        async def went_on() -> bool:
            return ticks > before + 20

        await until(went_on)
        let_go.set()
        await until(lambda: house.is_over(task.id))


async def test_a_worker_that_stops_leaves_its_task_to_the_next(house: House, stream: TaskStream) -> None:
    began = asyncio.Event()

    async def endless(_task: RunningTask) -> TaskResult:
        began.set()
        await asyncio.Event().wait()
        return TaskResult()

    async with house.worker({"export": endless}):
        task = await house.book(stream).start("export", owner=OWNER, params={}, key="k1")
        await began.wait()
    assert (await house.book().get(task.id, owner=OWNER)).state is TaskState.QUEUED
    async with house.worker({"export": done}) as tasks:
        assert await tasks.tell_again() == 1
        await until(lambda: house.is_over(task.id))

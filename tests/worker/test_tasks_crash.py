"""Long work in real processes: one of them is killed in the middle, or two are told of the same task."""

import multiprocessing
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from bot.app.records import Records, open_records
from bot.settings import Settings
from bot.staff.tasks.models import TaskState, TaskView
from bot.storage.encryption import FieldCipher
from bot.storage.task_queue import TaskStream
from tests.support.assistant import settings_for
from tests.support.waiting import until
from tests.worker.mortal_worker import KIND, STEP, WorkerPlan, run

OWNER, STEPS = "wang", 10
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0


@dataclass
class Workers:
    """Worker processes over one Redis and one database."""

    plan: WorkerPlan
    _running: list[tuple[ForkServerProcess, Connection]] = field(default_factory=list)

    def start(self, **changes: object) -> ForkServerProcess:
        """Start a worker whose plan has these changes; returns when it listens."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.worker.mortal_worker", "pytest"])
        ours, theirs = context.Pipe()
        plan = replace(self.plan, **changes)  # type: ignore[arg-type] # Names are checked by replace itself.
        process = context.Process(target=run, args=(plan, theirs), daemon=True)
        process.start()
        theirs.close()
        assert ours.poll(START_TIMEOUT_S), "the worker does not start"
        ours.recv()
        self._running.append((process, ours))
        return process

    def journal(self, what: str) -> list[str]:
        """Return the process ids that noted ``what``."""
        lines = self.plan.journal.read_text().split("\n") if self.plan.journal.exists() else []
        return [line.split()[1] for line in lines if line.startswith(what)]

    def end(self) -> None:
        for process, connection in self._running:
            process.kill()
            process.join()
            connection.close()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings_for(
        database_url=database_url,
        redis_url=redis_url,
        data_dir=tmp_path,
        cipher_setting=FieldCipher.new_setting(),
    )


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[Workers]:
    group = Workers(WorkerPlan(settings, tmp_path / "journal", gate=tmp_path / "gate"))
    yield group
    group.end()


@pytest.fixture
async def stream(redis_url: str) -> AsyncIterator[TaskStream]:
    opened = TaskStream(redis_url)
    yield opened
    await opened.close()


@pytest.fixture
async def records(settings: Settings, stream: TaskStream) -> AsyncIterator[Records]:
    async with open_records(settings, task_queue=stream) as opened:
        yield opened


async def started(records: Records) -> TaskView:
    return await records.tasks.start(KIND, owner=OWNER, params={"steps": STEPS}, key="k1")


async def finished(records: Records, task: TaskView) -> TaskView:
    async def is_over() -> bool:
        return (await records.tasks.get(task.id, owner=OWNER)).state.is_over

    await until(is_over, timeout_s=60.0)
    return await records.tasks.get(task.id, owner=OWNER)


async def test_a_task_outlives_the_process_that_began_it(records: Records, workers: Workers) -> None:
    mortal = workers.start(dies_after=4)
    task = await started(records)
    mortal.join(STOP_TIMEOUT_S)
    assert mortal.exitcode == -signal.SIGKILL
    survivor = workers.start()
    view = await finished(records, task)
    assert (view.state, view.summary, view.done) == (TaskState.DONE, {"steps": STEPS}, STEPS)
    assert workers.journal("began") == [str(mortal.pid), str(survivor.pid)]
    assert workers.journal("ended") == [str(survivor.pid)]
    done = sorted(
        (int(event.record.object_id), event.record.actor) for event in await records.audit.events(action=STEP)
    )
    assert done == [(step, str(mortal.pid if step <= 4 else survivor.pid)) for step in range(STEPS)]


async def told_twice(records: Records, stream: TaskStream, workers: Workers, *, leased: bool) -> TaskView:
    """Tell two workers of a task that the first has begun and not finished; the gate lets it go on."""
    first = workers.start(waits_at=3, leased=leased)
    task = await started(records)

    async def has_begun() -> bool:
        return workers.journal("began") == [str(first.pid)]

    await until(has_begun)
    workers.start(waits_at=3, leased=leased)
    for _ in range(3):
        await stream.put(task.id)
    return task


async def test_a_task_that_runs_is_not_run_by_another_worker(
    records: Records, stream: TaskStream, workers: Workers
) -> None:
    task = await told_twice(records, stream, workers, leased=True)
    # It stands behind the others in the stream, so the workers have heard of those first.
    probe = await records.tasks.start(KIND, owner=OWNER, params={"steps": 1}, key="probe")
    await finished(records, probe)
    assert len(workers.journal("began")) == 2, "the task and the probe"
    workers.plan.gate.touch()
    assert (await finished(records, task)).state is TaskState.DONE


async def test_without_the_lease_it_runs_twice_at_once(
    records: Records, stream: TaskStream, workers: Workers
) -> None:
    """The control."""
    await told_twice(records, stream, workers, leased=False)

    async def runs_twice() -> bool:
        return len(workers.journal("began")) > 1

    await until(runs_twice)
    assert workers.journal("ended") == []

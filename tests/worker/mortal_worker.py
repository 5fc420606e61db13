"""A worker in a process of its own that runs one kind of task, and can be told to die in the middle of it."""

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app.records import Records, open_records
from bot.settings import Settings
from bot.staff.audit import AuditTrail
from bot.staff.models import AuditEvent, AuditRecord
from bot.staff.tasks.leases import Hold, TaskLeases
from bot.staff.tasks.models import StaffTask
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.task_queue import TaskStream
from bot.worker.tasks import StaffTasks
from tests.support.waiting import until

KIND = "steps"
STEP = "tests:task:step"
# A process that gets no time for five seconds on a busy machine would lose its lease, and rightly so.
LEASE, BEAT_S = timedelta(seconds=5), 0.2
TELL_AGAIN_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What kind of worker to run.

    It dies with SIGKILL after step ``dies_after``. It waits at step ``waits_at`` until ``gate`` exists.
    ``leased`` false: a task is taken whoever has it.
    """

    settings: Settings
    journal: Path
    dies_after: int | None = None
    waits_at: int | None = None
    gate: Path = Path("/nowhere")
    leased: bool = True


class CarelessLeases(TaskLeases):
    """The null guard: takes every task it is told of, and is never taken for having lost it."""

    async def claim(self, task_id: int) -> Hold | None:
        async with self._database.transaction() as session:
            row = await session.get_one(StaffTask, task_id)
            row.beat_at = None
        return await super().claim(task_id)

    async def beat(self, hold: Hold, *, done: int | None = None, total: int | None = None) -> bool:  # noqa: ARG002
        return False


@dataclass(frozen=True, slots=True)
class Steps:
    """Writes a row for each step unless it is there. The journal says which process began, did a step and ended."""

    records: Records
    plan: WorkerPlan

    async def __call__(self, task: RunningTask) -> TaskResult:
        total = task.params["steps"]
        assert isinstance(total, int)
        self._write("began")
        for step in range(total):
            if step == self.plan.waits_at:
                await until(self._gate_is_open)
            async with self.records.database.transaction() as session:
                if not await self._is_done(session, step):
                    await self._do(session, step)
            if step == self.plan.dies_after:
                os.kill(os.getpid(), signal.SIGKILL)
            await task.progress(step + 1, total)
        self._write("ended")
        return TaskResult({"steps": total})

    async def _do(self, session: AsyncSession, step: int) -> None:
        trail: AuditTrail = self.records.audit
        await trail.append(session, AuditRecord(str(os.getpid()), STEP, "step", str(step)))

    async def _is_done(self, session: AsyncSession, step: int) -> bool:
        wanted = select(AuditEvent.position).where(AuditEvent.action == STEP, AuditEvent.object_id == str(step))
        return await session.scalar(wanted) is not None

    async def _gate_is_open(self) -> bool:
        return self.plan.gate.exists()

    def _write(self, what: str) -> None:
        with self.plan.journal.open("a") as journal:
            journal.write(f"{what} {os.getpid()}\n")


def run(plan: WorkerPlan, parent: Connection) -> None:
    """Work until ``parent`` closes its end; something is sent there when the worker is ready."""
    asyncio.run(_work(plan, parent))


async def _work(plan: WorkerPlan, parent: Connection) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), stopped.set)
    stream = TaskStream(plan.settings.redis_url)
    async with open_records(plan.settings) as records:
        kind = TaskLeases if plan.leased else CarelessLeases
        leases = kind(records.database, records.cipher, records.clock, lease=LEASE, told_again_after=LEASE)
        tasks = StaffTasks(stream, leases, TaskRunner(leases, {KIND: Steps(records, plan)}, beat_s=BEAT_S))
        working = [asyncio.create_task(tasks.listen()), asyncio.create_task(_tell_again(tasks))]
        parent.send("ready")
        await stopped.wait()
        for one in working:
            one.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    await stream.close()


async def _tell_again(tasks: StaffTasks) -> None:
    while True:
        await tasks.tell_again()
        await asyncio.sleep(TELL_AGAIN_EVERY_S)

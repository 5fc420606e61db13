"""Runs handlers under a lease: one worker a task, resumed after a crash, ended in order."""

import asyncio
from collections.abc import Mapping

import structlog

from bot.staff.tasks.errors import TaskCancelled, TaskLost, UnknownKind
from bot.staff.tasks.leases import Hold, TaskLeases
from bot.staff.tasks.models import TaskResult
from bot.staff.tasks.running import RunningTask, TaskHandler
from bot.values.errors import BotError

log = structlog.get_logger(__name__)

BEAT_S = 5.0


class TaskRunner:
    """Runs tasks in this process by their handlers' kinds."""

    def __init__(self, leases: TaskLeases, handlers: Mapping[str, TaskHandler], *, beat_s: float = BEAT_S) -> None:
        self._leases = leases
        self._handlers = handlers
        self._beat_s = beat_s
        self._at_work: set[asyncio.Task[TaskResult]] = set()
        self._is_stopping = False

    async def run(self, task_id: int) -> bool:
        """Run a task to its end; say whether there was anything to do. What the handler raises ends in the row."""
        if self._is_stopping:
            return False
        hold = await self._leases.claim(task_id)
        if hold is None:
            return False
        handler = self._handlers.get(hold.kind)
        if handler is None:
            await self._leases.fail(hold, UnknownKind(kind=hold.kind))
            return True
        await self._carry_out(hold, handler)
        return True

    async def run_due(self) -> int:
        """Run every task that waits or was left by a dead worker, one after the other; return how many."""
        return sum([await self.run(task_id) for task_id in await self._leases.due()])

    async def stop(self) -> None:
        """Interrupt what runs and put it back for another worker; nothing is begun any more."""
        self._is_stopping = True
        for work in self._at_work:
            work.cancel()
        if self._at_work:
            await asyncio.wait(self._at_work)

    async def _carry_out(self, hold: Hold, handler: TaskHandler) -> None:
        task = RunningTask(hold, self._leases)
        work = asyncio.create_task(_called(handler, task), name=f"task {hold.task_id}")
        beating = asyncio.create_task(self._keep(hold, task, work), name=f"beat of task {hold.task_id}")
        self._at_work.add(work)
        was_interrupted = False
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            was_interrupted = True
            work.cancel()
            await asyncio.wait({work})
            raise
        finally:
            self._at_work.discard(work)
            was_interrupted = was_interrupted or self._is_stopping or beating.done()
            beating.cancel()
            await asyncio.wait({beating})
            await self._note(hold, work, was_interrupted=was_interrupted)

    async def _note(self, hold: Hold, work: asyncio.Task[TaskResult], *, was_interrupted: bool) -> None:
        if work.cancelled():
            if was_interrupted:
                # This worker ends and another goes on at once; when another has it already, this changes nothing.
                await self._leases.release(hold)
            else:
                log.error("a task cancelled itself", task=hold.task_id, kind=hold.kind)
                await self._leases.fail(hold, BotError())
            return
        match work.exception():
            case None:
                if not await self._leases.finish(hold, work.result()):
                    log.warning("a task was finished by another worker", task=hold.task_id)
            case TaskLost():
                log.warning("a task was taken over by another worker", task=hold.task_id)
            case TaskCancelled():
                await self._leases.stop(hold)
            case BotError() as error:
                log.warning("a task failed", task=hold.task_id, kind=hold.kind, error=error.code)
                await self._leases.fail(hold, error)
            case error:
                # The traceback may hold what people wrote; the type is enough to begin a search.
                log.error("a task failed", task=hold.task_id, kind=hold.kind, error=type(error).__name__)
                await self._leases.fail(hold, BotError())

    async def _keep(self, hold: Hold, task: RunningTask, work: asyncio.Task[TaskResult]) -> None:
        loop = asyncio.get_running_loop()
        kept_at = loop.time()
        while True:
            await asyncio.sleep(self._beat_s)
            try:
                await task.beat()
                kept_at = loop.time()
            except TaskLost:
                work.cancel()
                return
            except Exception as error:  # noqa: BLE001 - The database may be away for a moment.
                log.warning("a task's lease was not renewed", task=hold.task_id, error=type(error).__name__)
                if loop.time() - kept_at >= self._leases.lease.total_seconds():
                    work.cancel()
                    return


async def _called(handler: TaskHandler, task: RunningTask) -> TaskResult:
    return await handler(task)

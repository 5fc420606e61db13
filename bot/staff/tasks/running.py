"""A task while it runs: what a handler is given, and what is asked of it."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.tasks.errors import TaskCancelled
from bot.staff.tasks.leases import Hold, TaskLeases
from bot.staff.tasks.models import JsonValue, TaskResult

__all__ = ["RunningTask", "TaskHandler", "TaskResult"]

PROGRESS_EVERY_S = 0.5
"""How often progress is written; a handler may report it as often as it likes."""


class RunningTask:
    """One run of a task, given to its handler."""

    def __init__(self, hold: Hold, leases: TaskLeases, *, timer: Callable[[], float] = time.monotonic) -> None:
        self.id = hold.task_id
        self.kind = hold.kind
        self.owner = hold.owner
        self.params: Mapping[str, JsonValue] = hold.params
        self._hold = hold
        self._leases = leases
        self._timer = timer
        self._written_at: float | None = None
        self._is_unwanted = False

    async def progress(self, done: int, total: int) -> None:
        """Tell how far it is; call it between steps that are whole in themselves.

        Raises TaskCancelled when the owner wants the task to end, TaskLost when another worker has it: let both
        pass.
        """
        now = self._timer()
        if self._written_at is None or now - self._written_at >= PROGRESS_EVERY_S or done >= total:
            self._written_at = now
            self._is_unwanted = await self._leases.beat(self._hold, done=done, total=total)
        if self._is_unwanted:
            raise TaskCancelled(task_id=self.id)

    async def beat(self) -> None:
        """Renew the lease; what runs the handler does this. Raises TaskLost."""
        self._is_unwanted = await self._leases.beat(self._hold)

    async def verify(self, session: AsyncSession) -> None:
        """Raise TaskLost unless the task is still this worker's, and keep it so until the transaction ends.

        For steps that may not happen twice: a worker that was frozen for longer than its lease goes on for a moment
        after it wakes, and another has begun.
        """
        await self._leases.verify(session, self._hold)


class TaskHandler(Protocol):
    """Does one kind of task.

    It may be run again from the beginning after a worker died, so each of its steps is idempotent, and it waits
    nowhere without ``await``: what computes for long goes to ``asyncio.to_thread``, since other work shares the loop.
    A BotError that it raises is shown to the owner by its code.
    """

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Do it and return what comes of it."""
        ...

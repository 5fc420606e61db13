"""Who works on a task: one worker at a time, by a lease in the row that its heartbeat renews."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.tasks.errors import TaskGivenUp, TaskLost
from bot.staff.tasks.models import JsonValue, StaffTask, TaskResult, TaskState
from bot.staff.tasks.service import PARAMS, RESULT_KEPT_FOR
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.errors import BotError

LEASE = timedelta(seconds=20)
"""A worker that was not heard of for this long is taken for dead, and another one takes its task."""
TOLD_AGAIN_AFTER = timedelta(seconds=10)
"""How long workers may take to begin with a task that they were told of, before they are told again."""
ATTEMPTS = 5
DUE_BATCH = 50


@dataclass(frozen=True, slots=True)
class Hold:
    """A worker's hold on a task. ``fence`` is this worker's number; a later worker's is higher."""

    task_id: int
    kind: str
    owner: str
    params: Mapping[str, JsonValue]
    fence: int


class TaskLeases:
    """Holds on tasks. Everything but ``claim`` and ``due`` changes nothing once a later worker has the task."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        lease: timedelta = LEASE,
        told_again_after: timedelta = TOLD_AGAIN_AFTER,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self.lease = lease
        self._told_again_after = told_again_after

    async def claim(self, task_id: int) -> Hold | None:
        """Take a task that waits or whose worker is dead; ``None`` when there is nothing to do or another has it.

        A task that workers died of ``ATTEMPTS`` times is given up.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await session.get(StaffTask, task_id, with_for_update=True)
            if row is None or row.params is None or TaskState(row.state).is_over or self._is_held(row, now):
                return None
            if row.cancel_requested:
                self._end(row, TaskState.CANCELLED)
                return None
            if row.attempts >= ATTEMPTS:
                self._end(row, TaskState.FAILED, TaskGivenUp(attempts=row.attempts))
                return None
            row.state, row.beat_at, row.started_at = TaskState.RUNNING.value, now, row.started_at or now
            row.fence, row.attempts = row.fence + 1, row.attempts + 1
            return Hold(row.id, row.kind, row.owner, json.loads(self._cipher.open(row.params, PARAMS)), row.fence)

    async def beat(self, hold: Hold, *, done: int | None = None, total: int | None = None) -> bool:
        """Renew the lease, and note the progress where it is given; say whether the task's end is wanted.

        Raises TaskLost when another worker has the task.
        """
        changes = {"beat_at": self._clock.now()}
        progress = {} if done is None else {"done": done, "total": total}
        statement = (
            update(StaffTask).where(*_held(hold)).values(**changes, **progress).returning(StaffTask.cancel_requested)
        )
        async with self._database.transaction() as session:
            wanted = await session.scalar(statement)
        if wanted is None:
            raise TaskLost(task_id=hold.task_id)
        return wanted

    async def verify(self, session: AsyncSession, hold: Hold) -> None:
        """Raise TaskLost unless the task is still held; it stays so until the caller's transaction ends."""
        found = await session.scalar(select(StaffTask.id).where(*_held(hold)).with_for_update())
        if found is None:
            raise TaskLost(task_id=hold.task_id)

    async def finish(self, hold: Hold, result: TaskResult) -> bool:
        """Note the result; say whether the task was still held."""
        async with self._database.transaction() as session:
            row = await self._row(session, hold)
            if row is None:
                return False
            self._end(row, TaskState.DONE)
            row.summary, row.file_id, row.file_name = dict(result.summary), result.file_id, result.file_name
            row.done = row.total = row.total if row.total is not None else row.done
            return True

    async def fail(self, hold: Hold, error: BotError) -> None:
        """Note why it did not work out."""
        async with self._database.transaction() as session:
            row = await self._row(session, hold)
            if row is not None:
                self._end(row, TaskState.FAILED, error)

    async def stop(self, hold: Hold) -> None:
        """Note that the handler stopped because the owner wanted it."""
        async with self._database.transaction() as session:
            row = await self._row(session, hold)
            if row is not None:
                self._end(row, TaskState.CANCELLED)

    async def release(self, hold: Hold) -> None:
        """Put the task back, as a worker does that has to end; it does not count as an attempt."""
        async with self._database.transaction() as session:
            row = await self._row(session, hold)
            if row is not None:
                row.state, row.beat_at, row.attempts = TaskState.QUEUED.value, None, row.attempts - 1
                row.enqueued_at = self._clock.now() - self._told_again_after

    async def due(self) -> list[int]:
        """Return tasks that no worker has begun in time or whose worker is dead, each once in a while."""
        now = self._clock.now()
        waiting = StaffTask.state == TaskState.QUEUED.value
        orphaned = (StaffTask.state == TaskState.RUNNING.value) & (StaffTask.beat_at <= now - self.lease)
        is_due = (or_(waiting, orphaned), StaffTask.enqueued_at <= now - self._told_again_after)
        # Looked at first without a lock: mostly there is nothing, and SQLite has one writer at a time.
        async with self._database.reading() as session:
            if await session.scalar(select(StaffTask.id).where(*is_due).limit(1)) is None:
                return []
        wanted = select(StaffTask).where(*is_due).order_by(StaffTask.enqueued_at).limit(DUE_BATCH)
        async with self._database.transaction() as session:
            rows = list(await session.scalars(wanted.with_for_update(skip_locked=True)))
            for row in rows:
                row.enqueued_at = now
            return [row.id for row in rows]

    def _is_held(self, row: StaffTask, now: datetime) -> bool:
        is_alive = row.beat_at is not None and row.beat_at > now - self.lease
        return row.state == TaskState.RUNNING.value and is_alive

    async def _row(self, session: AsyncSession, hold: Hold) -> StaffTask | None:
        return (await session.scalars(select(StaffTask).where(*_held(hold)).with_for_update())).one_or_none()

    def _end(self, row: StaffTask, state: TaskState, error: BotError | None = None) -> None:
        now = self._clock.now()
        row.state, row.finished_at, row.expires_at = state.value, now, now + RESULT_KEPT_FOR
        if error is not None:
            row.message, row.message_fields = error.code, dict(error.fields)


def _held(hold: Hold) -> tuple[ColumnElement[bool], ...]:
    return (
        StaffTask.id == hold.task_id,
        StaffTask.fence == hold.fence,
        StaffTask.state == TaskState.RUNNING.value,
    )

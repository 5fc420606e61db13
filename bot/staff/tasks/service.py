"""The book of tasks: what staff start, look at, cancel and fetch."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.staff.tasks.errors import NoSuchTask
from bot.staff.tasks.models import JsonValue, StaffTask, TaskState, TaskView, view_of
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles, ReadFile
from bot.storage.sql import Database
from bot.values.clock import Clock

PARAMS = "staff_tasks.params"
RESULT_KEPT_FOR = timedelta(days=7)
"""How long a result can be fetched; then its file and what was asked for are deleted."""
ROW_KEPT_FOR = timedelta(days=365)
PURGE_BATCH = 200


class TaskQueue(Protocol):
    """How workers are told that a task waits. Being told twice, or late, does no harm."""

    async def put(self, task_id: int) -> bool:
        """Tell the workers; say whether that worked."""
        ...


class NoTaskQueue:
    """Tells nobody: workers find the task when they look at the table, a few seconds later."""

    async def put(self, task_id: int) -> bool:  # noqa: ARG002 - The signature is the port's.
        """Return ``False``."""
        return False


class TaskBook:
    """Tasks over SQL. A task is in its table before any worker hears of it, so none gets lost."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        trail: AuditWriter,
        queue: TaskQueue,
        files: PrivateFiles,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._trail = trail
        self._queue = queue
        self._files = files

    async def start(
        self, kind: str, *, owner: str, params: Mapping[str, JsonValue], key: str, source: str = ""
    ) -> TaskView:
        """Start a task; the same ``key`` of the same owner gives the same task, whatever else is asked.

        ``params`` may hold personal data, they are sealed. ``source`` is the address for the trail.
        """
        known = await self._by_key(owner, key)
        if known is not None:
            return known
        now = self._clock.now()
        row = StaffTask(
            kind=kind,
            owner=owner,
            key=key,
            params=self._cipher.seal(json.dumps(params, ensure_ascii=False), PARAMS),
            state=TaskState.QUEUED.value,
            created_at=now,
            enqueued_at=now,
        )
        try:
            async with self._database.transaction() as session:
                session.add(row)
                await session.flush()
                await self._note(session, owner, "staff:task:start", row.id, source, reason=kind)
        except IntegrityError:
            pressed_twice = await self._by_key(owner, key)
            if pressed_twice is None:
                raise
            return pressed_twice
        # Whether or not that works: a worker that was not told finds the row.
        await self._queue.put(row.id)
        return view_of(row)

    async def get(self, task_id: int, *, owner: str) -> TaskView:
        """Return a task of ``owner``; raises NoSuchTask."""
        async with self._database.reading() as session:
            return view_of(await _owned(session, task_id, owner))

    async def of(self, owner: str, *, before: int | None = None, limit: int = 20) -> list[TaskView]:
        """Return the tasks of ``owner``, the latest first; ``before`` continues from a task's id."""
        wanted = select(StaffTask).where(StaffTask.owner == owner).order_by(StaffTask.id.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(StaffTask.id < before)
        async with self._database.reading() as session:
            return [view_of(row) for row in await session.scalars(wanted)]

    async def open_of(self, owner: str, *, limit: int = 20) -> list[TaskView]:
        """Return the tasks of ``owner`` that wait or run, the latest first."""
        states = (TaskState.QUEUED.value, TaskState.RUNNING.value)
        wanted = select(StaffTask).where(StaffTask.state.in_(states), StaffTask.owner == owner)
        async with self._database.reading() as session:
            rows = await session.scalars(wanted.order_by(StaffTask.id.desc()).limit(limit))
            return [view_of(row) for row in rows]

    async def cancel(self, task_id: int, *, owner: str, source: str = "") -> TaskView:
        """Ask for a task's end; one that nobody has begun ends at once, one that is over stays as it is.

        What a running task has done by then stays done. Raises NoSuchTask.
        """
        async with self._database.transaction() as session:
            row = await _owned(session, task_id, owner, lock=True)
            if TaskState(row.state).is_over or row.cancel_requested:
                return view_of(row)
            row.cancel_requested = True
            if row.state == TaskState.QUEUED.value:
                now = self._clock.now()
                row.state, row.finished_at, row.expires_at = TaskState.CANCELLED.value, now, now + RESULT_KEPT_FOR
            await self._note(session, owner, "staff:task:cancel", row.id, source, reason=row.kind)
            return view_of(row)

    async def fetch(self, task_id: int, *, owner: str, source: str = "") -> tuple[TaskView, ReadFile]:
        """Return a task with its file, and note in the trail that it was fetched.

        Raises NoSuchTask also when the task has no file, FileMissing when it has expired.
        """
        async with self._database.transaction() as session:
            row = await _owned(session, task_id, owner)
            if row.file_id is None:
                raise NoSuchTask(task_id=task_id)
            await self._note(session, owner, "staff:task:fetch", row.id, source, reason=row.kind)
        return view_of(row), await self._files.read(row.file_id)

    async def purge(self) -> int:
        """Delete the files and parameters of expired results, and very old rows; return how many expired.

        A file that a dying worker left without a row goes too, once it is as old as an expired one.
        """
        now = self._clock.now()
        expired = (
            select(StaffTask).where(StaffTask.expires_at <= now).order_by(StaffTask.expires_at).limit(PURGE_BATCH)
        )
        async with self._database.reading() as session:
            rows = list(await session.scalars(expired))
        for row in rows:
            if row.file_id is not None:
                await self._files.delete(row.file_id)
        async with self._database.transaction() as session:
            for row in await session.scalars(expired.where(StaffTask.id.in_([row.id for row in rows]))):
                row.params, row.file_id, row.expires_at = None, None, None
            await session.execute(delete(StaffTask).where(StaffTask.finished_at <= now - ROW_KEPT_FOR))
        await self._delete_orphans(now - 2 * RESULT_KEPT_FOR)
        return len(rows)

    async def _delete_orphans(self, before: datetime) -> None:
        old = (await self._files.older_than(before))[:PURGE_BATCH]
        async with self._database.reading() as session:
            known = set(await session.scalars(select(StaffTask.file_id).where(StaffTask.file_id.in_(old))))
        for file_id in old:
            if file_id not in known:
                await self._files.delete(file_id)

    async def _by_key(self, owner: str, key: str) -> TaskView | None:
        wanted = select(StaffTask).where(StaffTask.owner == owner, StaffTask.key == key)
        async with self._database.reading() as session:
            row = (await session.scalars(wanted)).one_or_none()
        return None if row is None else view_of(row)

    async def _note(
        self, session: AsyncSession, owner: str, action: str, task_id: int, source: str, *, reason: str
    ) -> None:
        await self._trail.append(
            session, AuditRecord(owner, action, "staff_task", str(task_id), reason=reason, source=source)
        )


async def _owned(session: AsyncSession, task_id: int, owner: str, *, lock: bool = False) -> StaffTask:
    wanted = select(StaffTask).where(StaffTask.id == task_id, StaffTask.owner == owner)
    row = (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        raise NoSuchTask(task_id=task_id)
    return row

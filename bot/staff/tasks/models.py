"""A task's row, and the task as its owner and its handler see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import JSON, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base
from bot.values.problem import FieldValue

JsonValue: TypeAlias = str | int | float | bool | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None


class TaskState(StrEnum):
    """How far a task has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self not in (TaskState.QUEUED, TaskState.RUNNING)


class StaffTask(Base):
    """One piece of long work.

    A worker holds a running task while ``beat_at`` is young; ``fence`` grows with each worker that takes it, and a
    write with an old fence changes nothing. ``params`` are sealed; they, the file and ``expires_at`` itself are gone
    once the result has expired.
    """

    __tablename__ = "staff_tasks"
    __table_args__ = (
        UniqueConstraint("owner", "key"),
        Index("ix_staff_tasks_owner_id", "owner", "id"),
        Index("ix_staff_tasks_state_enqueued_at", "state", "enqueued_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(120))
    params: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16))
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int | None] = mapped_column(Integer)
    message: Mapped[str | None] = mapped_column(String(64))
    message_fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    file_id: Mapped[str | None] = mapped_column(String(64))
    file_name: Mapped[str | None] = mapped_column(String(120))
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime]
    enqueued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as its owner sees it. ``message`` is the code of what went wrong, with its fields."""

    id: int
    kind: str
    owner: str
    state: TaskState
    done: int
    total: int | None
    is_cancelling: bool
    message: str | None
    message_fields: Mapping[str, FieldValue]
    summary: Mapping[str, int | str]
    file_id: str | None
    file_name: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None

    @property
    def is_expired(self) -> bool:
        """Whether the result has been deleted because nobody fetched it in time."""
        return self.state.is_over and self.expires_at is None

    @property
    def percent(self) -> int | None:
        """How much is done, 0 to 100; ``None`` while nobody knows how much there is."""
        return None if not self.total else min(100, self.done * 100 // self.total)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a handler leaves behind: counts and short texts for the summary, nothing personal, perhaps a file.

    ``file_id`` is one of the task files (``Records.task_files``), which are deleted when the result expires;
    ``file_name`` is what it is called when somebody downloads it.
    """

    summary: Mapping[str, int | str] = field(default_factory=dict)
    file_id: str | None = None
    file_name: str | None = None


def view_of(row: StaffTask) -> TaskView:
    """Return a row as its owner sees it."""
    state = TaskState(row.state)
    return TaskView(
        id=row.id,
        kind=row.kind,
        owner=row.owner,
        state=state,
        done=row.done,
        total=row.total,
        is_cancelling=row.cancel_requested and not state.is_over,
        message=row.message,
        message_fields=row.message_fields,
        summary=row.summary,
        file_id=row.file_id,
        file_name=row.file_name,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
    )

"""What the tests of long work share: a queue that only remembers, and runners over one database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.running import TaskHandler
from bot.storage.encryption import FieldCipher
from bot.storage.files import MadeType
from bot.storage.sql import Database
from bot.values.clock import Clock, SystemClock

EXCEL: Final[MadeType] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Told:
    """A queue that remembers which tasks it was told of. ``works`` false: nobody can be told."""

    task_ids: list[int] = field(default_factory=list)
    works: bool = True

    async def put(self, task_id: int) -> bool:
        if self.works:
            self.task_ids.append(task_id)
        return self.works


@dataclass(frozen=True, slots=True)
class Workshop:
    """Makes runners, each as if it were another worker process."""

    database: Database
    cipher: FieldCipher
    clock: Clock

    @property
    def leases(self) -> TaskLeases:
        return TaskLeases(self.database, self.cipher, self.clock)

    def runner(self, handlers: Mapping[str, TaskHandler], *, beat_s: float = 5.0) -> TaskRunner:
        """Return a runner with these handlers."""
        return TaskRunner(self.leases, handlers, beat_s=beat_s)

    @staticmethod
    def machine_time() -> datetime:
        """Return the time that files are stamped with."""
        return SystemClock().now()

"""Running a background task to its end, as a worker would."""

from collections.abc import Mapping

from bot.staff.audit import AuditTrail
from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.models import JsonValue, TaskView
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.running import TaskHandler
from bot.staff.tasks.service import NoTaskQueue, TaskBook
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock


class Worker:
    """Starts tasks of the member of staff ``liu`` and runs them at once."""

    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Clock, audit: AuditTrail, files: PrivateFiles
    ) -> None:
        self.book = TaskBook(database, cipher, clock, trail=audit, queue=NoTaskQueue(), files=files)
        self._leases = TaskLeases(database, cipher, clock)
        self._started = 0

    async def run(self, kind: str, handler: TaskHandler, params: Mapping[str, JsonValue]) -> TaskView:
        """Start a task, run it, and return it as its owner sees it then."""
        self._started += 1
        task = await self.book.start(kind, owner="liu", params=params, key=f"{kind}-{self._started}")
        return await self.resume(task.id, kind, handler)

    async def resume(self, task_id: int, kind: str, handler: TaskHandler) -> TaskView:
        """Run a task that waits, or was left by a worker that died."""
        await TaskRunner(self._leases, {kind: handler}).run(task_id)
        return await self.book.get(task_id, owner="liu")

"""Long work of staff: run as the stream tells, and looked for in its table, where nothing gets lost."""

from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.runner import TaskRunner
from bot.storage.task_queue import TaskStream


class StaffTasks:
    """Runs tasks in this worker. ``listen`` and ``tell_again`` go on side by side."""

    def __init__(self, stream: TaskStream, leases: TaskLeases, runner: TaskRunner) -> None:
        self._stream = stream
        self._leases = leases
        self._runner = runner

    async def listen(self) -> None:
        """Run what the stream tells until cancelled; what runs then is put back for another worker."""
        await self._stream.listen(self._runner.run, self._runner.stop)

    async def tell_again(self) -> int:
        """Tell of tasks that nobody has begun, or whose worker died; return how many."""
        due = await self._leases.due()
        for task_id in due:
            await self._stream.put(task_id)
        return len(due)

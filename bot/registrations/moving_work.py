"""Moving many slots in the background, one after the other; each is moved whole or not at all."""

from collections.abc import Mapping

from bot.programmes.snapshots import JsonValue
from bot.registrations.moving import NoRoom, SlotEmptied, SlotMove, SlotMoving
from bot.staff.tasks.running import RunningTask, TaskResult

KIND = "slots_move"


def task_params(
    programme_id: str, slots: list[int], targets: list[int], *, cancel_rest: bool, note: str, source: str
) -> Mapping[str, JsonValue]:
    """Return the parameters of a task that moves ``slots``."""
    return {
        "programme": programme_id,
        "slots": list(slots),
        "targets": list(targets),
        "cancel_rest": cancel_rest,
        "note": note,
        "source": source,
    }


class SlotMoveTask:
    """Implements ``TaskHandler``; run again, slots that are empty already stay so."""

    def __init__(self, moving: SlotMoving) -> None:
        self._moving = moving

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Move each slot; one whose people do not fit is left as it is and counted."""
        slots = _numbers(task.params["slots"])
        targets = tuple(_numbers(task.params["targets"]))
        moved = cancelled = waiting = left = 0
        for position, slot_id in enumerate(slots):
            await task.progress(position, len(slots))
            match await self._moving.move(
                SlotMove(
                    programme_id=str(task.params["programme"]),
                    slot_id=slot_id,
                    targets=targets,
                    by=task.owner,
                    cancel_rest=task.params["cancel_rest"] is True,
                    note=str(task.params["note"]),
                    source=str(task.params["source"]),
                )
            ):
                case SlotEmptied() as emptied:
                    moved += emptied.moved
                    cancelled += emptied.cancelled
                    waiting += emptied.waiting
                case NoRoom(people, _):
                    left += people
        return TaskResult({"moved": moved, "cancelled": cancelled, "waiting": waiting, "left": left})


def _numbers(value: JsonValue) -> list[int]:
    return [number for number in value if isinstance(number, int)] if isinstance(value, list) else []

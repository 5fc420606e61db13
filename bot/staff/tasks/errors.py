"""What can go wrong with long work."""

from typing import ClassVar

from bot.values.errors import BotError


class NoSuchTask(BotError):
    """There is no such task, or it is somebody else's."""

    code: ClassVar[str] = "tasks.no_such_task"


class TaskCancelled(BotError):
    """Its owner does not want the task any more: the handler stops where it is."""

    code: ClassVar[str] = "tasks.cancelled"


class TaskLost(BotError):
    """Another worker has taken the task over: the handler writes nothing more."""

    code: ClassVar[str] = "tasks.lost"


class TaskGivenUp(BotError):
    """Every worker that tried the task died of it. ``attempts`` says how many."""

    code: ClassVar[str] = "tasks.given_up"


class UnknownKind(BotError):
    """No handler knows this kind of task. ``kind`` says which."""

    code: ClassVar[str] = "tasks.unknown_kind"

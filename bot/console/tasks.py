"""One's own long work: how far it is, what came of it, its file, and a way to stop it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.staff.tasks.models import TaskState, TaskView
from bot.staff.tasks.service import TaskBook

PAGE_ROWS: Final = 20
TASK: Final = r"/tasks/{task:\d{1,9}}"
COLOUR_OF: Final[Mapping[TaskState, str]] = {
    TaskState.QUEUED: "quiet",
    TaskState.RUNNING: "info",
    TaskState.DONE: "good",
    TaskState.FAILED: "bad",
    TaskState.CANCELLED: "quiet",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A task in the list. ``trouble`` says in a sentence what went wrong."""

    task: TaskView
    colour: str
    trouble: str


class TaskPages:
    """The tasks of whoever looks; nobody sees those of others."""

    def __init__(self, tasks: TaskBook) -> None:
        self._tasks = tasks

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of one's own menu."""
        return [NavItem("后台任务", "/tasks", None, "我的")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/tasks", self.show, None),
            Route("GET", f"{TASK}/file", self.fetch, None),
            Route("GET", f"{TASK}/cancel", self.ask_cancel, None),
            Route("POST", f"{TASK}/cancel", self.cancel, None),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many tasks wait or run, if any."""
        open_tasks = await self._tasks.open_of(visit.viewer.username)
        return [Tile("进行中的后台任务", len(open_tasks), "/tasks")] if open_tasks else []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the tasks, the latest first; a script asks for the rows alone while one of them is under way."""
        before = visit.filters().number("after", "编号", least=1, most=10**9, required=False)
        tasks = await self._tasks.of(visit.viewer.username, before=before, limit=PAGE_ROWS + 1)
        values: dict[str, Any] = {
            "lines": [self._line(visit, task) for task in tasks[:PAGE_ROWS]],
            "is_moving": any(not task.state.is_over for task in tasks),
            "next": f"/tasks?after={tasks[PAGE_ROWS - 1].id}" if len(tasks) > PAGE_ROWS else None,
            "first": "/tasks" if before is not None else None,
            "address": visit.request.path_qs,
        }
        if visit.wants_fragment:
            return visit.part("tasks/list.html", "rows", **values)
        return visit.page("tasks/list.html", **values)

    async def fetch(self, visit: Visit) -> web.StreamResponse:
        """Answer the file of a task; the trail keeps that it was fetched."""
        task, file = await self._tasks.fetch(_id(visit), owner=visit.viewer.username, source=visit.source)
        name = quote(task.file_name or f"{task.id}")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return web.Response(body=file.data, content_type=file.file.media_type, headers=headers)

    async def ask_cancel(self, visit: Visit) -> web.StreamResponse:
        """Say what stopping a task means."""
        task = await self._tasks.get(_id(visit), owner=visit.viewer.username)
        if visit.wants_fragment:
            return visit.part("tasks/cancel.html", "panel", task=task)
        return visit.page("tasks/cancel.html", task=task)

    async def cancel(self, visit: Visit) -> web.StreamResponse:
        """Stop a task."""
        await visit.form()
        task = await self._tasks.cancel(_id(visit), owner=visit.viewer.username, source=visit.source)
        if task.is_cancelling:
            return visit.to("/tasks", "tasks.cancelling")
        return visit.to("/tasks", "tasks.cancelled" if task.state is TaskState.CANCELLED else "tasks.was_over")

    @staticmethod
    def _line(visit: Visit, task: TaskView) -> Line:
        trouble = visit.sentence(task.message, task.message_fields) if task.message is not None else ""
        return Line(task, COLOUR_OF[task.state], trouble)


def _id(visit: Visit) -> int:
    return int(visit.path("task"))

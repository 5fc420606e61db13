"""The trail of what was done: searched, taken away, and checked that nobody has changed it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.staff.checks import TRAIL_CHECK, TrailChecks
from bot.staff.models import AuditView
from bot.staff.tasks.service import TaskBook
from bot.staff.trail import TrailFilter, TrailSearch
from bot.staff.trail_export import TRAIL_EXPORT

READ, EXPORT = "staff:trail:read", "staff:trail:export"
PAGE_ROWS: Final = 50
FIELDS: Final = ("actor", "action", "object_kind", "object_id", "reason", "source", "first", "last")
LIST: Final = "trail/list.html"


class TrailPages:
    """One page: the search with its rows, and above it what the last check of the chain found."""

    def __init__(self, search: TrailSearch, checks: TrailChecks, tasks: TaskBook) -> None:
        self._search = search
        self._checks = checks
        self._tasks = tasks

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("审计日志", "/trail", READ, "管理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/trail", self.show, READ),
            Route("POST", "/trail/export", self.export, EXPORT),
            Route("POST", "/trail/check", self.check, READ),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return an alarm when the last check found the chain broken."""
        if not visit.can(READ):
            return []
        latest = await self._checks.latest()
        is_broken = latest is not None and latest.broken_at is not None
        return [Tile("审计日志被改动过", 1, "/trail", urgent=True)] if is_broken else []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the rows, newest first."""
        form = visit.filters()
        wanted = _wanted(visit, form)
        before = form.number("before", "位置", least=1, most=2**31 - 1, required=False)
        if "before" in form.problems:
            before = None
        page = await self._search.page(wanted, before=before, limit=PAGE_ROWS)
        chosen = {name: form.raw(name) for name in FIELDS}
        await visit.names()
        query = urlencode({name: value for name, value in chosen.items() if value})
        values = {
            "events": page.events,
            "days": _days(page.events),
            "searched_to": page.searched_to,
            "chosen": chosen,
            "problems": form.problems,
            "next": f"/trail?{query}&before={page.before}" if page.before is not None else None,
            "first": f"/trail?{query}" if before is not None else None,
            "actions": await self._actions(visit),
            "actors": await self._search.actors(),
            "latest": await self._checks.latest(),
        }
        return visit.page(LIST, status=422 if form.problems else 200, **values)

    async def export(self, visit: Visit) -> web.StreamResponse:
        """Write what was searched for into a file, as a task."""
        form = await visit.form()
        wanted, table = _wanted(visit, form), form.option("format", "格式", ("xlsx", "csv"))
        if form.problems:
            return visit.to("/trail", "trail.bad_search")
        params = {**wanted.as_params(), "format": table}
        await self._tasks.start(
            TRAIL_EXPORT, owner=visit.viewer.username, params=params, key=form.key, source=visit.source
        )
        return visit.to("/tasks", "trail.export_started")

    async def check(self, visit: Visit) -> web.StreamResponse:
        """Check the whole chain, as a task."""
        form = await visit.form()
        await self._tasks.start(
            TRAIL_CHECK, owner=visit.viewer.username, params={}, key=form.key, source=visit.source
        )
        return visit.to("/tasks", "trail.check_started")

    async def _actions(self, visit: Visit) -> list[tuple[str, str]]:
        """Return the actions that there are, with what they are called, by name."""
        named = [(action, visit.audit_action(action)) for action in await self._search.actions()]
        return sorted(named, key=lambda pair: pair[1])


def _wanted(visit: Visit, form: Form) -> TrailFilter:
    return TrailFilter(
        actor=form.text("actor", "谁", max_chars=64, required=False),
        action=form.text("action", "做了什么", max_chars=64, required=False),
        object_kind=form.text("object_kind", "对象", max_chars=32, required=False),
        object_id=form.text("object_id", "编号", max_chars=64, required=False),
        reason=visit.audit_reason_code(form.text("reason", "事由", required=False)),
        source=form.text("source", "来自", max_chars=64, required=False),
        first=form.day("first", "从", required=False),
        last=form.day("last", "到", required=False),
    )


def _days(events: Sequence[AuditView]) -> dict[int, datetime]:
    """Return the positions at which a new day begins in the list."""
    starts: dict[int, datetime] = {}
    previous = None
    for event in events:
        if event.at.date() != previous:
            starts[event.position] = event.at
            previous = event.at.date()
    return starts

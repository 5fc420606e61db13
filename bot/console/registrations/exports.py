"""Choosing what a file with registrations holds. It is written in the background and fetched among one's tasks."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from bot.console.forms import Form
from bot.console.registrations.filters import SEARCH, key_of, read_filter, typed_filter, within
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.registrations.desk import Desk
from bot.registrations.export_columns import USUAL, columns_of
from bot.registrations.exporting import KIND, ROWS_MAX, ExportOrder
from bot.staff.rules import check_reason
from bot.staff.tasks.service import TaskBook

EXPORT: Final = "registrations:application:export"
UNMASK: Final = "registrations:application:unmask"


class RegistrationExports:
    """The dialog before an export."""

    def __init__(self, desk: Desk, tasks: TaskBook) -> None:
        self._desk = desk
        self._tasks = tasks

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return nothing: it is reached from the list."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/registrations/export", self.ask, EXPORT),
            Route("POST", "/registrations/export", self.begin, EXPORT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - The tasks have a tile.
        """Return nothing."""
        return []

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Offer the columns, and say how many lines there will be."""
        return await self._asked(visit, visit.filters())

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Start the export."""
        form = await visit.form()
        known = [column.code for column in columns_of(self._desk.sheet)]
        columns = form.options("columns", "列", known)
        if not columns:
            form.text("columns", "要导出的列")
        open_, reason = form.flag("open"), form.raw("reason").strip()
        if open_:
            visit.require(UNMASK)
            form.note("reason", check_reason(reason))
        if form.problems:
            return await self._asked(visit, form, is_refused=True)
        order = ExportOrder(
            wanted=within(read_filter(form), visit.county),
            columns=columns,
            open_=open_,
            reason=reason if open_ else "",
            key=key_of(form, self._desk.search),
            source=visit.source,
        )
        params = order.params(self._desk.search)
        await self._tasks.start(KIND, owner=visit.viewer.username, params=params, key=form.key, source=visit.source)
        return visit.to("/tasks", "tasks.started")

    async def _asked(self, visit: Visit, form: Form, *, is_refused: bool = False) -> web.Response:
        wanted, key = within(read_filter(form), visit.county), key_of(form, self._desk.search)
        values = {
            "chosen": typed_filter(wanted),
            "token": form.raw(SEARCH) if key else "",
            "total": await self._desk.list.total(wanted, key=key),
            "most": ROWS_MAX,
            "columns": columns_of(self._desk.sheet),
            "ticked": form.ticked("columns") if is_refused else USUAL,
            "may_unmask": visit.can(UNMASK),
            "problems": form.problems if is_refused else {},
            "typed": form.typed() if is_refused else {},
        }
        status = 422 if is_refused else 200
        if visit.wants_fragment:
            return visit.part("registrations/export.html", "panel", status=status, **values)
        return visit.page("registrations/export.html", status=status, **values)

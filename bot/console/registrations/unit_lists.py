"""Lists that units hand in: uploaded, looked through line by line, stored or given up."""

from collections.abc import Sequence
from typing import Any, Final, assert_never
from urllib.parse import quote

from aiohttp import web

from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.models import Programme, ProgrammeStatus
from bot.programmes.service import ProgrammeService
from bot.registrations.desk import Desk
from bot.registrations.sheets import LINES_MAX
from bot.registrations.unit_columns import columns_for
from bot.registrations.unit_lists import EXCEL, UNIT_MAX_CHARS, Authority, ListState, ListView, Upload
from bot.registrations.unit_reading import LineOutcome
from bot.registrations.unit_template import template_of
from bot.registrations.unit_work import KIND
from bot.staff.tasks.service import TaskBook
from bot.values.problem import Problem

IMPORT: Final = "registrations:application:import"
LISTS: Final = "/registrations/lists"
ONE: Final = f"{LISTS}/{{list:[0-9]{{1,9}}}}"
ROWS: Final = 100
PAGE_LISTS: Final = 20
FILE_MAX_BYTES: Final = 10 * 1024 * 1024


class UnitListPages:
    """The wizard: template, upload, what was found, and the storing."""

    def __init__(self, desk: Desk, programmes: ProgrammeService, tasks: TaskBook) -> None:
        self._desk = desk
        self._programmes = programmes
        self._tasks = tasks

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("单位名单", LISTS, IMPORT, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", LISTS, self.show, IMPORT),
            Route("POST", LISTS, self.upload, IMPORT),
            Route("GET", f"{LISTS}/template", self.template, IMPORT),
            Route("GET", ONE, self.one, IMPORT),
            Route("GET", f"{ONE}/store", self.ask_store, IMPORT),
            Route("POST", f"{ONE}/store", self.store, IMPORT),
            Route("GET", f"{ONE}/withdraw", self.ask_withdraw, IMPORT),
            Route("POST", f"{ONE}/withdraw", self.withdraw, IMPORT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - The tasks have a tile.
        """Return nothing."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Offer the template and the upload; list what was handed in before."""
        return await self._page(visit)

    async def template(self, visit: Visit) -> web.StreamResponse:
        """Answer the empty table for a programme."""
        wanted = visit.filters().raw("programme")
        programme = next((one for one in await self._open() if one.id == wanted), None)
        if programme is None:
            return visit.to(LISTS, "registration.no_programme")
        sites = await self._programmes.sites(programme.id)
        data = await template_of(programme, sites, self._desk.sheet)
        name = quote(f"单位名单模板-{programme.title}.xlsx")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return web.Response(body=data, content_type=EXCEL, headers=headers)

    async def upload(self, visit: Visit) -> web.StreamResponse:
        """Look a list through; nothing is stored by that."""
        form = await visit.form()
        programme = form.option("programme", "活动", [one.id for one in await self._open()])
        unit = form.text("unit", "单位名称", max_chars=UNIT_MAX_CHARS)
        authority = form.option("authority", "本人同意的方式", list(Authority))
        file = form.upload("file", "名单文件")
        if form.problems or file is None:
            return await self._page(visit, form)
        data = file.file.read(FILE_MAX_BYTES + 1)
        if len(data) > FILE_MAX_BYTES:
            form.note("file", Problem("sheet.too_large"))
            return await self._page(visit, form)
        outcome = await self._desk.unit_lists.check(
            Upload(
                programme_id=programme,
                unit=unit,
                authority=Authority(authority),
                file_name=file.filename,
                data=data,
                by=visit.viewer.username,
                source=visit.source,
                key=f"{visit.viewer.username}:{form.key}",
            )
        )
        match outcome:
            case ListView():
                return visit.to(f"{LISTS}/{outcome.id}")
            case Problem():
                form.note("file", outcome)
                return await self._page(visit, form)
            case _:
                assert_never(outcome)

    async def one(self, visit: Visit) -> web.StreamResponse:
        """Show what was found in a list, or became of it; a script asks for the state alone while it is stored."""
        view = await self._view(visit)
        form = visit.filters()
        wanted = form.raw("outcome")
        outcome = LineOutcome(wanted) if wanted in set(LineOutcome) else None
        after = form.number("after", "行号", least=1, most=10**6, required=False) or 0
        lines = await self._desk.unit_lists.lines(view.id, outcome=outcome, after=after, limit=ROWS)
        address = f"{LISTS}/{view.id}"
        query = f"outcome={outcome}&" if outcome else ""
        values: dict[str, Any] = {
            "view": view,
            "lines": lines,
            "chosen": outcome,
            "address": address,
            "is_moving": view.state is ListState.STORING,
            "next": f"{address}?{query}after={lines[-1].number}" if len(lines) == ROWS else None,
            "first": f"{address}?{query}".rstrip("?&") if after else None,
        }
        await visit.names()
        if visit.wants_fragment:
            return visit.part("registrations/list_one.html", "state", **values)
        return visit.page("registrations/list_one.html", **values)

    async def ask_store(self, visit: Visit) -> web.StreamResponse:
        """Say what storing means."""
        return await self._asked(visit, "registrations/list_store.html")

    async def store(self, visit: Visit) -> web.StreamResponse:
        """Begin to store."""
        view = await self._view(visit)
        owner = visit.viewer.username
        begun = await self._desk.unit_lists.begin(view.id, by=owner, source=visit.source)
        await self._tasks.start(
            KIND, owner=owner, params={"list": begun.id}, key=f"list-{begun.id}", source=visit.source
        )
        return visit.to(f"{LISTS}/{view.id}", "registration.list_started")

    async def ask_withdraw(self, visit: Visit) -> web.StreamResponse:
        """Say what giving up means."""
        return await self._asked(visit, "registrations/list_withdraw.html")

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        """Give a list up."""
        view = await self._view(visit)
        await self._desk.unit_lists.withdraw(view.id, by=visit.viewer.username, source=visit.source)
        return visit.to(LISTS, "registration.list_withdrawn")

    async def _asked(self, visit: Visit, template: str) -> web.Response:
        view = await self._view(visit)
        if visit.wants_fragment:
            return visit.part(template, "panel", view=view)
        return visit.page(template, view=view)

    async def _view(self, visit: Visit) -> ListView:
        return await self._desk.unit_lists.get(int(visit.path("list")))

    async def _open(self) -> list[Programme]:
        found = await self._programmes.published()
        return [one for one in found if one.status is not ProgrammeStatus.CLOSED and columns_for(one.kind)]

    async def _page(self, visit: Visit, form: Form | None = None) -> web.Response:
        filters = visit.filters()
        before = filters.number("after", "编号", least=1, most=10**9, required=False)
        lists = await self._desk.unit_lists.latest(limit=PAGE_LISTS, before=before)
        await visit.names()
        return visit.page(
            "registrations/lists.html",
            status=200 if form is None else 422,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
            programmes=[(one.id, one.title) for one in await self._open()],
            lists=lists,
            most=LINES_MAX,
            next=f"{LISTS}?after={lists[-1].id}" if len(lists) == PAGE_LISTS else None,
            first=LISTS if before else None,
        )

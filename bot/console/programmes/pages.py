"""Programmes in the console: the list, one of them, making and copying, opening and closing, versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from bot.console.errors import BadAddress
from bot.console.forms import Form
from bot.console.programmes.words import FIELDS, Fact, ProgrammeWords
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.copying import Copying, copy_of, days_between, new_id
from bot.programmes.differences import differences
from bot.programmes.editing import By, ProgrammeEditor
from bot.programmes.models import Programme, ProgrammeKind, ProgrammeStatus
from bot.programmes.overview import Position, ProgrammeOverview
from bot.programmes.readiness import Section
from bot.programmes.rules import faults, window_state
from bot.programmes.service import ProgrammeService
from bot.registrations.occupancy import Occupancy
from bot.values.clock import Clock
from bot.values.problem import Problem

READ, EDIT = "programmes:programme:read", "programmes:programme:edit"
ONE: Final = r"/programmes/{programme:[a-z0-9][a-z0-9-]{0,39}}"
PAGE_ROWS: Final = 20
NOTE_MAX_CHARS: Final = 200
TITLE_MAX_CHARS: Final = 60
Facts = Sequence[Fact]


class ProgrammePages:
    """Programmes as a whole. ``facts`` are what the rules of each kind may ask about."""

    def __init__(
        self,
        programmes: ProgrammeService,
        overview: ProgrammeOverview,
        editor: ProgrammeEditor,
        occupancy: Occupancy,
        clock: Clock,
        facts: dict[ProgrammeKind, Facts],
    ) -> None:
        self._programmes = programmes
        self._overview = overview
        self._editor = editor
        self._occupancy = occupancy
        self._clock = clock
        self._facts = facts

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("活动", "/programmes", READ, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/programmes", self.show, READ),
            Route("GET", "/programmes/new", self.begin, EDIT),
            Route("POST", "/programmes/new", self.create, EDIT),
            Route("GET", ONE, self.one, READ),
            Route("GET", f"{ONE}/copy", self.begin_copy, EDIT),
            Route("POST", f"{ONE}/copy", self.copy, EDIT),
            Route("GET", f"{ONE}/open", self.ask_open, EDIT),
            Route("POST", f"{ONE}/open", self.open, EDIT),
            Route("GET", f"{ONE}/close", self.ask_close, EDIT),
            Route("POST", f"{ONE}/close", self.close, EDIT),
            Route("GET", f"{ONE}/history", self.history, READ),
            Route("POST", f"{ONE}/restore", self.restore, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many drafts wait to be opened, for those who can."""
        if not visit.can(EDIT):
            return []
        drafts = (await self._overview.counts())[ProgrammeStatus.DRAFT]
        return [Tile("活动草稿", drafts, "/programmes?status=draft")] if drafts else []

    # Looking

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the programmes, the latest to open first, with how full each is."""
        form = visit.filters()
        kind, status, after = form.raw("kind"), form.raw("status"), form.raw("after")
        found = await self._overview.page(
            kind=ProgrammeKind(kind) if kind in set(ProgrammeKind) else None,
            status=ProgrammeStatus(status) if status in set(ProgrammeStatus) else None,
            after=_position(after) if after else None,
            limit=PAGE_ROWS + 1,
        )
        listed, chosen = found[:PAGE_ROWS], {"kind": kind, "status": status}
        last = listed[-1] if listed else None
        more = last is not None and len(found) > PAGE_ROWS
        where = f"{last.open_at.isoformat()}|{last.id}" if more and last else ""
        return visit.page(
            "programmes/list.html",
            listed=listed,
            uses=await self._occupancy.totals(listed),
            counts=await self._overview.counts(),
            now=self._clock.now(),
            chosen=chosen,
            next=f"/programmes?{urlencode({**chosen, 'after': where})}" if where else None,
            first=f"/programmes?{urlencode(chosen)}" if after else None,
        )

    async def one(self, visit: Visit) -> web.StreamResponse:
        """Show a programme: what it says section by section, what it lacks, how full it is."""
        programme = await self._get(visit)
        words = self._words(visit, programme)
        return visit.page(
            "programmes/show.html",
            programme=programme,
            window=type(window_state(programme, self._clock.now())).__name__,
            sections=[(section, words.facts(programme, section)) for section in FIELDS if _has(programme, section)],
            lacks=await self._editor.readiness(programme.id),
            use=(await self._occupancy.totals([programme]))[programme.id],
        )

    # Making

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Show the form for a new one: copy an earlier one, or begin with nothing."""
        return await self._new_page(visit, None)

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Make a draft with nothing but its kind, name and dates."""
        form = await visit.form()
        kind = form.option("kind", "服务", set(ProgrammeKind))
        title = form.text("title", "名称", max_chars=TITLE_MAX_CHARS)
        open_at, close_at = form.moment("open_at", "报名开始"), form.moment("close_at", "报名截止")
        start, end = form.day("service_start", "服务开始"), form.day("service_end", "服务结束")
        if open_at is None or close_at is None or start is None or end is None or form.problems:
            return await self._new_page(visit, form)
        programme = Programme(
            id=new_id(ProgrammeKind(kind), start, form.key or title),
            kind=ProgrammeKind(kind),
            title=title,
            open_at=open_at,
            close_at=close_at,
            service_start=start,
            service_end=end,
        )
        if _has_faults(form, programme):
            return await self._new_page(visit, form)
        made = await self._editor.create(programme, by_of(visit))
        return visit.to(f"/programmes/{made.id}", "programme.created")

    async def begin_copy(self, visit: Visit) -> web.StreamResponse:
        """Show the form for a copy."""
        return await self._copy_page(visit, await self._get(visit), None)

    async def copy(self, visit: Visit) -> web.StreamResponse:
        """Make a draft like an earlier programme, every date moved by as much as its service begins later."""
        source, form = await self._get(visit), await visit.form()
        title = form.text("title", "名称", max_chars=TITLE_MAX_CHARS)
        start = form.day("service_start", "服务开始")
        if form.flag("slots") and not form.flag("sites"):
            form.note("slots", Problem("programme.copy_slots_need_sites"))
        if start is None or form.problems:
            return await self._copy_page(visit, source, form)
        days = days_between(source, start)
        target = copy_of(source, new_id(source.kind, start, form.key or title), title, days)
        copying = Copying(days, sites=form.flag("sites"), slots=form.flag("slots"), posts=form.flag("posts"))
        made = await self._editor.copy(source.id, target, copying, by_of(visit))
        return visit.to(f"/programmes/{made.id}", "programme.copied", days=abs(days), way="后" if days >= 0 else "前")

    # Opening and closing

    async def ask_open(self, visit: Visit) -> web.StreamResponse:
        """Say what opening means, or what is missing."""
        programme = await self._get(visit)
        values = {
            "programme": programme,
            "lacks": await self._editor.readiness(programme.id),
            "window": type(window_state(programme, self._clock.now())).__name__,
            "offered": await self._programmes.current(programme.kind),
        }
        return panel(visit, "programmes/open.html", values)

    async def open(self, visit: Visit) -> web.StreamResponse:
        """Let followers see it."""
        programme, form = await self._get(visit), await visit.form()
        await self._editor.open(programme.id, _version(form, programme), by_of(visit, form))
        return visit.to(f"/programmes/{programme.id}", "programme.opened")

    async def ask_close(self, visit: Visit) -> web.StreamResponse:
        """Say what closing means."""
        programme = await self._get(visit)
        use = (await self._occupancy.totals([programme]))[programme.id]
        return panel(visit, "programmes/close.html", {"programme": programme, "use": use})

    async def close(self, visit: Visit) -> web.StreamResponse:
        """Take no more registrations."""
        programme, form = await self._get(visit), await visit.form()
        await self._editor.close(programme.id, _version(form, programme), by_of(visit, form))
        return visit.to(f"/programmes/{programme.id}", "programme.closed")

    # Versions

    async def history(self, visit: Visit) -> web.StreamResponse:
        """List the versions, and what changed between two of them."""
        programme, form = await self._get(visit), visit.filters()
        newer = form.number("to", "版本", least=1, most=10**6, required=False) or programme.version
        older = form.number("from", "版本", least=1, most=10**6, required=False) or max(1, newer - 1)
        before = form.number("after", "版本", least=1, most=10**6, required=False)
        found = await self._overview.editions(programme.id, before=before, limit=PAGE_ROWS + 1)
        changes = differences(
            await self._overview.version(programme.id, older), await self._overview.version(programme.id, newer)
        )
        await visit.names()
        return visit.page(
            "programmes/history.html",
            programme=programme,
            editions=found[:PAGE_ROWS],
            older=older,
            newer=newer,
            changes=self._words(visit, programme).changes(changes),
            rows_changed=await self._overview.rows_changed(programme.id, older, newer),
            next=f"?after={found[PAGE_ROWS - 1].version}" if len(found) > PAGE_ROWS else None,
            first="?" if before is not None else None,
        )

    async def restore(self, visit: Visit) -> web.StreamResponse:
        """Store what an earlier version said as a new one."""
        programme, form = await self._get(visit), await visit.form()
        earlier = form.number("earlier", "版本", least=1, most=10**6)
        if earlier is None:
            raise BadAddress(name="earlier")
        await self._editor.restore(programme.id, earlier, _version(form, programme), by_of(visit, form))
        return visit.to(f"/programmes/{programme.id}/history", "programme.restored", version=earlier)

    # Parts

    async def _get(self, visit: Visit) -> Programme:
        return await self._programmes.get(visit.path("programme"))

    def _words(self, visit: Visit, programme: Programme) -> ProgrammeWords:
        return ProgrammeWords(visit.label, self._facts[programme.kind])

    async def _new_page(self, visit: Visit, form: Form | None) -> web.Response:
        recent = await self._overview.page(limit=PAGE_ROWS)
        return visit.page("programmes/new.html", recent=recent, **typed_of(form))

    async def _copy_page(self, visit: Visit, source: Programme, form: Form | None) -> web.Response:
        counts = await self._overview.contents(source.id)
        return visit.page("programmes/copy.html", programme=source, contents=counts, **typed_of(form))


def by_of(visit: Visit, form: Form | None = None) -> By:
    """Return who does it, with the reason that was given."""
    note = form.raw("note").strip()[:NOTE_MAX_CHARS] if form is not None else ""
    return By(visit.viewer.username, visit.source, note)


def typed_of(form: Form | None) -> dict[str, Any]:
    """Return what a page needs to show a form again that was refused."""
    if form is None:
        return {}
    return {"problems": form.problems, "typed": form.typed(), "status": 422 if form.problems else 200}


def panel(visit: Visit, template: str, values: dict[str, Any]) -> web.Response:
    """Return a page that asks before something is done, or only its question for a script's dialog."""
    return visit.part(template, "panel", **values) if visit.wants_fragment else visit.page(template, **values)


def _version(form: Form, programme: Programme) -> int:
    return form.number("version", "版本", least=1, most=10**6) or programme.version


def _has(programme: Programme, section: Section) -> bool:
    return section is not Section.CHOICES or programme.kind.books_slots


def _has_faults(form: Form, programme: Programme) -> bool:
    fields = {"window.ends_before_start": "close_at", "service.ends_before_start": "service_end"}
    for fault in faults(programme):
        form.note(fields.get(fault, "title"), Problem(f"programme.fault.{fault}"))
    return bool(form.problems)


def _position(after: str) -> Position:
    moment, _, programme_id = after.partition("|")
    try:
        return Position(datetime.fromisoformat(moment), programme_id)
    except ValueError:
        raise BadAddress(name="after") from None

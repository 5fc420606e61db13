"""Deciding about many registrations at once: what will happen, how far it is, what was refused and why."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.registrations.decisions import NOTE_MAX_CHARS, default_deadline, read_return, reason_choices
from bot.console.registrations.filters import SEARCH, address_of, key_of, read_filter, within
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.service import ProgrammeService
from bot.registrations.bulk import BULK_MAX, DONE, Order, RowView, RunView
from bot.registrations.bulk_work import ALREADY_IN, KIND, NO_PLACE, OUT_OF_REACH
from bot.registrations.desk import Desk
from bot.registrations.missing_items import PARTICULARS, MissingItem, items_of
from bot.registrations.steps import BULK_STEPS, OWN_REASONS, UNDONE_BY, Step, Terms
from bot.staff.tasks.service import TaskBook
from bot.values.clock import Clock

REVIEW: Final = "registrations:application:review"
RUNS: Final = "/registrations/bulk"
RUN: Final = f"{RUNS}/{{run:[0-9]{{1,9}}}}"
ROWS: Final = 100
PAGE_RUNS: Final = 30
SHOWN: Final = 12


class RegistrationBulk:
    """Runs: asked for, begun, followed, taken back."""

    def __init__(self, desk: Desk, programmes: ProgrammeService, tasks: TaskBook, clock: Clock) -> None:
        self._desk = desk
        self._programmes = programmes
        self._tasks = tasks
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return nothing: runs begin in the list."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("POST", f"{RUNS}/ask", self.ask, REVIEW),
            Route("POST", RUNS, self.begin, REVIEW),
            Route("GET", RUNS, self.runs, REVIEW),
            Route("GET", RUN, self.show, REVIEW),
            Route("GET", f"{RUN}/undo", self.ask_undo, REVIEW),
            Route("POST", f"{RUN}/undo", self.undo, REVIEW),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - The tasks have a tile.
        """Return nothing."""
        return []

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Say what will happen to how many, and ask for what the step needs."""
        form = await visit.form()
        step = form.raw("step")
        receipts = await self._receipts(visit, form)
        here = address_of(read_filter(form), key=form.raw(SEARCH))
        if step not in BULK_STEPS:
            return visit.to(here, "registration.no_step")
        if not receipts:
            return visit.to(here, "registration.nobody_ticked")
        return await self._asked(visit, Step(step), receipts)

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Write the run down and start it."""
        form = await visit.form()
        step = Step(form.option("step", "操作", BULK_STEPS) or Step.APPROVE)
        receipts = form.raw("receipts").split()
        items = await self._items(receipts)
        reason, terms = self._reason(form, step), Terms()
        if step is Step.RETURN:
            terms = read_return(form, [item.code for item in items])
        note = form.text("note", "内部说明", max_chars=NOTE_MAX_CHARS, required=False)
        if form.problems:
            return await self._asked(visit, step, receipts, form)
        run = await self._desk.bulk.plan(
            Order(
                step=step,
                receipts=receipts,
                by=visit.viewer.username,
                reason=reason,
                key=f"{visit.viewer.username}:{form.key}",
                county=visit.county,
                note=note,
                items=terms.items,
                until=terms.until,
                source=visit.source,
            )
        )
        return await self._started(visit, run)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show how far a run is and what was refused; a script asks for the part alone while it goes on."""
        run = await self._own(visit)
        form = visit.filters()
        after = form.number("after", "序号", least=1, most=10**6, required=False) or 0
        every = form.raw("rows") == "all"
        rows = await self._desk.bulk.rows(run.id, refused_only=not every, after=after, limit=ROWS)
        address = f"/registrations/bulk/{run.id}"
        query = "rows=all&" if every else ""
        values: dict[str, Any] = {
            "run": run,
            "rows": [(row, _why(visit, row)) for row in rows],
            "every": every,
            "address": address,
            "next": f"{address}?{query}after={rows[-1].ordinal}" if len(rows) == ROWS else None,
            "first": f"{address}?{query}".rstrip("?&") if after else None,
            "reason": self._desk.reasons.text(run.reason),
            "is_final": run.step not in UNDONE_BY,
        }
        await visit.names()
        if visit.wants_fragment:
            return visit.part("registrations/run.html", "state", **values)
        return visit.page("registrations/run.html", **values)

    async def runs(self, visit: Visit) -> web.StreamResponse:
        """List the runs: one's own, or everybody's for whom everything is in reach."""
        before = visit.filters().number("after", "编号", least=1, most=10**9, required=False)
        by = None if visit.county is None else visit.viewer.username
        found = await self._desk.bulk.latest(by=by, limit=PAGE_RUNS, before=before)
        await visit.names()
        return visit.page(
            "registrations/runs.html",
            runs=found,
            next=f"{RUNS}?after={found[-1].id}" if len(found) == PAGE_RUNS else None,
            first=RUNS if before else None,
        )

    async def ask_undo(self, visit: Visit) -> web.StreamResponse:
        """Say what taking a run back means."""
        run = await self._own(visit)
        if visit.wants_fragment:
            return visit.part("registrations/run_undo.html", "panel", run=run)
        return visit.page("registrations/run_undo.html", run=run)

    async def undo(self, visit: Visit) -> web.StreamResponse:
        """Take back what a run did."""
        run, form = await self._own(visit), await visit.form()
        key = f"{visit.viewer.username}:{form.key}"
        undone = await self._desk.bulk.undo(
            run.id, by=visit.viewer.username, key=key, county=visit.county, source=visit.source
        )
        return await self._started(visit, undone)

    async def _started(self, visit: Visit, run: RunView) -> web.Response:
        owner = visit.viewer.username
        await self._tasks.start(KIND, owner=owner, params={"run": run.id}, key=f"run-{run.id}", source=visit.source)
        return visit.to(f"/registrations/bulk/{run.id}", "registration.run_started", total=run.total)

    async def _receipts(self, visit: Visit, form: Form) -> list[str]:
        if not form.flag("all"):
            return list(form.ticked("receipt"))
        wanted = within(read_filter(form), visit.county)
        key = key_of(form, self._desk.search)
        return list(await self._desk.list.receipts(wanted, key=key, limit=BULK_MAX))

    async def _asked(
        self, visit: Visit, step: Step, receipts: Sequence[str], form: Form | None = None
    ) -> web.Response:
        return visit.page(
            "registrations/bulk.html",
            status=200 if form is None else 422,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
            step=step,
            receipts=receipts,
            shown=receipts[:SHOWN],
            most=BULK_MAX,
            is_final=step not in UNDONE_BY,
            reasons=reason_choices(self._desk, step),
            items=await self._items(receipts) if step is Step.RETURN else (),
            wanted=form.ticked("items") if form is not None else (),
            until=default_deadline(self._clock.now()),
        )

    async def _items(self, receipts: Sequence[str]) -> Sequence[MissingItem]:
        """Return what can be asked for: the files too where all are of one programme."""
        programmes = await self._desk.list.programmes_of(receipts)
        if len(programmes) == 1:
            return items_of(await self._programmes.get(programmes.pop()))
        return [MissingItem(code, label, is_file=False) for code, label in PARTICULARS.items()]

    def _reason(self, form: Form, step: Step) -> str:
        if step in OWN_REASONS:
            return OWN_REASONS[step]
        return form.option("reason", "原因", [code for code, _ in reason_choices(self._desk, step)])

    async def _own(self, visit: Visit) -> RunView:
        run = await self._desk.bulk.get(int(visit.path("run")))
        if run.by != visit.viewer.username and visit.county is not None:
            raise NotFound
        return run


def _why(visit: Visit, row: RowView) -> str:
    if row.outcome is None or row.outcome == DONE:
        return ""
    if row.outcome == NO_PLACE:
        return visit.sentence(f"registration.no_place.{row.fields['what']}", {})
    code = f"registration.{row.outcome}" if row.outcome in (OUT_OF_REACH, ALREADY_IN) else row.outcome
    return visit.sentence(code, {name: str(value) for name, value in row.fields.items()})

"""Legal cases for those who run the service: assigning, lawyers' clients, and the figures of the year."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.console.errors import BadAddress
from bot.console.forms import Form
from bot.console.legal import CASE
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.legal.desk import LegalDesk
from bot.legal.models import CaseStatus, Conflict, Scope
from bot.legal.queue import Assigned, LegalQueue
from bot.legal.statistics import DIMENSIONS, LegalStatistics
from bot.staff.models import StaffView
from bot.staff.service import StaffService
from bot.values.clock import Clock

ASSIGN, CLIENTS, FIGURES = "legal:case:assign", "legal:client:edit", "reports:figures:read"
LAWYER = "lawyer"
EMPLOYER_MAX_CHARS = 80


@dataclass(frozen=True, slots=True)
class Candidate:
    """A lawyer to whom a case could go, how many running cases they have, and what the comparison gives."""

    username: str
    name: str
    county: str | None
    running: int
    conflict: Conflict


class LegalOffice:
    """The pages beside the lawyers' own."""

    def __init__(
        self, desk: LegalDesk, queue: LegalQueue, statistics: LegalStatistics, staff: StaffService, clock: Clock
    ) -> None:
        self._desk = desk
        self._queue = queue
        self._statistics = statistics
        self._staff = staff
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entries of the menu."""
        return [
            NavItem("服务单位", "/legal/clients", CLIENTS, "法律"),
            NavItem("法律统计", "/legal/statistics", FIGURES, "法律"),
        ]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", f"{CASE}/assign", self.ask_assign, ASSIGN),
            Route("POST", f"{CASE}/assign", self.assign, ASSIGN),
            Route("GET", "/legal/clients", self.clients, CLIENTS),
            Route("POST", "/legal/clients", self.add_client, CLIENTS),
            Route("POST", "/legal/clients/{client:[0-9]{1,9}}/remove", self.remove_client, CLIENTS),
            Route("GET", "/legal/statistics", self.statistics, FIGURES),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - What waits stands with the lawyers' pages.
        """Return nothing."""
        return []

    # Assigning

    async def ask_assign(self, visit: Visit) -> web.StreamResponse:
        """Show the lawyers with their load and the comparison with their clients."""
        return await self._assign_page(visit)

    async def assign(self, visit: Visit) -> web.StreamResponse:
        """Give a case to a lawyer, or take it from one and give it to another."""
        receipt, form, scope = visit.path("receipt"), await visit.form(), Scope(county=visit.county)
        lawyers = {account.username: account for account in await self._lawyers()}
        lawyer = form.option("lawyer", "律师", lawyers)
        case = await self._desk.case(receipt, scope)
        is_taken = case.summary.assigned_to is not None and case.summary.status is not CaseStatus.PENDING
        reason = form.text("reason", "原因", max_chars=64, required=is_taken)
        if form.problems:
            return await self._assign_page(visit, form)
        by, source = visit.viewer.username, visit.source
        if is_taken:
            await self._queue.reassign(receipt, lawyer, scope, by=by, reason=reason, source=source)
        else:
            outcome = await self._queue.assign(receipt, lawyer, scope, by=by, source=source)
            if not isinstance(outcome, Assigned):
                return visit.to(f"/legal/{receipt}", "legal.taken_by", lawyer=outcome.lawyer)
        await self._desk.decide(receipt, lawyer, scope, "take", by=by, source=source, reason=reason)
        return visit.to(f"/legal/{receipt}", "legal.assigned", lawyer=lawyers[lawyer].display_name)

    async def _assign_page(self, visit: Visit, form: Form | None = None) -> web.Response:
        receipt, scope = visit.path("receipt"), Scope(county=visit.county)
        case = await self._desk.case(receipt, scope)
        lawyers, loads = await self._lawyers(), await self._queue.loads()
        found = await self._desk.conflicts(receipt, [account.username for account in lawyers], scope)
        candidates = [
            Candidate(
                account.username,
                account.display_name,
                account.county,
                running=loads.get(account.username, 0),
                conflict=found[account.username],
            )
            for account in lawyers
        ]
        here = case.summary.county
        candidates.sort(key=lambda one: (one.conflict is Conflict.CONFLICT, one.county != here, one.running))
        return visit.page(
            "legal/assign.html",
            status=200 if form is None else 422,
            case=case.summary,
            candidates=candidates,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
        )

    async def _lawyers(self) -> list[StaffView]:
        return [account for account in await self._staff.accounts() if LAWYER in account.roles and account.active]

    # What lawyers declare

    async def clients(self, visit: Visit) -> web.StreamResponse:
        """Show the employers that the viewer's firm advises."""
        return await self._clients_page(visit)

    async def add_client(self, visit: Visit) -> web.StreamResponse:
        """Add an employer."""
        form = await visit.form()
        name = form.text("name", "单位名称", max_chars=EMPLOYER_MAX_CHARS)
        if form.problems:
            return await self._clients_page(visit, form)
        username = visit.viewer.username
        is_new = await self._desk.add_client(username, name, by=username, source=visit.source)
        return visit.to("/legal/clients", "legal.client_added" if is_new else "legal.client_known")

    async def remove_client(self, visit: Visit) -> web.StreamResponse:
        """Remove an employer."""
        username = visit.viewer.username
        await self._desk.remove_client(username, int(visit.path("client")), by=username, source=visit.source)
        return visit.to("/legal/clients", "legal.client_removed")

    async def _clients_page(self, visit: Visit, form: Form | None = None) -> web.Response:
        return visit.page(
            "legal/clients.html",
            status=200 if form is None else 422,
            clients=await self._desk.clients(visit.viewer.username),
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
        )

    # Figures

    async def statistics(self, visit: Visit) -> web.StreamResponse:
        """Show the figures of a period; without one those of this year."""
        form, today = visit.filters(), self._clock.now().date()
        first = form.day("from", "开始", required=False) or today.replace(month=1, day=1)
        last = form.day("to", "结束", required=False) or today
        if form.problems:
            raise BadAddress(name="from/to")
        figures = await self._statistics.figures(first, last, county=visit.county)
        return visit.page(
            "legal/statistics.html",
            figures=figures,
            dimensions=DIMENSIONS,
            first=first,
            last=last,
        )

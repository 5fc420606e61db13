"""Who wants no campaigns: the list, and what staff note for people who telephone or come to the counter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bot.campaigns.opt_out_desk import OptOutRow
from bot.campaigns.planning import masked
from bot.console.campaigns.parts import EDIT, READ, CampaignParts, Person
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.staff.rules import REASON_MAX_CHARS, check_reason

OPT_OUTS: Final = "/campaigns/opt-outs"


@dataclass(frozen=True, slots=True)
class Found:
    """One whom a search found, and whether they have opted out."""

    person: Person
    row: OptOutRow | None


class CampaignOptOutPages:
    """Opt-outs. Followers' own words 退订 and 恢复订阅 do the same without staff."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return the entry of the menu."""
        return (NavItem("退订", OPT_OUTS, READ, "群发"),)

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", OPT_OUTS, self.list, READ),
            Route("POST", f"{OPT_OUTS}/find", self.find, EDIT),
            Route("POST", f"{OPT_OUTS}/add", self.add, EDIT),
            Route("GET", f"{OPT_OUTS}/{{row:[0-9]{{1,9}}}}/lift", self.ask, EDIT),
            Route("POST", f"{OPT_OUTS}/{{row:[0-9]{{1,9}}}}/lift", self.lift, EDIT),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return ()

    async def list(self, visit: Visit) -> web.StreamResponse:
        """List those in force, the newest first, masked."""
        return await self._page(visit)

    async def find(self, visit: Visit) -> web.StreamResponse:
        """Look somebody up; what was typed does not stand in an address."""
        form = await visit.form()
        return await self._page(visit, form, await self._found(form))

    async def add(self, visit: Visit) -> web.StreamResponse:
        """Note that somebody wants no campaigns, with the reason for the trail."""
        form = await visit.form()
        openid, reason = self._parts.references.openid(form.raw("person")), self._reason(form)
        if form.problems:
            return await self._page(visit, form, await self._with_rows(await self._parts.persons([openid])))
        by = visit.viewer.username
        is_new = await self._parts.desk.opt_out_desk.add(openid, by=by, reason=reason, source=visit.source)
        return visit.to(OPT_OUTS, "campaign.opt_out_added" if is_new else "campaign.opt_out_there")

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Say what lifting means and ask for the reason."""
        return self._ask(visit)

    async def lift(self, visit: Visit) -> web.StreamResponse:
        """Let campaigns reach somebody again; a second press finds nothing to lift."""
        form = await visit.form()
        reason = self._reason(form)
        if form.problems:
            return self._ask(visit, form)
        is_lifted = await self._parts.desk.opt_out_desk.lift(
            int(visit.path("row")), by=visit.viewer.username, reason=reason, source=visit.source
        )
        return visit.to(OPT_OUTS, "campaign.opt_out_lifted" if is_lifted else "campaign.opt_out_gone")

    def _reason(self, form: Form) -> str:
        reason = form.text("reason", "原因", max_chars=REASON_MAX_CHARS)
        if "reason" not in form.problems:
            form.note("reason", check_reason(reason))
        return reason

    async def _found(self, form: Form) -> tuple[Found, ...]:
        return await self._with_rows(await self._parts.people(form))

    async def _with_rows(self, people: Sequence[Person]) -> tuple[Found, ...]:
        rows = await self._parts.desk.opt_out_desk.of([one.openid for one in people])
        return tuple(Found(one, rows.get(one.openid)) for one in people)

    def _ask(self, visit: Visit, form: Form | None = None) -> web.Response:
        values: dict[str, Any] = {"row": visit.path("row")}
        if form is not None:
            values |= {"problems": form.problems, "typed": form.typed()}
        elif visit.wants_fragment:
            return visit.part("campaigns/lift.html", "panel", **values)
        return visit.page("campaigns/lift.html", status=200 if form is None else 422, **values)

    async def _page(
        self, visit: Visit, form: Form | None = None, found: tuple[Found, ...] | None = None
    ) -> web.Response:
        filters = visit.filters()
        before = filters.number("after", "位置", least=1, most=10**9, required=False)
        page = await self._parts.desk.opt_out_desk.page(before=before)
        await visit.names()
        return visit.page(
            "campaigns/opt_outs.html",
            status=422 if form is not None and form.problems else 200,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
            total=await self._parts.desk.opt_outs.count(),
            rows=[(row, masked(row.openid)) for row in page.rows],
            found=found,
            next=f"{OPT_OUTS}?after={page.before}" if page.before else None,
            first=OPT_OUTS if before else None,
        )

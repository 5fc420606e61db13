"""The list of registrations: filtered, found, kept as views, and ticked for one decision about many."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, assert_never

from aiohttp import web

from bot.console.forms import Form
from bot.console.registrations.filters import SEARCH, address_of, key_of, read_filter, typed_filter, within
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.service import ProgrammeService
from bot.registrations.bulk import BULK_MAX
from bot.registrations.desk import Desk
from bot.registrations.errors import BadCursor
from bot.registrations.filters import STORED_STATUSES, Filter, Mark, Sort
from bot.registrations.listing import COUNT_MAX, Page
from bot.registrations.saved_views import NAME_MAX_CHARS, View
from bot.registrations.searching import SEARCH_MAX_CHARS, SearchKey
from bot.registrations.statuses import Status
from bot.registrations.steps import BULK_STEPS, Step
from bot.values.clock import Clock
from bot.values.counties import County
from bot.values.problem import Problem
from bot.values.receipts import ReceiptNumber

READ: Final = "registrations:application:read"
REVIEW: Final = "registrations:application:review"
EXPORT: Final = "registrations:application:export"
PAGE_ROWS: Final = 50
LIST: Final = "registrations/list.html"


class RegistrationPages:
    """The list."""

    def __init__(self, desk: Desk, programmes: ProgrammeService, clock: Clock) -> None:
        self._desk = desk
        self._programmes = programmes
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("报名", "/registrations", READ, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/registrations", self.show, READ),
            Route("POST", "/registrations/search", self.search, READ),
            Route("GET", "/registrations/next", self.following, REVIEW),
            Route("POST", "/registrations/views", self.save_view, READ),
            Route("POST", "/registrations/views/{view:[0-9]{1,9}}/delete", self.delete_view, READ),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many wait for a review, for those who can do it."""
        if not visit.can(REVIEW):
            return []
        county = visit.county_for(REVIEW)
        pending = address_of(Filter(status=Status.PENDING, sort=Sort.OLDEST))
        waiting, late = await self._desk.list.waiting_for_review(county), await self._desk.list.late(county)
        return [
            Tile("报名待审核", waiting, pending, is_least=waiting >= COUNT_MAX),
            *([Tile("逾期没有补交", late, address_of(Filter(mark=Mark.LATE)), urgent=True)] if late else []),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List what the filters find."""
        return await self._list(visit, visit.filters())

    async def search(self, visit: Visit) -> web.StreamResponse:
        """Turn what was typed into a sealed token, or go straight to a receipt: it never stands in an address."""
        form = await visit.form()
        found = self._desk.search.read(form.raw("q")[:SEARCH_MAX_CHARS], self._clock.now().date())
        match found:
            case ReceiptNumber():
                return visit.to(f"/registrations/{found}")
            case SearchKey():
                return visit.to(address_of(Filter(), key=self._desk.search.token(found)))
            case Problem():
                form.note("q", found)
                return await self._list(visit, visit.filters(), problems=form)
            case _:
                assert_never(found)

    async def following(self, visit: Visit) -> web.StreamResponse:
        """Go to the one that waits longest for a review, other than ``after``."""
        form = visit.filters()
        wanted = within(Filter(programme_id=form.raw("programme_id") or None), visit.county_for(REVIEW))
        waiting = await self._desk.list.receipts(replace(wanted, status=Status.PENDING, sort=Sort.OLDEST), limit=2)
        others = [receipt for receipt in waiting if receipt != form.raw("after")]
        if not others:
            return visit.to("/registrations", "registration.none_waiting")
        return visit.to(f"/registrations/{others[0]}")

    async def save_view(self, visit: Visit) -> web.StreamResponse:
        """Keep the filters under a name."""
        form = await visit.form()
        wanted = read_filter(form)
        name = form.text("name", "视图名称", max_chars=NAME_MAX_CHARS)
        if not form.problems:
            saved = await self._desk.views.save(visit.viewer.username, name, wanted, shared=form.flag("shared"))
            match saved:
                case View():
                    return visit.to(address_of(wanted), "registration.view_saved", name=saved.name)
                case Problem():
                    form.note("name", saved)
                case _:
                    assert_never(saved)
        return await self._list(visit, form, problems=form)

    async def delete_view(self, visit: Visit) -> web.StreamResponse:
        """Forget a view of one's own."""
        was_there = await self._desk.views.delete(visit.viewer.username, int(visit.path("view")))
        return visit.to("/registrations", "registration.view_deleted" if was_there else "registration.view_gone")

    async def _list(self, visit: Visit, form: Form, *, problems: Form | None = None) -> web.Response:
        wanted = within(read_filter(form), visit.county_for(READ))
        key = key_of(form, self._desk.search)
        token, after = form.raw(SEARCH) if key else "", form.raw("after") or None
        page = await self._page(wanted, key, after)
        counts = None if key else await self._desk.list.counts(replace(wanted, status=None))
        values: dict[str, Any] = {
            "problems": problems.problems if problems is not None else {},
            "typed": problems.typed() if problems is not None else {},
            "lines": page.lines,
            "next": address_of(wanted, key=token, after=page.next) if page.next else None,
            "first": address_of(wanted, key=token) if after else None,
            "token": token,
            "searched": key,
            "tabs": [
                (status, address_of(replace(wanted, status=status), key=token), counts.text(status) if counts else "")
                for status in (None, *STORED_STATUSES)
            ],
            **await self._around(visit, wanted, token),
        }
        if visit.wants_fragment and problems is None:
            answer = visit.part(LIST, "found", **values)
            # What stands in the address is what narrows, without the fields that were left empty.
            answer.headers["HX-Push-Url"] = address_of(wanted, key=token, after=after)
            return answer
        return visit.page(LIST, status=200 if problems is None else 422, **values)

    async def _around(self, visit: Visit, wanted: Filter, token: str) -> dict[str, Any]:
        """Return what stands around the lines: the filters with their choices, views, steps."""
        views = await self._desk.views.of(visit.viewer.username)
        if any(view.owner != visit.viewer.username for view in views):
            await visit.names()
        return {
            "chosen": typed_filter(wanted),
            "clear": address_of(Filter()),
            "address_for_export": address_of(wanted, key=token, path="/registrations/export"),
            "views": views,
            "address_of": address_of,
            "programmes": await self._choices(),
            "sites": await self._sites(wanted, visit),
            "county_choices": [(county.code, county.short) for county in County] if visit.county is None else [],
            "sorts": [sort for sort in Sort if sort is not Sort.RANKED or wanted.programme_id],
            "steps": [step for step in BULK_STEPS if step is not Step.CHECK_IN] if visit.can(REVIEW) else [],
            "bulk_most": BULK_MAX,
            "may_export": visit.can(EXPORT),
        }

    async def _page(self, wanted: Filter, key: SearchKey | None, after: str | None) -> Page:
        try:
            return await self._desk.list.page(wanted, key=key, after=after, limit=PAGE_ROWS)
        except BadCursor:
            return await self._desk.list.page(wanted, key=key, limit=PAGE_ROWS)

    async def _choices(self) -> list[tuple[str, str]]:
        return [(one.id, one.title) for one in await self._programmes.published()]

    async def _sites(self, wanted: Filter, visit: Visit) -> list[tuple[str, str]]:
        if wanted.programme_id is None:
            return []
        sites = await self._programmes.sites(wanted.programme_id, visit.county_for(READ))
        return [(str(site.id), site.name) for site in sites]

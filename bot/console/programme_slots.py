"""A programme's slots: a week of all sites, many made at once, and several changed or closed together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

from aiohttp import web

from bot.console.errors import BadAddress
from bot.console.forms import Form
from bot.console.programmes import EDIT, ONE, READ, by_of, panel, typed_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.models import Programme, Site, Slot
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.places_editing import PlaceEditor, PlanView
from bot.programmes.service import ProgrammeService
from bot.programmes.slot_plan import (
    CAPACITY_MAX,
    CHANGED_MAX,
    MOVED_MAX,
    SlotPlan,
    days_of,
    read_days,
    read_hours,
    too_many,
    too_many_chosen,
)
from bot.registrations.occupancy import Occupancy
from bot.values.clock import Clock
from bot.values.problem import Problem

T = TypeVar("T")
SITES_SHOWN: Final = 20
SHOWN_OF_PLAN: Final = 60
LINES_MAX_CHARS: Final = 1_000
WEEKDAYS: Final = tuple((str(number), f"周{name}") for number, name in enumerate("一二三四五六日"))


class ProgrammeSlots:
    """The calendar of a programme that books slots."""

    def __init__(
        self,
        programmes: ProgrammeService,
        overview: ProgrammeOverview,
        places: PlaceEditor,
        occupancy: Occupancy,
        clock: Clock,
    ) -> None:
        self._programmes = programmes
        self._overview = overview
        self._places = places
        self._occupancy = occupancy
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return no entry: these pages are behind a programme's."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", f"{ONE}/slots", self.week, READ),
            Route("GET", f"{ONE}/slots/new", self.begin, EDIT),
            Route("POST", f"{ONE}/slots/new", self.make, EDIT),
            Route("GET", f"{ONE}/slots/change", self.ask_change, EDIT),
            Route("POST", f"{ONE}/slots/change", self.change, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area is asked.
        """Return none."""
        return []

    async def week(self, visit: Visit) -> web.StreamResponse:
        """Show seven days of the sites, each slot with how full it is."""
        programme, form = await self._programmes.get(visit.path("programme")), visit.filters()
        today = self._clock.now().date()
        first = form.day("week", "日期", required=False)
        if first is None:
            first = await self._overview.first_day(programme.id, today) or programme.service_start
        week = await self._overview.week(programme.id, first)
        county, after = form.raw("county"), form.number("after", "点位", least=1, most=2**31, required=False)
        sites = await self._overview.sites(programme.id)
        listed, more = _page_of([site for site in sites if county in ("", site.county)], after)
        return visit.page(
            "programmes/slots.html",
            programme=programme,
            week=week,
            cells=_cells(week.slots),
            sites=listed,
            uses=(await self._occupancy.of(programme)).by_slot,
            counties_there=list(dict.fromkeys(site.county for site in sites)),
            chosen_county=county,
            next_site=listed[-1].id if more else None,
            is_first=after is None,
            today=today,
        )

    # Many at once

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Show the form for many slots."""
        programme = await self._programmes.get(visit.path("programme"))
        return await self._plan_page(visit, programme, None, None)

    async def make(self, visit: Visit) -> web.StreamResponse:
        """Show what the plan would make, and make it when that was confirmed."""
        programme, form = await self._programmes.get(visit.path("programme")), await visit.form()
        sites = await self._overview.sites(programme.id)
        plan = read_plan(form, programme, sites)
        if plan is None:
            return await self._plan_page(visit, programme, form, None)
        if not form.has("make"):
            return await self._plan_page(visit, programme, form, await self._places.preview(plan))
        made = await self._places.carry_out(plan, by_of(visit, form))
        return visit.to(
            f"/programmes/{programme.id}/slots?week={min(plan.days).isoformat()}",
            "programme.slots_made",
            new=len(made.new),
            existing=len(made.existing),
        )

    async def _plan_page(
        self, visit: Visit, programme: Programme, form: Form | None, view: PlanView | None
    ) -> web.Response:
        sites = [site for site in await self._overview.sites(programme.id) if not site.closed]
        return visit.page(
            "programmes/slots_new.html",
            programme=programme,
            sites=sites,
            weekdays=WEEKDAYS,
            ticked_days=form.all("weekdays") if form is not None else [code for code, _ in WEEKDAYS[:5]],
            ticked_sites=form.all("sites") if form is not None else [str(site.id) for site in sites],
            view=view,
            shown=() if view is None else view.new[:SHOWN_OF_PLAN],
            names={site.id: site.name for site in sites},
            **typed_of(form),
        )

    # Several together

    async def ask_change(self, visit: Visit) -> web.StreamResponse:
        """Show the chosen slots, who is booked there, and what can be done with them."""
        programme, form = await self._programmes.get(visit.path("programme")), visit.filters()
        return await self._change_page(visit, programme, form, None)

    async def change(self, visit: Visit) -> web.StreamResponse:
        """Give the chosen slots another capacity, close or open them."""
        programme, form = await self._programmes.get(visit.path("programme")), await visit.form()
        step = form.raw("step")
        if step not in ("capacity", "close", "open"):
            raise BadAddress(name="step")
        capacity = None
        if step == "capacity":
            capacity = form.number("capacity", "名额", least=0, most=CAPACITY_MAX)
        ids = await self._chosen_ids(programme, form)
        if form.problems or too_many_chosen(len(ids), CHANGED_MAX) is not None:
            return await self._change_page(visit, programme, form, form)
        chosen = await self._overview.slots(programme.id, ids)
        count = await self._places.change_slots(
            programme.id, ids, by_of(visit, form), capacity=capacity, closed={"close": True, "open": False}.get(step)
        )
        where = f"?week={chosen[0].day.isoformat()}" if chosen else ""
        return visit.to(f"/programmes/{programme.id}/slots{where}", "programme.slots_changed", count=count)

    async def _change_page(self, visit: Visit, programme: Programme, form: Form, sent: Form | None) -> web.Response:
        ids = await self._chosen_ids(programme, form)
        refused = too_many_chosen(len(ids), CHANGED_MAX)
        chosen = await self._overview.slots(programme.id, ids) if refused is None else ()
        uses = (await self._occupancy.of(programme)).by_slot if chosen else {}
        values: dict[str, Any] = {
            "programme": programme,
            "refused": refused,
            "too_many_to_move": too_many_chosen(len(chosen), MOVED_MAX),
            "slots": chosen,
            "uses": uses,
            "names": {site.id: site.name for site in await self._overview.sites(programme.id)},
            "taken": sum(uses[slot.id].used for slot in chosen),
            "waiting": sum(uses[slot.id].waiting for slot in chosen),
            **typed_of(sent),
        }
        if sent is not None and refused is not None:
            values["status"] = 422
        return panel(visit, "programmes/slots_change.html", values)

    async def _chosen_ids(self, programme: Programme, form: Form) -> list[int]:
        """Return the numbers that were ticked, and those of every open slot of a day that was named."""
        ids = {int(one) for one in form.all("slot") if one.isascii() and one.isdecimal() and len(one) < 12}
        day = form.day("day", "日期", required=False)
        if day is not None:
            ids |= set(await self._places.slots_on(programme.id, day=day))
        return sorted(ids)


def read_plan(form: Form, programme: Programme, sites: Sequence[Site]) -> SlotPlan | None:
    """Return the plan of the form; ``None`` when something is wrong, which stands in ``form.problems``."""
    first, last = form.day("first", "从哪天"), form.day("last", "到哪天")
    places = form.number("places", "名额", least=1, most=CAPACITY_MAX, required=False)
    chosen = form.options("sites", "点位", [str(site.id) for site in sites if not site.closed])
    weekdays = form.options("weekdays", "星期", [code for code, _ in WEEKDAYS])
    hours = _noted(form, "hours", read_hours(form.raw("hours")[:LINES_MAX_CHARS], places=places))
    if not chosen:
        form.note("sites", Problem("programme.sites_needed"))
    if first is None or last is None:
        return None
    but = _noted(form, "but", read_days(form.raw("but")[:LINES_MAX_CHARS], first.year))
    days = _noted(form, "last", days_of(first, last, [int(one) for one in weekdays], but))
    if form.problems:
        return None
    plan = SlotPlan(programme.id, tuple(int(one) for one in chosen), tuple(days), tuple(hours))
    form.note("hours", too_many(plan))
    return None if form.problems else plan


def _noted(form: Form, name: str, read: tuple[T, ...] | Problem) -> tuple[T, ...]:
    if isinstance(read, Problem):
        form.note(name, read)
        return ()
    return read


def _cells(slots: Sequence[Slot]) -> Mapping[tuple[int, date], list[Slot]]:
    cells: dict[tuple[int, date], list[Slot]] = defaultdict(list)
    for slot in slots:
        cells[slot.site_id, slot.day].append(slot)
    return cells


def _page_of(sites: Sequence[Site], after: int | None) -> tuple[Sequence[Site], bool]:
    """Return a page of the sites behind the one with that id, and whether there are more."""
    start = next((number + 1 for number, site in enumerate(sites) if site.id == after), 0)
    return sites[start : start + SITES_SHOWN], len(sites) > start + SITES_SHOWN

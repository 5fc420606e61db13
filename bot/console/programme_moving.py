"""Moving the people of slots: choose where to, see who fits, confirm; the work itself is a task."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from bot.console.forms import Form
from bot.console.programmes import EDIT, NOTE_MAX_CHARS, ONE, typed_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.models import Programme, Slot
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.service import ProgrammeService
from bot.programmes.slot_plan import MOVED_MAX, too_many_chosen
from bot.registrations.moving_work import KIND, task_params
from bot.registrations.occupancy import Occupancy
from bot.registrations.outcomes import FreeSlot
from bot.registrations.service import RegistrationService
from bot.staff.tasks.service import TaskBook
from bot.values.problem import Problem

TARGETS_SHOWN: Final = 60


class ProgrammeMoving:
    """The page behind "转走"."""

    def __init__(
        self,
        programmes: ProgrammeService,
        overview: ProgrammeOverview,
        registrations: RegistrationService,
        occupancy: Occupancy,
        tasks: TaskBook,
    ) -> None:
        self._programmes = programmes
        self._overview = overview
        self._registrations = registrations
        self._occupancy = occupancy
        self._tasks = tasks

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return no entry: the page is behind a programme's slots."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", f"{ONE}/slots/move", self.ask, EDIT),
            Route("POST", f"{ONE}/slots/move", self.move, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area is asked.
        """Return none."""
        return []

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Show whose slots they are, where there is room, and how many of them fit what is ticked."""
        programme = await self._programmes.get(visit.path("programme"))
        return await self._page(visit, programme, visit.filters(), None)

    async def move(self, visit: Visit) -> web.StreamResponse:
        """Start the work."""
        programme, form = await self._programmes.get(visit.path("programme")), await visit.form()
        sources, targets = _numbers(form, "slot"), _numbers(form, "target")
        cancel_rest, note = form.flag("cancel_rest"), form.text("note", "原因", max_chars=NOTE_MAX_CHARS)
        form.note("slot", too_many_chosen(len(sources), MOVED_MAX))
        if not sources:
            form.note("target", Problem("programme.nothing_chosen"))
        if not targets and not cancel_rest:
            form.note("target", Problem("programme.no_target"))
        if form.problems:
            return await self._page(visit, programme, form, form)
        params = task_params(programme.id, sources, targets, cancel_rest=cancel_rest, note=note, source=visit.source)
        await self._tasks.start(KIND, owner=visit.viewer.username, params=params, key=form.key, source=visit.source)
        return visit.to("/tasks", "programme.moving")

    async def _page(self, visit: Visit, programme: Programme, form: Form, sent: Form | None) -> web.Response:
        ids = _numbers(form, "slot")
        refused = too_many_chosen(len(ids), MOVED_MAX)
        sources = await self._overview.slots(programme.id, ids) if refused is None else ()
        chosen = set(_numbers(form, "target"))
        uses = (await self._occupancy.of(programme)).by_slot if sources else {}
        free = await self._registrations.slots(programme.id) if sources else ()
        listed = _nearest(sources, free, chosen)
        values: dict[str, Any] = {
            "programme": programme,
            "refused": refused,
            "slots": sources,
            "uses": uses,
            "names": {site.id: site.name for site in await self._overview.sites(programme.id)},
            "people": sum(uses[slot.id].taken for slot in sources),
            "waiting": sum(uses[slot.id].waiting + uses[slot.id].offered for slot in sources),
            "targets": listed,
            "chosen": chosen,
            "room": sum(slot.free for slot in listed if slot.slot_id in chosen),
            **typed_of(sent),
        }
        return visit.page("programmes/slots_move.html", **values)


def _nearest(sources: Sequence[Slot], free: Sequence[FreeSlot], chosen: set[int]) -> list[FreeSlot]:
    """Return the slots with room, those at the same site and nearest in time first; what is ticked is among them."""
    if not sources:
        return []
    first, leaving = sources[0], {slot.id for slot in sources}
    county = next((slot.county for slot in free if slot.site_id == first.site_id), "")
    able = [slot for slot in free if slot.slot_id not in leaving and (slot.free > 0 or slot.slot_id in chosen)]
    able.sort(
        key=lambda slot: (
            slot.slot_id not in chosen,
            slot.site_id != first.site_id,
            slot.county != county,
            abs(slot.day - first.day),
            slot.day,
            slot.start,
        )
    )
    return able[:TARGETS_SHOWN]


def _numbers(form: Form, name: str) -> list[int]:
    given = (one for one in form.all(name) if one.isascii() and one.isdecimal() and len(one) < 12)
    return list(dict.fromkeys(int(one) for one in given))

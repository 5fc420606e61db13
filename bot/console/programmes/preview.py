"""What followers will read about a programme, as it looks in the chat: as it is stored, and while it is typed."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from actions.programme_preview import scenes
from bot.console.programmes.form import read_section
from bot.console.programmes.pages import EDIT, ONE, READ, Facts
from bot.console.programmes.sections import SECTION, section_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.dialogue.render import Renderer
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.service import ProgrammeService
from bot.registrations.service import RegistrationService
from bot.values.clock import Clock


class ProgrammePreview:
    """Says a programme with the bot's own texts; nothing is stored or sent."""

    def __init__(
        self,
        programmes: ProgrammeService,
        registrations: RegistrationService,
        renderer: Renderer,
        clock: Clock,
        facts: dict[ProgrammeKind, Facts],
    ) -> None:
        self._programmes = programmes
        self._registrations = registrations
        self._renderer = renderer
        self._clock = clock
        self._facts = facts

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return no entry: these pages are behind a programme's."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", f"{ONE}/preview", self.show, READ),
            Route("POST", f"{SECTION}/preview", self.typed, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area is asked.
        """Return none."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the programme as it is stored."""
        return await self._said(visit, await self._programmes.get(visit.path("programme")))

    async def typed(self, visit: Visit) -> web.StreamResponse:
        """Show the programme with what stands in a section's form; a value that is wrong stays as it was."""
        section, form = section_of(visit), await visit.form()
        current = await self._programmes.get(visit.path("programme"))
        return await self._said(visit, read_section(form, section, current, self._facts[current.kind]))

    async def _said(self, visit: Visit, programme: Programme) -> web.Response:
        slots = await self._registrations.slots(programme.id) if programme.kind.books_slots else ()
        found = scenes(programme, slots, self._clock.now().date())
        said = [(scene.code, self._renderer.render(scene.outcomes)) for scene in found]
        values: dict[str, Any] = {"programme": programme, "scenes": said}
        if visit.wants_fragment:
            return visit.part("programmes/preview.html", "panel", **values)
        return visit.page("programmes/preview.html", **values)

"""How full a programme is at this moment: as a whole, by county, by site or post; the figures renew themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.console.pages import county_name
from bot.console.programmes.pages import ONE, READ
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.service import ProgrammeService
from bot.registrations.occupancy import Occupancy, Use
from bot.values.clock import Clock


class ProgrammeOccupancy:
    """The page of places taken, offered, held and waited for."""

    def __init__(
        self, programmes: ProgrammeService, overview: ProgrammeOverview, occupancy: Occupancy, clock: Clock
    ) -> None:
        self._programmes = programmes
        self._overview = overview
        self._occupancy = occupancy
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return no entry: the page is behind a programme's."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the address."""
        return [Route("GET", f"{ONE}/occupancy", self.show, READ)]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area is asked.
        """Return none."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the figures; a script asks for them alone."""
        programme = await self._programmes.get(visit.path("programme"))
        use = await self._occupancy.of(programme)
        if programme.kind.books_slots:
            sites = await self._overview.sites(programme.id)
            rows = _named(use.by_site, {site.id: (site.name, site.county) for site in sites})
        else:
            posts = await self._overview.posts(programme.id)
            rows = _named(use.by_post, {post.id: (f"{post.unit} {post.title}", post.county) for post in posts})
        values: dict[str, Any] = {
            "programme": programme,
            "total": use.total,
            "counties": [(county_name(code), one) for code, one in sorted(use.by_county.items())],
            "rows": rows,
            "at": self._clock.now(),
        }
        if visit.wants_fragment:
            return visit.part("programmes/occupancy.html", "figures", **values)
        return visit.page("programmes/occupancy.html", **values)


def _named(uses: Mapping[int, Use], names: Mapping[int, tuple[str, str]]) -> list[tuple[str, str, Use]]:
    """Return name, county and use of each row, in the order of ``names``."""
    return [(*name, uses[row]) for row, name in names.items() if row in uses]

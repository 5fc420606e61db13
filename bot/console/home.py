"""The start page: what waits for the viewer, and where everything is."""

from collections.abc import Sequence

from aiohttp import web

from bot.console.routing import Area, NavItem, Route, Tile
from bot.console.visit import Visit


class HomePages:
    """Asks every area what waits for this viewer."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._areas = areas

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the first entry of the menu."""
        return [NavItem("工作台", "/", None, "")]

    def routes(self) -> Sequence[Route]:
        """Return the start page."""
        return [Route("GET", "/", self.home, None)]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - The start page has no tile of itself.
        """Return nothing."""
        return []

    async def home(self, visit: Visit) -> web.StreamResponse:
        """Show the tiles of every area, urgent ones first."""
        tiles = [tile for area in self._areas for tile in await area.tiles(visit)]
        return visit.page("home.html", tiles=sorted(tiles, key=lambda tile: not (tile.urgent and tile.count)))

"""What an area of the console is: routes with their permissions, entries of the menu, tiles of the start page."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from aiohttp import web

if TYPE_CHECKING:
    from bot.console.visit import Visit

Handler = Callable[["Visit"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One address. ``permission`` is ``scope:resource:action``; ``None`` is for everybody who is signed in.

    How far the permission reaches (all, county, own) is the handler's to apply: ``Visit.county``, ``owner``.
    ``always``: also for somebody who still has to change a one-time password or set up a code generator.
    ``quiet``: pages ask by themselves, so that asking does not keep a session alive.
    """

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    permission: str | None
    always: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the menu, shown to those who have ``permission``. ``group`` puts entries under one heading."""

    title: str
    path: str
    permission: str | None
    group: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A number on the start page that leads to the work behind it.

    ``urgent`` marks what cannot wait; ``is_least`` says that counting stopped there.
    """

    title: str
    count: int
    path: str
    urgent: bool = False
    is_least: bool = False


class Area(Protocol):
    """One subject's pages."""

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entries of the menu."""
        ...

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        ...

    async def tiles(self, visit: "Visit") -> Sequence[Tile]:
        """Return what waits for this viewer, in one or two queries; nothing that the viewer may not see."""
        ...


@runtime_checkable
class Streams(Protocol):
    """What an area whose answers stay open provides as well."""

    def end_streams(self) -> None:
        """Let them end: the console stops."""
        ...

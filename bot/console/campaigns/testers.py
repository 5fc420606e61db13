"""Colleagues who get previews on their phones: found once, then chosen by name."""

from typing import Final

from aiohttp import web

from bot.campaigns.planning import masked
from bot.campaigns.testers import NAME_MAX_CHARS, TESTERS_MAX
from bot.console.campaigns.parts import EDIT, READ, CampaignParts, Person
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.values.problem import Problem

TESTERS: Final = "/campaigns/testers"


class CampaignTesterPages:
    """The list of testers."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return nothing: it is reached from the list of campaigns and from each preview."""
        return ()

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", TESTERS, self.list, READ),
            Route("POST", f"{TESTERS}/find", self.find, EDIT),
            Route("POST", f"{TESTERS}/add", self.add, EDIT),
            Route("POST", f"{TESTERS}/{{tester:[0-9]{{1,9}}}}/remove", self.remove, EDIT),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return ()

    async def list(self, visit: Visit) -> web.StreamResponse:
        """List the testers by name."""
        return await self._page(visit)

    async def find(self, visit: Visit) -> web.StreamResponse:
        """Look a colleague up by what they registered with or by their OpenID."""
        form = await visit.form()
        return await self._page(visit, form, tuple(await self._parts.people(form)))

    async def add(self, visit: Visit) -> web.StreamResponse:
        """Put somebody who was found on the list under a name."""
        form = await visit.form()
        openid = self._parts.references.openid(form.raw("person"))
        name = form.text("name", "名字", max_chars=NAME_MAX_CHARS)
        if len(await self._parts.desk.testers.all()) >= TESTERS_MAX:
            form.note("name", Problem("campaign.testers_full", {"max": TESTERS_MAX}))
        if form.problems:
            return await self._page(visit, form, tuple(await self._parts.persons([openid])))
        is_new = await self._parts.desk.testers.add(openid, name, by=visit.viewer.username, source=visit.source)
        if is_new:
            return visit.to(TESTERS, "campaign.tester_added", name=name)
        return visit.to(TESTERS, "campaign.tester_there")

    async def remove(self, visit: Visit) -> web.StreamResponse:
        """Take somebody off the list; they are found again as easily."""
        await visit.form()
        await self._parts.desk.testers.remove(
            int(visit.path("tester")), by=visit.viewer.username, source=visit.source
        )
        return visit.to(TESTERS, "campaign.tester_removed")

    async def _page(
        self, visit: Visit, form: Form | None = None, found: tuple[Person, ...] | None = None
    ) -> web.Response:
        return visit.page(
            "campaigns/testers.html",
            status=422 if form is not None and form.problems else 200,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
            testers=[(one, masked(one.openid)) for one in await self._parts.desk.testers.all()],
            found=found,
        )

"""A programme's sites and posts: the lists, and the form for one of them."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.programmes.pages import EDIT, ONE, READ, by_of, typed_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.models import Post, Programme, Site
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.places_editing import PlaceEditor
from bot.programmes.service import ProgrammeService
from bot.registrations.occupancy import Occupancy
from bot.values.counties import County

NAME_MAX_CHARS: Final = 80
PHONE_MAX_CHARS: Final = 40
PREP_MAX_CHARS: Final = 600
PLACES_MAX: Final = 100_000
ID_MAX: Final = 2**31 - 1


class ProgrammePlaces:
    """Where it happens: the sites of a programme with slots, the posts of one without."""

    def __init__(
        self, programmes: ProgrammeService, overview: ProgrammeOverview, places: PlaceEditor, occupancy: Occupancy
    ) -> None:
        self._programmes = programmes
        self._overview = overview
        self._places = places
        self._occupancy = occupancy

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return no entry: these pages are behind a programme's."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", f"{ONE}/sites", self.sites, READ),
            Route("GET", f"{ONE}/sites/edit", self.edit_site, EDIT),
            Route("POST", f"{ONE}/sites/edit", self.save_site, EDIT),
            Route("GET", f"{ONE}/posts", self.posts, READ),
            Route("GET", f"{ONE}/posts/edit", self.edit_post, EDIT),
            Route("POST", f"{ONE}/posts/edit", self.save_post, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area is asked.
        """Return none."""
        return []

    # Sites

    async def sites(self, visit: Visit) -> web.StreamResponse:
        """List the sites with how full each is."""
        programme = await self._programmes.get(visit.path("programme"))
        return visit.page(
            "programmes/sites.html",
            programme=programme,
            sites=await self._overview.sites(programme.id),
            uses=(await self._occupancy.of(programme)).by_site,
        )

    async def edit_site(self, visit: Visit) -> web.StreamResponse:
        """Show the form for a site; without a number, for a new one."""
        programme = await self._programmes.get(visit.path("programme"))
        return self._site_page(visit, programme, await self._site(programme, visit.filters()), None)

    async def save_site(self, visit: Visit) -> web.StreamResponse:
        """Store a site."""
        programme, form = await self._programmes.get(visit.path("programme")), await visit.form()
        before = await self._site(programme, form)
        site = replace(
            before,
            name=form.text("name", "名称", max_chars=NAME_MAX_CHARS),
            county=form.option("county", "区县", [county.code for county in County]),
            address=form.text("address", "地址"),
            phone=form.text("phone", "电话", max_chars=PHONE_MAX_CHARS, required=False),
            prep_text=form.text("prep_text", "须知", max_chars=PREP_MAX_CHARS, required=False),
            closed=form.flag("closed"),
            code=before.code or _new_code(form),
        )
        if form.problems:
            return self._site_page(visit, programme, before, form)
        # A code that is taken was made by the same form, sent twice: the site is there.
        await self._places.save_site(site, by_of(visit, form))
        return visit.to(f"/programmes/{programme.id}/sites", "programme.site_saved")

    async def _site(self, programme: Programme, form: Form) -> Site:
        site_id = form.number("id", "点位", least=1, most=ID_MAX, required=False)
        if site_id is None:
            return Site(programme_id=programme.id, code="", name="", county="", address="")
        found = [site for site in await self._overview.sites(programme.id) if site.id == site_id]
        if not found:
            raise NotFound
        return found[0]

    def _site_page(self, visit: Visit, programme: Programme, site: Site, form: Form | None) -> web.Response:
        return visit.page("programmes/site_edit.html", programme=programme, site=site, **typed_of(form))

    # Posts

    async def posts(self, visit: Visit) -> web.StreamResponse:
        """List the posts with how full each is."""
        programme = await self._programmes.get(visit.path("programme"))
        return visit.page(
            "programmes/posts.html",
            programme=programme,
            posts=await self._overview.posts(programme.id),
            uses=(await self._occupancy.of(programme)).by_post,
        )

    async def edit_post(self, visit: Visit) -> web.StreamResponse:
        """Show the form for a post; without a number, for a new one."""
        programme = await self._programmes.get(visit.path("programme"))
        return self._post_page(visit, programme, await self._post(programme, visit.filters()), None)

    async def save_post(self, visit: Visit) -> web.StreamResponse:
        """Store a post."""
        programme, form = await self._programmes.get(visit.path("programme")), await visit.form()
        before = await self._post(programme, form)
        post = replace(
            before,
            unit=form.text("unit", "单位", max_chars=NAME_MAX_CHARS),
            title=form.text("title", "岗位", max_chars=NAME_MAX_CHARS),
            county=form.option("county", "区县", [county.code for county in County]),
            places=form.number("places", "人数", least=0, most=PLACES_MAX) or 0,
            closed=form.flag("closed"),
            code=before.code or _new_code(form),
        )
        if form.problems:
            return self._post_page(visit, programme, before, form)
        await self._places.save_post(post, by_of(visit, form))
        return visit.to(f"/programmes/{programme.id}/posts", "programme.post_saved")

    async def _post(self, programme: Programme, form: Form) -> Post:
        post_id = form.number("id", "岗位", least=1, most=ID_MAX, required=False)
        if post_id is None:
            return Post(programme_id=programme.id, code="", unit="", title="", county="", places=1)
        found = [post for post in await self._overview.posts(programme.id) if post.id == post_id]
        if not found:
            raise NotFound
        return found[0]

    def _post_page(self, visit: Visit, programme: Programme, post: Post, form: Form | None) -> web.Response:
        return visit.page("programmes/post_edit.html", programme=programme, post=post, **typed_of(form))


def _new_code(form: Form) -> str:
    """Return the code of a new row, the same for the same form."""
    return sha256((form.key or form.raw("name") + form.raw("unit") + form.raw("title")).encode()).hexdigest()[:10]

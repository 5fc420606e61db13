"""The platform's tags: which there are, how many have them, when they were read, and reading them anew."""

from typing import Final

from aiohttp import web

from bot.campaigns.errors import NoSuchTag
from bot.campaigns.platform_tags import known_tags
from bot.campaigns.tag_work import KIND, params_of
from bot.console.campaigns.parts import EDIT, READ, CampaignParts, platform_words
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.wechat.errors import ApiCallFailed

TAGS: Final = "/campaigns/tags"


class CampaignTagPages:
    """The list of the platform's tags."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return nothing: it is reached from the list of campaigns and from the form."""
        return ()

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", TAGS, self.list, READ),
            Route("POST", f"{TAGS}/refresh", self.refresh, EDIT),
            Route("POST", f"{TAGS}/{{tag:[0-9]{{1,9}}}}/pull", self.pull, EDIT),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return ()

    async def list(self, visit: Visit) -> web.StreamResponse:
        """List the tags by name, as they were last seen."""
        return await self._page(visit)

    async def refresh(self, visit: Visit) -> web.StreamResponse:
        """Ask the platform which tags there are; that is one call, which may be repeated."""
        await visit.form()
        try:
            found = await self._parts.tags.refresh(by=visit.viewer.username, source=visit.source)
        except ApiCallFailed as error:
            return await self._page(visit, trouble=f"没有更新：{platform_words(visit, error.code)}。")
        return visit.to(TAGS, "campaign.tags_refreshed", count=len(found))

    async def pull(self, visit: Visit) -> web.StreamResponse:
        """Have a worker read who has a tag; a large one takes a minute."""
        tag_id, form = int(visit.path("tag")), await visit.form()
        if tag_id not in {one.id for one in await known_tags(self._parts.database)}:
            raise NoSuchTag(tag_id=tag_id)
        await self._parts.tasks.start(
            KIND,
            owner=visit.viewer.username,
            params=params_of(tag_id, visit.source),
            key=form.key,
            source=visit.source,
        )
        return visit.to("/tasks", "campaign.tag_reading")

    async def _page(self, visit: Visit, *, trouble: str = "") -> web.Response:
        tags = await known_tags(self._parts.database)
        return visit.page(
            "campaigns/tags.html",
            status=409 if trouble else 200,
            tags=tags,
            trouble=trouble,
            seen_at=max((one.seen_at for one in tags), default=None),
        )

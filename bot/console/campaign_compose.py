"""Writing a campaign: content, audience, channel and schedule in one form, with a view as on a phone."""

from typing import Any

from aiohttp import web

from bot.campaigns.content import ARTICLES_MAX, MASS_TEXT_BYTES, PLACEHOLDERS
from bot.campaigns.drafts import CampaignDraft, check_draft
from bot.campaigns.errors import CampaignChanged, NotInThisState
from bot.campaigns.models import SendChannel
from bot.campaigns.rules import channels_of
from bot.campaigns.views import CampaignView
from bot.console.campaign_form import ARTICLE_PARTS, KINDS, fresh_values, is_in_form, read_draft, values_of
from bot.console.campaign_parts import CAMPAIGN, EDIT, CampaignParts, address, why
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit

MULTIPLE = ("counties", "categories", "statuses", "weekdays")


class CampaignCompose:
    """The form for new campaigns, changes and copies."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return nothing: it is reached from the list."""
        return ()

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", "/campaigns/new", self.new, EDIT),
            Route("POST", "/campaigns/new", self.create, EDIT),
            Route("GET", f"{CAMPAIGN}/edit", self.edit, EDIT),
            Route("POST", f"{CAMPAIGN}/edit", self.save, EDIT),
            Route("POST", f"{CAMPAIGN}/copy", self.copy, EDIT),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return ()

    async def new(self, visit: Visit) -> web.StreamResponse:
        """Ask for a campaign."""
        return await self._page(visit, None)

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Store a draft, also one that is not yet complete: its page says what is missing."""
        form = await visit.form()
        draft = await self._draft(visit, form)
        if draft is None:
            return await self._page(visit, None, form)
        key = f"{visit.viewer.username}:{form.key}"
        view = await self._parts.desk.service.create(draft, by=visit.viewer.username, key=key, source=visit.source)
        return self._stored(visit, view, draft)

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """Show a campaign in its form."""
        view = await self._parts.campaign(visit)
        if not view.state.is_editable:
            refused = NotInThisState(state=view.state.value, step="edit")
            return visit.to(address(view.id), "campaign.refused", why=why(visit, refused))
        if not is_in_form(view.audience):
            return visit.to(address(view.id), "campaign.audience_by_shell")
        return await self._page(visit, view)

    async def save(self, visit: Visit) -> web.StreamResponse:
        """Store a change; what a colleague changed meanwhile is not overwritten."""
        view, form = await self._parts.campaign(visit), await visit.form()
        draft = await self._draft(visit, form)
        version = form.number("version", "版本", least=1, most=10**6)
        if draft is None or version is None:
            return await self._page(visit, view, form)
        try:
            saved = await self._parts.desk.service.edit(
                view.id, draft, by=visit.viewer.username, version=version, source=visit.source
            )
        except (CampaignChanged, NotInThisState) as error:
            return await self._page(visit, view, form, trouble=why(visit, error))
        return self._stored(visit, saved, draft)

    async def copy(self, visit: Visit) -> web.StreamResponse:
        """Make a new draft of an earlier campaign."""
        view, form = await self._parts.campaign(visit), await visit.form()
        key = f"{visit.viewer.username}:{form.key}"
        made = await self._parts.desk.service.copy(view.id, by=visit.viewer.username, key=key, source=visit.source)
        return visit.to(address(made.id), "campaign.copied")

    def _stored(self, visit: Visit, view: CampaignView, draft: CampaignDraft) -> web.Response:
        found = check_draft(draft)
        if found:
            return visit.to(address(view.id), "campaign.saved_with_problems", count=len(found))
        return visit.to(address(view.id), "campaign.saved")

    async def _draft(self, visit: Visit, form: Form) -> CampaignDraft | None:
        return read_draft(form, await self._parts.titles(), dict(visit.labels("worker_category")))

    async def _page(
        self, visit: Visit, view: CampaignView | None, form: Form | None = None, *, trouble: str = ""
    ) -> web.Response:
        typed = {} if form is None else form.typed()
        written: dict[str, Any] = dict(fresh_values() if view is None else values_of(view))
        ticked = {name: form.all(name) if form is not None else written.get(name, ()) for name in MULTIPLE}
        shown = written | typed | ticked
        blocks = [place for place in range(1, ARTICLES_MAX + 1) if shown.get(f"a{place}_title")]
        channels = channels_of(self._parts.desk.planner.account)
        return visit.page(
            "campaigns/form.html",
            status=200 if form is None else (409 if trouble else 422),
            problems=form.problems if form is not None else {},
            typed=typed,
            view=view,
            v=shown,
            trouble=trouble,
            kinds=[(kind, visit.label(kind, "campaign_kind")) for kind in KINDS],
            channels=[(c.value, visit.label(c.value, "campaign_channel")) for c in SendChannel if c in channels],
            account=self._parts.desk.planner.account,
            programmes=list((await self._parts.titles()).items()),
            blocks=[*blocks, min(len(blocks) + 1, ARTICLES_MAX)] if len(blocks) < ARTICLES_MAX else blocks,
            article_parts=ARTICLE_PARTS,
            placeholders="、".join(f"{{{name}}}" for name in PLACEHOLDERS),
            max_bytes=MASS_TEXT_BYTES,
        )

"""Writing a campaign: content, audience, channel and schedule in one form, with a view as on a phone."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from multidict import MultiDict

from bot.campaigns.audience import Audience
from bot.campaigns.content import ARTICLES_MAX, MASS_TEXT_BYTES, PLACEHOLDERS, kinds_of
from bot.campaigns.drafts import CampaignDraft, check_draft
from bot.campaigns.errors import CampaignChanged, NotInThisState, PictureGone
from bot.campaigns.models import SendChannel
from bot.campaigns.reach import Wanted
from bot.campaigns.rules import channels_of
from bot.campaigns.views import CampaignView
from bot.console.campaigns.audience import GROUPS, TICKED, Offers
from bot.console.campaigns.form import (
    ARTICLE_PARTS,
    KINDS,
    audience_not_in_form,
    fresh_values,
    picture_fields,
    read_draft,
    read_reach,
    values_of,
)
from bot.console.campaigns.parts import CAMPAIGN, EDIT, READ, CampaignParts, address, why
from bot.console.campaigns.words import AudienceWords
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.storage.files import FileRefused
from bot.values.problem import Problem

MULTIPLE: Final = ("weekdays", *(f"{name}{suffix}" for suffix in GROUPS for name in TICKED))
SAMPLE_ROWS: Final = 5


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
            Route("POST", "/campaigns/new/count", self.count_new, EDIT),
            Route("GET", f"{CAMPAIGN}/edit", self.edit, EDIT),
            Route("POST", f"{CAMPAIGN}/edit", self.save, EDIT),
            Route("POST", f"{CAMPAIGN}/edit/count", self.count, EDIT),
            Route("POST", f"{CAMPAIGN}/copy", self.copy, EDIT),
            Route("GET", "/campaigns/pictures/{file:[0-9a-f]{32}}", self.picture, READ),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return ()

    async def new(self, visit: Visit) -> web.StreamResponse:
        """Ask for a campaign."""
        return await self._page(visit, None)

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Store a draft, also one that is not yet complete: its page says what is missing."""
        form = await self._form(visit)
        draft = read_draft(form, await self._parts.offers(visit))
        if draft is None:
            return await self._page(visit, None, form)
        key = f"{visit.viewer.username}:{form.key}"
        try:
            view = await self._parts.desk.service.create(
                draft, by=visit.viewer.username, key=key, source=visit.source
            )
        except PictureGone as error:
            return await self._page(visit, None, form, trouble=why(visit, error))
        return self._stored(visit, view, draft)

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """Show a campaign in its form."""
        view = await self._parts.campaign(visit)
        if not view.state.is_editable:
            refused = NotInThisState(state=view.state.value, step="edit")
            return visit.to(address(view.id), "campaign.refused", why=why(visit, refused))
        return await self._page(visit, view)

    async def save(self, visit: Visit) -> web.StreamResponse:
        """Store a change; what a colleague changed meanwhile is not overwritten."""
        view, form = await self._parts.campaign(visit), await self._form(visit)
        draft = read_draft(form, await self._parts.offers(visit, view), audience_not_in_form(view))
        version = form.number("version", "版本", least=1, most=10**6)
        if draft is None or version is None:
            return await self._page(visit, view, form)
        try:
            saved = await self._parts.desk.service.edit(
                view.id, draft, by=visit.viewer.username, version=version, source=visit.source
            )
        except (CampaignChanged, NotInThisState, PictureGone) as error:
            return await self._page(visit, view, form, trouble=why(visit, error))
        return self._stored(visit, saved, draft)

    async def copy(self, visit: Visit) -> web.StreamResponse:
        """Make a new draft of an earlier campaign."""
        view, form = await self._parts.campaign(visit), await visit.form()
        key = f"{visit.viewer.username}:{form.key}"
        made = await self._parts.desk.service.copy(view.id, by=visit.viewer.username, key=key, source=visit.source)
        return visit.to(address(made.id), "campaign.copied")

    async def picture(self, visit: Visit) -> web.StreamResponse:
        """Answer a chosen picture; it is never kept by browsers or proxies."""
        kept = await self._parts.pictures.read(visit.path("file"))
        headers = {"Content-Disposition": "inline", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return web.Response(body=kept.data, content_type=kept.file.media_type, headers=headers)

    # Counting while one writes

    async def count_new(self, visit: Visit) -> web.StreamResponse:
        """Count whom a campaign that is not stored would reach."""
        return await self._count(visit, None)

    async def count(self, visit: Visit) -> web.StreamResponse:
        """Count whom a campaign would reach as it is being changed."""
        return await self._count(visit, await self._parts.campaign(visit))

    async def _count(self, visit: Visit, view: CampaignView | None) -> web.StreamResponse:
        form = await visit.form() if visit.wants_fragment else await self._form(visit)
        counted = await self._counted(visit, form, await self._parts.offers(visit, view), audience_not_in_form(view))
        if visit.wants_fragment:
            return visit.part("campaigns/form.html", "count", **counted)
        return await self._page(visit, view, form, counted=counted, status=422 if form.problems else 200)

    async def _counted(self, visit: Visit, form: Form, offers: Offers, stored: Audience | None) -> Mapping[str, Any]:
        """Return what the part “count” shows: the plan with a sample, or nothing while the conditions are wrong."""
        channel, tag_id, audience, purpose = read_reach(form, offers, stored)
        if form.problems:
            return {
                "plan": None,
                "wrong": list(form.problems.values()),
                "sample": [],
                "groups": [],
                "is_public": False,
            }
        if not SendChannel(channel).notifies:
            return {"plan": None, "wrong": [], "sample": [], "groups": [], "is_public": True}
        wanted = Wanted(channel=SendChannel(channel), audience=audience, purpose=purpose, tag_id=tag_id)
        plan, sample = await self._parts.desk.planner.look(wanted, SAMPLE_ROWS)
        return {
            "plan": plan,
            "wrong": [],
            "sample": sample,
            "groups": AudienceWords(visit, offers).groups(audience),
            "is_public": False,
        }

    # Parts

    async def _form(self, visit: Visit) -> Form:
        """Return the form that was sent, with the files that were chosen kept and named by their ids."""
        posted = MultiDict(await visit.request.post())
        sent, problems = Form(posted), {}
        for field, kept in picture_fields(sent.raw("kind")):
            chosen = sent.upload(field, "图片", required=False)
            if chosen is None:
                continue
            try:
                posted[kept] = await self._parts.pictures.add(chosen.file.read(), by=visit.viewer.username)
            except FileRefused as error:
                problems[field] = Problem(f"campaign.picture_{error.fields['reason']}")
        form = Form(posted)
        for field, problem in problems.items():
            form.note(field, problem)
        ids = {field: form.raw(kept) for field, kept in picture_fields(form.raw("kind")) if form.raw(kept)}
        known = await self._parts.pictures.known(set(ids.values()))
        for field in [field for field, file_id in ids.items() if file_id not in known]:
            form.note(field, Problem("campaign.picture_gone"))
        return form

    def _stored(self, visit: Visit, view: CampaignView, draft: CampaignDraft) -> web.Response:
        found = check_draft(draft)
        if found:
            return visit.to(address(view.id), "campaign.saved_with_problems", count=len(found))
        return visit.to(address(view.id), "campaign.saved")

    async def _page(
        self,
        visit: Visit,
        view: CampaignView | None,
        form: Form | None = None,
        *,
        trouble: str = "",
        counted: Mapping[str, Any] | None = None,
        status: int | None = None,
    ) -> web.Response:
        typed = {} if form is None else form.typed()
        written: dict[str, Any] = dict(fresh_values() if view is None else values_of(view))
        ticked = {name: form.all(name) if form is not None else written.get(name, ()) for name in MULTIPLE}
        shown = written | typed | ticked
        places = range(1, ARTICLES_MAX + 1)
        used = [place for place in places if any(shown.get(f"a{place}_{part}") for part in ARTICLE_PARTS)]
        empty = [place for place in places if place not in used][:1]
        offers, stored = await self._parts.offers(visit, view), audience_not_in_form(view)
        channels = channels_of(self._parts.desk.planner.account)
        carried = {*kinds_of(channels), shown["kind"]}
        offered = [one.value for one in SendChannel if one in channels or one.value == shown["channel"]]
        return visit.page(
            "campaigns/form.html",
            status=status or (200 if form is None else (409 if trouble else 422)),
            problems=form.problems if form is not None else {},
            typed=typed,
            view=view,
            v=shown,
            trouble=trouble,
            kinds=[(one, visit.label(one, "campaign_kind")) for one in KINDS if one in carried],
            channels=[(one, visit.label(one, "campaign_channel")) for one in offered],
            choosing=" ".join(one.value for one in SendChannel if one.chooses),
            account=self._parts.desk.planner.account,
            offers=offers,
            suffixes=GROUPS,
            kept_words=AudienceWords(visit, offers).groups(stored) if stored is not None else [],
            keeps=stored is not None and (form is None or form.flag("keep_audience")),
            used=used,
            blocks=sorted(used + empty),
            placeholders="、".join(f"{{{name}}}" for name in PLACEHOLDERS),
            max_bytes=MASS_TEXT_BYTES,
            **(counted or {"plan": None, "wrong": [], "sample": [], "groups": [], "is_public": False}),
        )

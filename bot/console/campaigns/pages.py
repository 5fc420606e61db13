"""Campaigns: the list, one campaign with its plan, the check, the preview to testers, the approval."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from bot.campaigns.calls import PREVIEWS_MAX
from bot.campaigns.drafts import check_draft, draft_of
from bot.campaigns.errors import CampaignError, NoSuchCampaign
from bot.campaigns.models import CampaignState, Outcome
from bot.campaigns.views import CampaignView
from bot.console.campaigns.parts import (
    APPROVE,
    CAMPAIGN,
    EDIT,
    READ,
    CampaignParts,
    address,
    paused_why,
    platform_words,
    why,
)
from bot.console.campaigns.publishing import PUBLICATION_COLOURS, publication_values
from bot.console.campaigns.words import AudienceWords, said_hours
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.storage.files import FileMissing
from bot.values.problem import Problem
from bot.wechat.errors import ApiCallFailed

COUNT_MAX: Final = 10**8
REASON_MAX_CHARS: Final = 200
STATE_COLOURS: Final = {
    CampaignState.CHECKED: "warn",
    CampaignState.APPROVED: "info",
    CampaignState.SCHEDULED: "info",
    CampaignState.SENDING: "info",
    CampaignState.PAUSED: "warn",
    CampaignState.SENT: "good",
    CampaignState.FAILED: "bad",
}


class CampaignPages:
    """The list and one campaign on its way to being approved."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return the entry of the menu."""
        return (NavItem("群发", "/campaigns", READ, "群发"),)

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", "/campaigns", self.list, READ),
            Route("GET", CAMPAIGN, self.show, READ),
            Route("POST", f"{CAMPAIGN}/check", self.check, EDIT),
            Route("POST", f"{CAMPAIGN}/preview", self.preview, EDIT),
            Route("GET", f"{CAMPAIGN}/approve", self.ask_approval, APPROVE),
            Route("POST", f"{CAMPAIGN}/approve", self.approve, APPROVE),
            Route("GET", f"{CAMPAIGN}/reject", self.ask_rejection, APPROVE),
            Route("POST", f"{CAMPAIGN}/reject", self.reject, APPROVE),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:
        """Return how many wait for this viewer's approval."""
        if not visit.can(APPROVE):
            return ()
        waiting = await self._parts.desk.lists.count(CampaignState.CHECKED)
        return (Tile("待审批的群发", waiting, "/campaigns?state=checked"),)

    async def list(self, visit: Visit) -> web.StreamResponse:
        """List campaigns, the newest first, each with its progress."""
        filters = visit.filters()
        state = filters.option("state", "状态", [one.value for one in CampaignState], required=False)
        before = filters.number("after", "位置", least=1, most=10**9, required=False)
        page = await self._parts.desk.lists.page(state=CampaignState(state) if state else None, before=before)
        chosen = f"state={state}&" if state else ""
        await visit.names()
        return visit.page(
            "campaigns/list.html",
            page=page,
            state=state,
            colours=STATE_COLOURS,
            publications=await self._parts.desk.publications.states(
                [one.id for one in page.campaigns if one.channel.publishes]
            ),
            publication_colours=PUBLICATION_COLOURS,
            next=f"/campaigns?{chosen}after={page.before}" if page.before else None,
            first=f"/campaigns?{chosen.rstrip('&')}".rstrip("?") if before else None,
        )

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show a campaign: before sending with what sending would mean, later with its progress."""
        view = await self._parts.campaign(visit)
        await visit.names()
        if visit.wants_fragment:
            return visit.part("campaigns/show.html", "progress", **await self._progress(view))
        return await self._page(visit, view)

    async def check(self, visit: Visit) -> web.StreamResponse:
        """Check content and audience; without problems it waits for the second person."""
        view, form = await self._parts.campaign(visit), await visit.form()
        version = form.number("version", "版本", least=1, most=10**6)
        if version is None:
            return await self._page(visit, view, form)
        try:
            checked = await self._parts.desk.service.check(
                view.id, by=visit.viewer.username, version=version, source=visit.source
            )
        except NoSuchCampaign:
            raise
        except CampaignError as error:
            return await self._page(visit, view, trouble=why(visit, error))
        if checked.problems:
            return await self._page(visit, checked.campaign, trouble="还有下面这些要改，暂时不能送审。")
        count, notifies = checked.campaign.checked_total or 0, checked.campaign.channel.notifies
        return visit.to(address(view.id), "campaign.submitted" if notifies else "campaign.to_publish", count=count)

    async def preview(self, visit: Visit) -> web.StreamResponse:
        """Send the message to testers, who are chosen by name; pressed twice it goes out once."""
        view, form = await self._parts.campaign(visit), await visit.form()
        testers = await self._parts.desk.testers.all()
        ticked = form.options("testers", "测试人员", [str(one.id) for one in testers])
        openids = [one.openid for one in testers if str(one.id) in ticked]
        if not openids:
            form.note("testers", Problem("campaign.testers_needed"))
        if form.problems:
            return await self._page(visit, view, form)
        by = visit.viewer.username
        try:
            outcome = await self._parts.calls.preview(
                view.id, openids, by=by, key=f"{by}:{form.key}", source=visit.source
            )
        except CampaignError as error:
            return await self._page(visit, view, form, trouble=why(visit, error))
        except ApiCallFailed as error:
            return await self._page(visit, view, form, trouble=f"预览没有发出：{platform_words(visit, error.code)}。")
        except FileMissing:
            return await self._page(visit, view, form, trouble="图片的文件不在了，请修改后重新选一张。")
        if outcome.refused:
            reasons = "；".join(dict.fromkeys(platform_words(visit, code) for code in outcome.refused))
            trouble = f"发出 {outcome.sent} 份，{len(outcome.refused)} 份没有发出：{reasons}。"
            return await self._page(visit, view, form, trouble=trouble)
        return visit.to(address(view.id), "campaign.previewed", count=outcome.sent)

    async def ask_approval(self, visit: Visit) -> web.StreamResponse:
        """Say what approving means and ask for the number of people."""
        return await self._ask(visit, "approve")

    async def approve(self, visit: Visit) -> web.StreamResponse:
        """Approve what was read, by a second person who types the number of people."""
        view, form = await self._parts.campaign(visit), await visit.form()
        version = form.number("version", "版本", least=1, most=10**6)
        confirmed = form.number("confirmed", "人数", least=0, most=COUNT_MAX)
        if version is None or confirmed is None:
            return await self._ask(visit, "approve", form)
        try:
            await self._parts.desk.service.approve(
                view.id, by=visit.viewer.username, version=version, confirmed=confirmed, source=visit.source
            )
        except CampaignError as error:
            return await self._ask(visit, "approve", form, trouble=why(visit, error))
        return visit.to(address(view.id), "campaign.approved")

    async def ask_rejection(self, visit: Visit) -> web.StreamResponse:
        """Ask why it is given back."""
        return await self._ask(visit, "reject")

    async def reject(self, visit: Visit) -> web.StreamResponse:
        """Give a campaign back to its author, saying why."""
        view, form = await self._parts.campaign(visit), await visit.form()
        reason = form.text("reason", "原因", max_chars=REASON_MAX_CHARS)
        if form.problems:
            return await self._ask(visit, "reject", form)
        try:
            await self._parts.desk.service.reject(
                view.id, by=visit.viewer.username, reason=reason, source=visit.source
            )
        except CampaignError as error:
            return await self._ask(visit, "reject", form, trouble=why(visit, error))
        return visit.to(address(view.id), "campaign.rejected")

    async def _ask(self, visit: Visit, step: str, form: Form | None = None, *, trouble: str = "") -> web.Response:
        view = await self._parts.campaign(visit)
        values: dict[str, Any] = {"view": view, "step": step, "trouble": trouble, "progress": None}
        if form is not None:
            values |= {"problems": form.problems, "typed": form.typed()}
        elif visit.wants_fragment:
            return visit.part("campaigns/step.html", "panel", **values)
        return visit.page("campaigns/step.html", status=200 if form is None else (409 if trouble else 422), **values)

    async def _page(
        self, visit: Visit, view: CampaignView, form: Form | None = None, *, trouble: str = ""
    ) -> web.Response:
        plan, sample, found = None, [], []
        if view.state.is_editable:
            plan = await self._parts.desk.service.plan(view.id)
            sample = await self._parts.desk.service.sample(view.id)
            found = [why(visit, one) for one in (*check_draft(draft_of(view)), *plan.problems)]
        refused, offers = form is not None or bool(trouble), await self._parts.offers(visit, view)
        await visit.names()
        return visit.page(
            "campaigns/show.html",
            status=(409 if trouble else 422) if refused else 200,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
            trouble=trouble,
            plan=plan,
            sample=sample,
            previews_max=PREVIEWS_MAX,
            testers=[(str(one.id), one.name) for one in await self._parts.desk.testers.all()],
            ticked=form.all("testers") if form is not None else (),
            groups=AudienceWords(visit, offers).groups(view.audience),
            offers=offers,
            hours=said_hours(view.hours),
            kind=type(view.content).__name__.lower(),
            **await self._progress(view, found, [why(visit, one) for one in plan.notes] if plan is not None else ()),
        )

    async def _progress(
        self, view: CampaignView, found: Sequence[str] = (), notes: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return what the card of the state shows; a script asks for it alone while something is under way."""
        progress, now = await self._parts.desk.lists.progress(view.id), self._parts.clock.now()
        return {
            "view": view,
            "progress": progress,
            "begins_at": begins_at if (begins_at := view.begins_at(now)) > now else None,
            "found": found,
            "notes": notes,
            "has_failed": bool(progress.counts.get(Outcome.FAILED)),
            "paused_why": paused_why(view.pause_reason),
            "colours": STATE_COLOURS,
            "here": address(view.id),
            **await publication_values(self._parts, view),
        }

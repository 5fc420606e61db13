"""What came of a campaign: figures, charts, reasons, and the workbook."""

from aiohttp import web

from bot.campaigns.export import KIND, params_of
from bot.campaigns.models import Outcome
from bot.console.campaigns.parts import CAMPAIGN, READ, CampaignParts, platform_words
from bot.console.charts import Series, bars, columns
from bot.console.reports import choice_of, presets_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.wechat.errors import api_error


class CampaignResultPages:
    """The page of results, and the order for the workbook."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return nothing: it is reached from the campaign."""
        return ()

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", f"{CAMPAIGN}/results", self.show, READ),
            Route("POST", f"{CAMPAIGN}/results/excel", self.export, READ),
            Route("GET", "/reports/campaigns", self.compare, READ),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return ()

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the figures with a chart of outcomes and one of the days after sending."""
        results = await self._parts.results.of(int(visit.path("campaign")))
        counts = [(outcome, results.progress.counts.get(outcome, 0)) for outcome in Outcome]
        outcomes = [(visit.label(outcome.value, "campaign_outcome"), count) for outcome, count in counts if count]
        days = [
            Series("报名", "c1", [one.registrations for one in results.days]),
            Series("退订", "c2", [one.opt_outs for one in results.days]),
        ]
        return visit.page(
            "campaigns/results.html",
            results=results,
            view=results.campaign,
            failed=[
                (code, platform_words(visit, api_error(code, "").code) if code else "没有说明", count)
                for code, count in results.failed.items()
            ],
            outcomes=outcomes,
            chart=bars([name for name, _ in outcomes], [Series("人", "c1", [n for _, n in outcomes])], "发送结果"),
            by_day=columns([f"{one.day:%m-%d}" for one in results.days], days, "发送以后每天的报名和退订"),
        )

    async def compare(self, visit: Visit) -> web.StreamResponse:
        """List the campaigns of a period beside each other, among the reports."""
        filters, today = visit.filters(), self._parts.clock.now().date()
        choice = choice_of(filters, today)
        before = filters.number("after", "位置", least=1, most=10**9, required=False)
        page = await self._parts.comparison.page(choice.period.first, choice.period.last, before=before)
        return visit.page(
            "reports/campaigns.html",
            status=choice.status,
            problems=choice.problems,
            typed=choice.typed,
            choice=choice,
            period=choice.period,
            presets=presets_of(today),
            page=page,
            next=f"/reports/campaigns?{choice.query}&after={page.before}" if page.before else None,
            first=f"/reports/campaigns?{choice.query}" if before else None,
        )

    async def export(self, visit: Visit) -> web.StreamResponse:
        """Start the workbook; it is fetched among one's tasks."""
        view, form = await self._parts.campaign(visit), await visit.form()
        await self._parts.tasks.start(
            KIND, owner=visit.viewer.username, params=params_of(view.id), key=form.key, source=visit.source
        )
        return visit.to("/tasks", "campaign.export_started")

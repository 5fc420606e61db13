"""The publication of a campaign: how it stands, taking it back, and saying what became of it where nobody knows."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from bot.campaigns.content import News
from bot.campaigns.errors import CampaignError, NoSuchCampaign
from bot.campaigns.publication_calls import Doubt
from bot.campaigns.publication_models import PublicationState
from bot.campaigns.publication_rows import PublicationView
from bot.campaigns.texts import text_of
from bot.campaigns.views import CampaignView
from bot.console.campaigns.parts import CAMPAIGN, SEND, CampaignParts, address, platform_words, why
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.wechat.errors import ApiCallFailed

NOWHERE: Final = "not_published"
"""What a person chooses where nothing was published."""
PUBLICATION_COLOURS: Final = {
    PublicationState.PUBLISHING: "info",
    PublicationState.UNKNOWN: "warn",
    PublicationState.PUBLISHED: "good",
    PublicationState.REFUSED: "bad",
}


class CampaignPublication:
    """Each button asks first and says what will happen."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return nothing: the buttons are on the campaign's page."""
        return ()

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", f"{CAMPAIGN}/withdraw", self.ask_withdrawal, SEND),
            Route("POST", f"{CAMPAIGN}/withdraw", self.withdraw, SEND),
            Route("GET", f"{CAMPAIGN}/settle", self.ask_outcome, SEND),
            Route("POST", f"{CAMPAIGN}/settle", self.settle, SEND),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:
        """Return how many publications wait for somebody to say what became of them."""
        if not visit.can(SEND):
            return ()
        unknown = await self._parts.desk.publications.unknown_ids()
        where = address(unknown[0]) if len(unknown) == 1 else "/campaigns?state=sending"
        return (Tile("发布结果不明", len(unknown), where, urgent=True),) if unknown else ()

    async def ask_withdrawal(self, visit: Visit) -> web.StreamResponse:
        """Say what it means."""
        return await self._ask_withdrawal(visit)

    async def withdraw(self, visit: Visit) -> web.StreamResponse:
        """Delete what was published; pressed twice it counts once."""
        form, campaign_id, by = await visit.form(), int(visit.path("campaign")), visit.viewer.username
        try:
            count = await self._parts.publication_calls.withdraw(
                campaign_id, by=by, key=f"{by}:{form.key}", source=visit.source
            )
        except NoSuchCampaign:
            raise
        except CampaignError as error:
            return await self._ask_withdrawal(visit, trouble=why(visit, error))
        except ApiCallFailed as error:
            return await self._ask_withdrawal(visit, trouble=f"{platform_words(visit, error.code)}。")
        return visit.to(address(campaign_id), "campaign.done_withdraw", count=count)

    async def ask_outcome(self, visit: Visit) -> web.StreamResponse:
        """Show what it may be."""
        return await self._ask_outcome(visit)

    async def settle(self, visit: Visit) -> web.StreamResponse:
        """Write what somebody found out."""
        form, campaign_id = await visit.form(), int(visit.path("campaign"))
        found = form.text("found", "结果", max_chars=128)
        if form.problems:
            return await self._ask_outcome(visit, form)
        article_id = None if found == NOWHERE else found
        try:
            await self._parts.publication_calls.settle(
                campaign_id, article_id, by=visit.viewer.username, source=visit.source
            )
        except NoSuchCampaign:
            raise
        except CampaignError as error:
            return await self._ask_outcome(visit, form, trouble=why(visit, error))
        except ApiCallFailed as error:
            return await self._ask_outcome(visit, form, trouble=f"{platform_words(visit, error.code)}。")
        return visit.to(address(campaign_id), "campaign.done_settle")

    async def _ask_withdrawal(self, visit: Visit, *, trouble: str = "") -> web.Response:
        view = await self._parts.campaign(visit)
        values: dict[str, Any] = {"view": view, "step": "withdraw", "trouble": trouble, "progress": None}
        if visit.wants_fragment:
            return visit.part("campaigns/step.html", "panel", **values)
        return visit.page("campaigns/step.html", status=409 if trouble else 200, **values)

    async def _ask_outcome(self, visit: Visit, form: Form | None = None, *, trouble: str = "") -> web.Response:
        view = await self._parts.campaign(visit)
        status, doubt = 409 if trouble else (422 if form is not None else 200), Doubt((), ())
        if not trouble:
            try:
                doubt = await self._parts.publication_calls.doubt(view.id)
            except CampaignError as error:
                return visit.to(address(view.id), "campaign.refused", why=why(visit, error))
            except ApiCallFailed as error:
                trouble = f"现在查不到平台上的文章：{platform_words(visit, error.code)}。"
        return visit.page(
            "campaigns/settle.html",
            status=status,
            view=view,
            trouble=trouble,
            doubt=doubt,
            refusals=[(at, status.name.lower()) for at, status in doubt.refusals],
            nowhere=NOWHERE,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
        )


async def publication_values(parts: CampaignParts, view: CampaignView) -> dict[str, Any]:
    """Return what the card of the state shows of a publication; ``publication`` is None where there is none."""
    publication = await parts.desk.publications.view(view.id) if view.channel.publishes else None
    return {
        "publication": publication,
        "publication_colours": PUBLICATION_COLOURS,
        "links": links_of(view, publication),
        "refused_articles": [] if publication is None else [title_of(view, place) for place in publication.failed],
        "publication_why": "" if publication is None else why_not_there(publication),
    }


def links_of(view: CampaignView, publication: PublicationView | None) -> Sequence[tuple[str, str]]:
    """Return title and address of each article that can be read; nothing but web addresses is a link."""
    if publication is None or publication.state is not PublicationState.PUBLISHED:
        return ()
    found = [(title_of(view, place), url) for place, url in enumerate(publication.urls, start=1)]
    return [(title, url) for title, url in found if url.startswith(("https://", "http://"))]


def title_of(view: CampaignView, place: int) -> str:
    """Return the title of the article at a place from 1; where there is none, the place."""
    articles = view.content.articles if isinstance(view.content, News) else ()
    return articles[place - 1].title if 1 <= place <= len(articles) else f"第 {place} 篇"


def why_not_there(publication: PublicationView) -> str:
    """Return why the articles are not on the account's page; "" where nobody has to know."""
    if publication.reason is None:
        return ""
    text = text_of(f"publication.{publication.reason}", {})
    return f"{text}（平台代码 {publication.code}）" if publication.code is not None else text

"""What the pages of campaigns share: services, permissions, and the sentence for what was refused."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from bot.campaigns.audience import Registered
from bot.campaigns.calls import CampaignCalls
from bot.campaigns.desk import CampaignDesk
from bot.campaigns.errors import CampaignError
from bot.campaigns.figures import CampaignComparison
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.planning import masked
from bot.campaigns.platform_tags import PlatformTags, known_tags
from bot.campaigns.publication_calls import PublicationCalls
from bot.campaigns.results import CampaignResults
from bot.campaigns.texts import text_of
from bot.campaigns.views import CampaignView
from bot.console.campaigns.audience import Offers, leaves
from bot.console.forms import Form
from bot.console.visit import Visit
from bot.followers.finding import FollowerFinder
from bot.followers.references import FollowerReferences
from bot.programmes.service import ProgrammeService
from bot.staff.tasks.service import TaskBook
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.counties import County
from bot.values.problem import Problem
from bot.wechat.errors import ApiCallFailed

READ: Final = "campaigns:campaign:read"
EDIT: Final = "campaigns:campaign:edit"
APPROVE: Final = "campaigns:campaign:approve"
SEND: Final = "campaigns:campaign:send"
CAMPAIGN: Final = "/campaigns/{campaign:[0-9]{1,9}}"


@dataclass(frozen=True, slots=True)
class Person:
    """A follower that a search found, for a form: masked, and sealed for the way back.

    ``name`` is the masked one of the newest registration, "" where there is none.
    """

    openid: str
    name: str
    masked: str
    reference: str


@dataclass(frozen=True, slots=True)
class CampaignParts:
    """What the pages need of the business. ``calls`` are those to the platform that staff wait for."""

    desk: CampaignDesk
    calls: CampaignCalls
    publication_calls: PublicationCalls
    results: CampaignResults
    comparison: CampaignComparison
    programmes: ProgrammeService
    tasks: TaskBook
    pictures: CampaignPictures
    tags: PlatformTags
    finder: FollowerFinder
    references: FollowerReferences
    clock: Clock
    database: Database

    async def campaign(self, visit: Visit) -> CampaignView:
        """Return the campaign that the address names; raises NoSuchCampaign."""
        return await self.desk.service.get(int(visit.path("campaign")))

    async def titles(self, stored: Collection[str] = ()) -> dict[str, str]:
        """Return the titles of programmes that followers may see and of those that are ``stored`` already, by id."""
        titles = {one.id: one.title for one in await self.programmes.published()}
        if others := set(stored) - titles.keys() - {""}:
            known = await self.programmes.titles(others)
            titles |= {
                one: f"{known[one]}（没有开放）" if one in known else f"{one}（已不在）" for one in sorted(others)
            }
        return titles

    async def offers(self, visit: Visit, view: CampaignView | None = None) -> Offers:
        """Return what the form offers; what the campaign names already stays among it."""
        stored, purposes = {""}, dict(visit.labels("consent_purpose"))
        if view is not None:
            registered = [leaf.programme_id for leaf in leaves(view.audience) if isinstance(leaf, Registered)]
            stored |= {view.programme_id or "", *registered}
            if view.purpose:
                purposes.setdefault(view.purpose, view.purpose)
        tags = {str(one.id): f"{one.name}（{one.followers} 人）" for one in await known_tags(self.database)}
        if tags and view is not None and view.tag_id is not None:
            tags.setdefault(str(view.tag_id), view.tag_name or str(view.tag_id))
        titles, counties = await self.titles(stored), {one.code: one.short for one in County}
        offers = Offers(titles, dict(visit.labels("worker_category")), purposes, counties, tags)
        return offers if view is None else offers.holding(view.audience)

    async def people(self, form: Form) -> Sequence[Person]:
        """Return whom the field ``who`` may mean; a problem is noted beside it."""
        typed = form.text("who", "要找的人", max_chars=64)
        if form.problems:
            return ()
        found = await self.finder.find(typed, self.clock.now().date())
        if isinstance(found, Problem):
            form.note("who", found)
            return ()
        if not found:
            form.note("who", Problem("campaign.nobody_found"))
        return await self.persons(found)

    async def persons(self, openids: Sequence[str]) -> Sequence[Person]:
        """Return followers for a form, in two queries."""
        newest = await self.finder.latest(openids, each=1) if openids else {}
        names = {openid: rows[0].name_masked for openid, rows in newest.items() if rows}
        return [Person(one, names.get(one, ""), masked(one), self.references.of(one)) for one in openids]


def address(campaign_id: int) -> str:
    """Return where a campaign is."""
    return f"/campaigns/{campaign_id}"


def why(visit: Visit, refused: CampaignError | Problem) -> str:
    """Return the sentence of an error or a problem, with states and channels by their names."""
    fields = dict(refused.fields)
    if "state" in fields:
        fields["state"] = visit.label(str(fields["state"]), "campaign_state")
    return text_of(refused.code, fields)


def platform_words(visit: Visit, code: str) -> str:
    """Return in plain words why the platform did not take something."""
    known = visit.label(code, "platform_refusal")
    return visit.label(ApiCallFailed.code, "platform_refusal") if known == code else known


def paused_why(reason: str | None) -> str:
    """Return why a campaign is paused: the sentence of the system's reason, or what somebody typed."""
    if not reason:
        return ""
    known = text_of(f"pause.{reason}", {})
    return reason if known.startswith("pause.") else known

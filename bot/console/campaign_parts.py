"""What the pages of campaigns share: services, permissions, and the sentence for what was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.campaigns.calls import CampaignCalls
from bot.campaigns.desk import CampaignDesk
from bot.campaigns.errors import CampaignError
from bot.campaigns.results import CampaignResults
from bot.campaigns.texts import text_of
from bot.campaigns.views import CampaignView
from bot.console.visit import Visit
from bot.programmes.service import ProgrammeService
from bot.staff.tasks.service import TaskBook
from bot.values.problem import Problem

READ: Final = "campaigns:campaign:read"
EDIT: Final = "campaigns:campaign:edit"
APPROVE: Final = "campaigns:campaign:approve"
SEND: Final = "campaigns:campaign:send"
CAMPAIGN: Final = "/campaigns/{campaign:[0-9]{1,9}}"


@dataclass(frozen=True, slots=True)
class CampaignParts:
    """What the pages need of the business. ``calls`` are those to the platform that staff wait for."""

    desk: CampaignDesk
    calls: CampaignCalls
    results: CampaignResults
    programmes: ProgrammeService
    tasks: TaskBook

    async def campaign(self, visit: Visit) -> CampaignView:
        """Return the campaign that the address names; raises NoSuchCampaign."""
        return await self.desk.service.get(int(visit.path("campaign")))

    async def titles(self) -> Mapping[str, str]:
        """Return the titles of published programmes by their ids."""
        return {one.id: one.title for one in await self.programmes.published()}


def address(campaign_id: int) -> str:
    """Return where a campaign is."""
    return f"/campaigns/{campaign_id}"


def why(visit: Visit, refused: CampaignError | Problem) -> str:
    """Return the sentence of an error or a problem, with states and channels by their names."""
    fields = dict(refused.fields)
    if "state" in fields:
        fields["state"] = visit.label(str(fields["state"]), "campaign_state")
    return text_of(refused.code, fields)


def paused_why(reason: str | None) -> str:
    """Return why a campaign is paused: the sentence of the system's reason, or what somebody typed."""
    if not reason:
        return ""
    known = text_of(f"pause.{reason}", {})
    return reason if known.startswith("pause.") else known

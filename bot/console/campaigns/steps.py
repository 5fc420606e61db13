"""What the operator does with an approved campaign: send, pause, resume, cancel, retry what failed, take back."""

from enum import StrEnum
from typing import Any, Final, assert_never

from aiohttp import web

from bot.campaigns.errors import CampaignError, NoSuchCampaign
from bot.campaigns.models import Outcome
from bot.console.campaigns.pages import COUNT_MAX
from bot.console.campaigns.parts import CAMPAIGN, SEND, CampaignParts, address, platform_words, why
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.wechat.errors import ApiCallFailed

PAUSE_REASON_MAX_CHARS: Final = 40


class SendStep(StrEnum):
    """A button of a campaign that was approved."""

    SEND = "send"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"


STEP: Final = f"{CAMPAIGN}/{{step:{'|'.join(SendStep)}}}"


class CampaignSteps:
    """Each button asks first and says what will happen."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return nothing: the buttons are on the campaign's page."""
        return ()

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (Route("GET", STEP, self.ask, SEND), Route("POST", STEP, self.do, SEND))

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - The approver's tile is the only one.
        """Return nothing."""
        return ()

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Say what the step means."""
        return await self._ask(visit, SendStep(visit.path("step")))

    async def do(self, visit: Visit) -> web.StreamResponse:
        """Do the step; pressed twice it counts once, because the campaign is then in its new state."""
        step, form = SendStep(visit.path("step")), await visit.form()
        campaign_id = int(visit.path("campaign"))
        try:
            count = await self._do(visit, step, campaign_id, form)
        except NoSuchCampaign:
            raise
        except CampaignError as error:
            return await self._ask(visit, step, form, trouble=why(visit, error))
        except ApiCallFailed as error:
            return await self._ask(visit, step, form, trouble=f"{platform_words(visit, error.code)}。")
        if form.problems:
            return await self._ask(visit, step, form)
        if step is SendStep.DELETE and not count:
            return visit.to(address(campaign_id), "campaign.nothing_left")
        if step is SendStep.SEND and (await self._parts.desk.service.get(campaign_id)).channel.publishes:
            return visit.to(address(campaign_id), "campaign.done_publish")
        return visit.to(address(campaign_id), f"campaign.done_{step.value}", count=count)

    async def _do(self, visit: Visit, step: SendStep, campaign_id: int, form: Form) -> int:
        """Return how many sends were taken back; 0 for every other step, and for one that ``form`` keeps from it."""
        service, by, source = self._parts.desk.service, visit.viewer.username, visit.source
        match step:
            case SendStep.SEND:
                version = form.number("version", "版本", least=1, most=10**6)
                confirmed = form.number("confirmed", "人数", least=0, most=COUNT_MAX)
                if version is not None and confirmed is not None:
                    await service.send(campaign_id, by=by, version=version, confirmed=confirmed, source=source)
            case SendStep.PAUSE:
                reason = form.text("reason", "原因", max_chars=PAUSE_REASON_MAX_CHARS)
                if not form.problems:
                    await service.pause(campaign_id, by=by, reason=reason, source=source)
            case SendStep.RESUME:
                await service.resume(campaign_id, by=by, source=source)
            case SendStep.CANCEL:
                await service.cancel(campaign_id, by=by, source=source)
            case SendStep.RETRY:
                await service.retry_failed(campaign_id, by=by, source=source)
            case SendStep.DELETE:
                return await self._parts.calls.take_back(campaign_id, by=by, key=f"{by}:{form.key}", source=source)
            case _:
                assert_never(step)
        return 0

    async def _ask(
        self, visit: Visit, step: SendStep, form: Form | None = None, *, trouble: str = ""
    ) -> web.Response:
        view = await self._parts.campaign(visit)
        progress = await self._parts.desk.lists.progress(view.id)
        values: dict[str, Any] = {"view": view, "step": step.value, "trouble": trouble, "progress": progress}
        values["failed"] = progress.counts.get(Outcome.FAILED, 0)
        if form is not None:
            values |= {"problems": form.problems, "typed": form.typed()}
        elif visit.wants_fragment:
            return visit.part("campaigns/step.html", "panel", **values)
        return visit.page("campaigns/step.html", status=200 if form is None else (409 if trouble else 422), **values)

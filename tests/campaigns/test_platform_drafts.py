"""Articles need drafts at the platform: none is left in its draft box that nothing will send."""

import asyncio

import pytest
from sqlalchemy import select

from bot.campaigns.calls import CampaignCalls
from bot.campaigns.content import Article, News
from bot.campaigns.office_models import PlatformDraft
from bot.campaigns.platform_drafts import LEFT_AFTER, PlatformDrafts
from bot.campaigns.sending import drafts_of
from bot.campaigns.service import CampaignService
from bot.simulator.faults import Fault
from bot.staff.audit import AuditTrail
from bot.wechat.errors import InvalidMedia
from tests.campaigns.people import AUTHOR, draft, openid, started
from tests.campaigns.platform import Sending
from tests.support.waiting import until

ARTICLES = News((Article("六月活动", "<p>您好</p>", "thumb"),))
PREVIEW, DELETION, SEND = "/cgi-bin/message/mass/preview", "/cgi-bin/draft/delete", "/cgi-bin/message/mass/send"


@pytest.fixture
def calls(sending: Sending, service: CampaignService, audit: AuditTrail) -> CampaignCalls:
    return CampaignCalls(sending.database, service, sending.mass, sending.api, sending.clock, trail=audit)


@pytest.fixture
def drafts(sending: Sending) -> PlatformDrafts:
    return PlatformDrafts(sending.database, sending.clock, box=sending.mass)


async def noted(sending: Sending) -> bool:
    """Say whether a draft is noted as being at the platform."""
    async with sending.database.reading() as session:
        return await session.scalar(select(PlatformDraft.media_id)) is not None


async def test_a_draft_whose_preview_breaks_off_at_once_is_noted(sending: Sending, drafts: PlatformDrafts) -> None:
    async def lend() -> None:
        async with drafts.lent(1, drafts_of(ARTICLES)):
            pass

    async def is_asked() -> bool:
        return slow.left == 0

    slow = Fault("/cgi-bin/draft/add", left=1, latency_s=0.3)
    sending.platform.faults.add(slow)
    lending = asyncio.create_task(lend())
    await until(is_asked)
    lending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lending
    await until(lambda: noted(sending))
    sending.clock.move(LEFT_AFTER)
    assert (await drafts.remove_left(), sending.platform.drafts) == (1, {})


@pytest.mark.parametrize("refused", [0, 1, 2])
async def test_a_preview_leaves_no_draft(
    sending: Sending, service: CampaignService, calls: CampaignCalls, refused: int
) -> None:
    await sending.people(range(2))
    campaign = await service.create(draft(content=ARTICLES), by=AUTHOR, key="k")
    sending.platform.faults.add(Fault(PREVIEW, left=refused, errcode=40003))
    previewed = await calls.preview(campaign.id, [openid(0), openid(1)], by=AUTHOR)
    assert (previewed.sent, len(previewed.refused)) == (2 - refused, refused)
    assert sending.platform.drafts == {}


async def test_a_preview_that_breaks_off_leaves_no_draft(
    sending: Sending, service: CampaignService, calls: CampaignCalls
) -> None:
    await sending.people(range(1))
    campaign = await service.create(draft(content=ARTICLES), by=AUTHOR, key="k")
    sending.platform.faults.add(Fault(PREVIEW, latency_s=60))
    previewing = asyncio.create_task(calls.preview(campaign.id, [openid(0)], by=AUTHOR))
    await until(lambda: noted(sending))
    previewing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await previewing
    assert (await noted(sending), sending.platform.drafts) == (False, {})


async def test_what_a_preview_could_not_delete_goes_with_the_daily_job(
    sending: Sending, service: CampaignService, calls: CampaignCalls, drafts: PlatformDrafts
) -> None:
    await sending.people(range(1))
    campaign = await service.create(draft(content=ARTICLES), by=AUTHOR, key="k")
    sending.platform.faults.add(Fault(DELETION, left=2, errcode=45009))
    assert (await calls.preview(campaign.id, [openid(0)], by=AUTHOR)).sent == 1
    assert await drafts.remove_left() == 0, "it may still be under way"
    sending.clock.move(LEFT_AFTER)
    assert (await drafts.remove_left(), len(sending.platform.drafts)) == (0, 1), "the platform refuses"
    assert (await drafts.remove_left(), len(sending.platform.drafts)) == (1, 0)
    assert await drafts.remove_left() == 0


async def test_a_draft_that_staff_deleted_themselves_is_forgotten(sending: Sending, drafts: PlatformDrafts) -> None:
    async with drafts.lent(1, drafts_of(ARTICLES)):
        sending.platform.drafts.clear()
    sending.clock.move(LEFT_AFTER)
    assert await drafts.remove_left() == 0
    assert sending.platform.calls.count(DELETION) == 1


async def test_drafts_of_others_are_left_alone(sending: Sending, drafts: PlatformDrafts) -> None:
    theirs = await sending.mass.add_draft(drafts_of(ARTICLES))
    sending.clock.move(LEFT_AFTER)
    assert (await drafts.remove_left(), set(sending.platform.drafts)) == (0, {theirs})


async def test_the_draft_of_a_batch_that_was_sent_left_by_itself(
    sending: Sending, service: CampaignService, drafts: PlatformDrafts
) -> None:
    await sending.people(range(2))
    await started(service, draft(content=ARTICLES))
    await sending.run()
    sending.clock.move(LEFT_AFTER)
    assert (await drafts.remove_left(), sending.platform.drafts) == (0, {})
    assert sending.platform.calls.count(DELETION) == 0
    with pytest.raises(InvalidMedia):
        await sending.mass.delete_draft("draft-1")


async def test_the_draft_of_a_batch_stays_while_it_can_be_sent_and_goes_when_it_was_refused(
    sending: Sending, service: CampaignService, drafts: PlatformDrafts
) -> None:
    await sending.people(range(2))
    sending.platform.faults.add(Fault(SEND, left=1, errcode=45011))
    campaign = await started(service, draft(content=ARTICLES))
    (batch_id,) = await sending.batches.due()
    await sending.sender.run(batch_id)
    sending.clock.move(LEFT_AFTER)
    assert (await drafts.remove_left(), len(sending.platform.drafts)) == (0, 1)
    sending.platform.faults.add(Fault(SEND, left=1, errcode=40035))
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"failed": 2}
    assert (await drafts.remove_left(), sending.platform.drafts) == (1, {})

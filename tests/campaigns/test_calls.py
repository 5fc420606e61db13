"""Previews to testers, and taking back what was sent."""

import pytest

from bot.campaigns.calls import CampaignCalls
from bot.campaigns.content import Article, Content, Menu, MenuChoice, News, Template, Text
from bot.campaigns.errors import CannotBeDeleted
from bot.campaigns.models import SendChannel
from bot.campaigns.service import CampaignService
from bot.simulator.faults import Fault
from bot.staff.audit import AuditTrail
from tests.campaigns.people import AUTHOR, draft, openid, started
from tests.campaigns.platform import Sending

ARTICLES = News((Article("六月活动", "<p>您好</p>", "thumb"),))
CASES: list[tuple[SendChannel, Content, str]] = [
    (SendChannel.MASS_LIST, Text("活动开始了"), "活动开始了"),
    (SendChannel.MASS_LIST, ARTICLES, "六月活动"),
    (SendChannel.CUSTOMER, Menu("{区县}的朋友", (MenuChoice("/flow:book", "现在报名"),)), "碧江的朋友"),
    (SendChannel.TEMPLATE, Template("tpl", {"thing1": "筛查开始"}), "筛查开始"),
]


@pytest.fixture
def calls(sending: Sending, service: CampaignService, audit: AuditTrail) -> CampaignCalls:
    return CampaignCalls(sending.database, service, sending.mass, sending.api, sending.clock, trail=audit)


@pytest.mark.parametrize(("channel", "content", "shown"), CASES)
async def test_testers_and_nobody_else_see_a_preview(
    sending: Sending,
    service: CampaignService,
    calls: CampaignCalls,
    channel: SendChannel,
    content: Content,
    shown: str,
) -> None:
    await sending.people(range(3))
    await sending.platform.say(openid(1), "您好")
    campaign = await service.create(draft(channel, content), by=AUTHOR, key="k")
    before = len(sending.platform.seen(openid(1)))
    previewed = await calls.preview(campaign.id, [openid(1), openid(1)], by=AUTHOR)
    assert (previewed.sent, previewed.refused) == (1, ())
    assert [shown in one.text for one in sending.platform.seen(openid(1))[before:]] == [True]
    assert sending.platform.seen(openid(2)) == []


async def test_a_tester_who_cannot_be_reached_is_told_of(
    sending: Sending, service: CampaignService, calls: CampaignCalls, audit: AuditTrail
) -> None:
    await sending.people(range(2))
    campaign = await service.create(draft(), by=AUTHOR, key="k")
    sending.platform.faults.add(Fault("/cgi-bin/message/mass/preview", left=1, errcode=40003))
    previewed = await calls.preview(campaign.id, [openid(0), openid(1)], by=AUTHOR)
    assert (previewed.sent, previewed.refused) == (1, ("wechat.api.not_following",))
    (event,) = await audit.events(action="campaigns:campaign:preview")
    assert event.record.reason == "1"


async def test_articles_can_be_taken_back_and_texts_cannot(
    sending: Sending, service: CampaignService, calls: CampaignCalls
) -> None:
    await sending.people(range(2))
    article = await started(service, draft(content=ARTICLES), key="article")
    text = await started(service, draft(), key="text")
    await sending.run()
    assert await calls.take_back(article.id, by=AUTHOR) == 1
    assert [job.status for job in sending.platform.mass_jobs.values()] == ["DELETE", "SEND_SUCCESS"]
    with pytest.raises(CannotBeDeleted):
        await calls.take_back(text.id, by=AUTHOR)

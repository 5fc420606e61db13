"""Tags of the platform: listed, read, put on an audience, and reached by a mass send."""

import pytest

from bot.campaigns.audience import Everyone, InCounty, Tagged
from bot.campaigns.models import SendChannel
from bot.campaigns.platform_tags import PlatformTags, known_tags
from bot.campaigns.service import CampaignService
from bot.simulator.faults import Fault
from bot.staff.audit import AuditTrail
from bot.wechat.errors import QuotaUsedUp
from bot.wechat.tags import TagApi
from tests.campaigns.people import add_followers, draft, openid, started
from tests.campaigns.platform import Sending

TAG = "/cgi-bin/tags/members/batchtagging"


@pytest.fixture
def tags(sending: Sending, audit: AuditTrail) -> PlatformTags:
    return PlatformTags(sending.database, sending.clock, TagApi(sending.api.client), trail=audit)


async def test_a_tag_is_put_on_an_audience_and_reached(
    sending: Sending, tags: PlatformTags, service: CampaignService, audit: AuditTrail
) -> None:
    await sending.people(range(120))
    await add_followers(sending.database, range(200, 201), sending.clock.now(), county="520602", subscribed=False)
    steps: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        steps.append((done, total))

    made = await tags.put_on("全体", InCounty(("520602",)), by="wang", progress=progress)
    assert (made.followers, steps) == (0, [])
    again = await tags.put_on("全体", Everyone(), by="wang", progress=progress)
    assert (again.id, again.followers, steps) == (made.id, 120, [(50, 120), (100, 120), (120, 120)])
    assert [one.name for one in await known_tags(sending.database)] == ["全体"]
    campaign = await started(service, draft(SendChannel.MASS_TAG, audience=Tagged(f"wx:{made.id}"), tag_id=made.id))
    assert (campaign.tag_name, campaign.total) == ("全体", 120)
    await sending.run()
    assert set(sending.platform.mass_ledger()) == {openid(number) for number in range(120)}
    assert [event.record.reason for event in await audit.events(action="campaigns:tag:pull")] == ["120", "0"]


async def test_interrupted_it_goes_on_and_what_was_known_stays_until_then(
    sending: Sending, tags: PlatformTags
) -> None:
    await sending.people(range(60))
    made = await tags.put_on("全体", Everyone(), by="wang")
    sending.platform.faults.add(Fault("/cgi-bin/user/tag/get", left=1, errcode=45009))
    with pytest.raises(QuotaUsedUp):
        await tags.pull(made.id, by="wang")
    assert (await known_tags(sending.database))[0].followers == 60
    sending.platform.tags[101] = "另一个"
    assert [(one.name, one.pulled_at is None) for one in await tags.refresh()] == [("全体", False), ("另一个", True)]
    del sending.platform.tags[101]
    assert [one.name for one in await tags.refresh()] == ["全体"]

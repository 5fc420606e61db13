"""Tags of the platform: listed, read, put on an audience, and reached by a mass send."""

import pytest

from bot.campaigns.audience import Everyone, InCounty, Tagged
from bot.campaigns.errors import NoSuchTag, TagReadTwice
from bot.campaigns.models import SendChannel
from bot.campaigns.planning import Planner
from bot.campaigns.platform_tags import PlatformTags, known_tags
from bot.campaigns.reach import Wanted
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
    found = await tags.refresh(by="wang")
    assert [(one.name, one.followers, one.pulled, one.pulled_at is None) for one in found] == [
        ("全体", 60, 60, False),
        ("另一个", 0, 0, True),
    ]
    del sending.platform.tags[101]
    assert [one.name for one in await tags.refresh(by="wang")] == ["全体"]


async def test_the_reading_that_began_last_counts(sending: Sending, tags: PlatformTags, planner: Planner) -> None:
    await sending.people(range(60))
    made = await tags.put_on("全体", Everyone(), by="wang")
    sending.platform.followers.get(openid(0)).tags.remove(made.id)

    async def another_begins(_done: int, _total: int) -> None:
        assert await tags.pull(made.id, by="li") == 59

    with pytest.raises(TagReadTwice):
        await tags.pull(made.id, by="wang", progress=another_begins)
    [kept] = await known_tags(sending.database)
    assert (kept.pulled, kept.followers) == (59, 59)
    plan = await planner.plan(Wanted(SendChannel.MASS_TAG, Tagged(f"wx:{made.id}"), tag_id=made.id))
    assert plan.matched == 59


async def test_nothing_is_left_of_a_tag_that_is_gone(
    sending: Sending, tags: PlatformTags, planner: Planner, audit: AuditTrail
) -> None:
    await sending.people(range(3))
    made = await tags.put_on("全体", Everyone(), by="wang")
    del sending.platform.tags[made.id]
    assert await tags.refresh(by="li", source="10.0.0.8") == []
    with pytest.raises(NoSuchTag):
        await tags.pull(made.id, by="li")
    plan = await planner.plan(Wanted(SendChannel.MASS_TAG, Tagged(f"wx:{made.id}"), tag_id=made.id))
    assert plan.matched == 0
    [event, *_] = await audit.events(action="campaigns:tag:refresh")
    assert (event.record.actor, event.record.reason, event.record.source) == ("li", "0", "10.0.0.8")

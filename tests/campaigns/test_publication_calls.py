"""What staff do with publications: withdrawn once, and settled by what was found out."""

import asyncio
from datetime import timedelta

import pytest

from bot.campaigns.errors import ArticleOfAnother, NoSuchCampaign, NotPublished, OutcomeKnown, StillUnderWay
from bot.campaigns.models import CampaignState
from bot.campaigns.publication_calls import PublicationCalls
from bot.campaigns.publication_models import PublicationState
from bot.campaigns.service import CampaignService
from bot.simulator.faults import Fault
from bot.simulator.publications import Verdict
from bot.staff.audit import AuditTrail
from bot.wechat.errors import NoSuchArticle, QuotaUsedUp
from bot.wechat.publishing import PublishApi, PublishStatus
from tests.campaigns.people import AUTHOR, started
from tests.campaigns.platform import Sending
from tests.campaigns.test_publishing import LIST, PUBLISH, SUBMIT, asked, event, of, published

DELETE = "/cgi-bin/freepublish/delete"


@pytest.fixture
def calls(sending: Sending) -> PublicationCalls:
    return PublicationCalls(
        sending.database,
        sending.clock,
        publications=sending.publications,
        publishing=PublishApi(sending.api.client),
    )


async def readable(sending: Sending, service: CampaignService, key: str = "k") -> int:
    """Return a campaign whose articles are published."""
    campaign = await started(service, PUBLISH, key=key)
    await sending.publish()
    await asked(sending)
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHED
    return campaign.id


async def in_doubt(sending: Sending, service: CampaignService, *, began: bool, key: str = "doubt") -> int:
    """Return a campaign of which nobody knows whether it is published."""
    campaign = await started(service, PUBLISH, key=key)
    sending.platform.faults.add(Fault(SUBMIT, left=1, drop=True, after_work=began))
    await sending.publish()
    assert (await of(sending, campaign.id)).state is PublicationState.UNKNOWN
    return campaign.id


async def test_a_withdrawal_is_made_once_and_is_in_the_trail(
    sending: Sending, service: CampaignService, calls: PublicationCalls, audit: AuditTrail
) -> None:
    number = await readable(sending, service)
    assert await calls.withdraw(number, by=AUTHOR, key="pressed") == 2
    assert await calls.withdraw(number, by=AUTHOR, key="pressed") == 2
    assert (sending.platform.calls.count(DELETE), published(sending)) == (1, 0)
    view = await of(sending, number)
    assert (view.state, view.ended_by, view.ended_at) == (PublicationState.WITHDRAWN, AUTHOR, sending.clock.now())
    (noted,) = await audit.events(action="campaigns:publication:withdrawn")
    assert (noted.record.actor, noted.record.object_id) == (AUTHOR, str(number))
    with pytest.raises(NotPublished):
        await calls.withdraw(number, by=AUTHOR)


async def test_pressed_twice_at_once_it_is_made_once(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    number = await readable(sending, service)
    both = await asyncio.gather(
        *(calls.withdraw(number, by=AUTHOR, key="pressed") for _ in range(2)), return_exceptions=True
    )
    assert [one for one in both if not isinstance(one, StillUnderWay)] in ([2], [2, 2])
    assert sending.platform.calls.count(DELETE) == 1


async def test_what_is_gone_already_is_withdrawn(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    number = await readable(sending, service)
    sending.platform.faults.add(Fault(DELETE, left=1, errcode=45009))
    with pytest.raises(QuotaUsedUp):
        await calls.withdraw(number, by=AUTHOR, key="pressed")
    (job,) = sending.platform.publications.everything()
    job.verdict = Verdict.DELETED
    assert await calls.withdraw(number, by=AUTHOR, key="pressed") == 2
    assert (await of(sending, number)).state is PublicationState.WITHDRAWN


async def test_only_what_is_published_is_withdrawn(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    campaign = await started(service, PUBLISH)
    for number, error in ((campaign.id, NotPublished), (99, NoSuchCampaign)):
        with pytest.raises(error):
            await calls.withdraw(number, by=AUTHOR)
    assert sending.platform.calls.count(DELETE) == 0


async def test_a_person_finds_the_one_that_was_published(
    sending: Sending, service: CampaignService, calls: PublicationCalls, audit: AuditTrail
) -> None:
    first = await readable(sending, service, "first")
    number = await in_doubt(sending, service, began=True)
    doubt = await calls.doubt(number)
    (candidate,) = doubt.candidates
    assert (candidate.titles, candidate.fits) == (("六月活动", "岗位公布"), True), (
        "the first one is known to be another's"
    )
    with pytest.raises(NoSuchArticle):
        await calls.settle(number, "nothing", by=AUTHOR)
    with pytest.raises(ArticleOfAnother):
        await calls.settle(number, (await of(sending, first)).article_id, by=AUTHOR)
    await calls.settle(number, candidate.article_id, by=AUTHOR)
    view = await of(sending, number)
    assert (view.state, view.article_id, len(view.urls)) == (PublicationState.PUBLISHED, candidate.article_id, 2)
    assert (await service.get(number)).state is CampaignState.SENT
    noted = await audit.events(action="campaigns:publication:published")
    assert {one.record.actor for one in noted} == {"system", AUTHOR}
    with pytest.raises(OutcomeKnown):
        await calls.settle(number, None, by=AUTHOR)
    with pytest.raises(OutcomeKnown):
        await calls.doubt(number)


async def test_a_person_says_that_nothing_was_published(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    number = await in_doubt(sending, service, began=False)
    await sending.reports.note(event("55", 4))
    doubt = await calls.doubt(number)
    assert (doubt.candidates, doubt.refusals) == ((), ((sending.clock.now(), PublishStatus.NOT_ALLOWED),))
    await calls.settle(number, None, by=AUTHOR)
    view = await of(sending, number)
    assert (view.state, view.reason, view.ended_by) == (PublicationState.REFUSED, "not_published", AUTHOR)
    assert (await service.get(number)).state is CampaignState.FAILED
    await sending.publish()
    assert sending.platform.calls.count(SUBMIT) == 1


async def test_the_platform_knows_better_than_a_person(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    """A worker that was frozen among its calls wakes up after somebody has decided."""
    campaign = await started(service, PUBLISH)
    turn = await sending.publications.claim(campaign.id)
    assert turn is not None
    assert await sending.publications.begin(turn)
    sending.clock.move(timedelta(minutes=2))
    assert await sending.publications.lost() == 1
    await calls.settle(campaign.id, None, by=AUTHOR)
    await sending.publications.submitted(turn, "88")
    await sending.reports.note(event("88", 0, "article-88", "https://mp.weixin.qq.com/s/a"))
    await sending.publish_reports.apply()
    view = await of(sending, campaign.id)
    assert (view.state, view.article_id) == (PublicationState.PUBLISHED, "article-88")


async def test_a_person_who_was_too_quick_is_corrected_by_the_report(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    number = await in_doubt(sending, service, began=True)
    await calls.settle(number, None, by=AUTHOR)
    await asked(sending)
    assert ((await of(sending, number)).reason, sending.platform.calls.count(LIST)) == ("not_published", 0)
    (job,) = sending.platform.publications.everything()
    await sending.reports.note(event(str(job.publish_id), 0, job.article_id))
    await sending.publish_reports.ask()
    view = await of(sending, number)
    assert (view.state, view.reason, view.article_id) == (PublicationState.PUBLISHED, None, job.article_id)
    assert (await service.get(number)).state is CampaignState.FAILED, "nothing goes out by itself"
    assert await calls.withdraw(number, by=AUTHOR) == 2


async def test_what_a_person_decided_is_looked_for_once_a_report(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    number = await in_doubt(sending, service, began=False)
    await calls.settle(number, None, by=AUTHOR)
    await sending.reports.note(event("1", 0, "article-of-others"))
    for _ in range(3):
        await asked(sending)
    assert sending.platform.calls.count(LIST) == 1
    assert (await of(sending, number)).reason == "not_published"


async def test_of_what_is_still_to_be_told_nobody_decides(
    sending: Sending, service: CampaignService, calls: PublicationCalls
) -> None:
    campaign = await started(service, PUBLISH)
    await sending.publish()
    with pytest.raises(OutcomeKnown):
        await calls.settle(campaign.id, None, by=AUTHOR)

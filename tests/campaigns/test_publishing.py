"""Articles published on the account's page: once whatever the answer, and sent only when they can be read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from redis.asyncio import Redis
from sqlalchemy import select, update

from bot.campaigns.audience import Everyone, InCounty
from bot.campaigns.content import Article, News
from bot.campaigns.errors import NothingToDo, NotPublished
from bot.campaigns.models import Campaign, CampaignState, SendChannel
from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.planning import Planner
from bot.campaigns.platform_drafts import LEFT_AFTER, PlatformDrafts
from bot.campaigns.progress import CampaignLists
from bot.campaigns.publication_models import Publication, PublicationState, PublishReport
from bot.campaigns.publication_rows import PublicationView
from bot.campaigns.publications import Publications, Turn
from bot.campaigns.publishing import Publisher
from bot.campaigns.reach import Wanted
from bot.campaigns.service import CampaignService
from bot.followers.models import Follower
from bot.simulator.faults import Fault
from bot.simulator.models import Channel, Shown
from bot.simulator.publications import Verdict
from bot.staff.audit import AuditTrail
from bot.values.clock import MovedClock
from bot.wechat.client import WeChatApi
from bot.wechat.inbound import ArticleUrl, PublishJobFinished
from bot.wechat.publishing import PublishApi
from bot.wechat.token import StableToken
from tests.campaigns.conftest import APP_ID, SECRET
from tests.campaigns.people import AUTHOR, add_followers, draft, openid, started
from tests.campaigns.platform import Sending
from tests.support.waiting import until

ARTICLES = News((Article("六月活动", "<p>您好</p>", "thumb"), Article("岗位公布", "<p>暑期</p>", "thumb")))
SUBMIT, DRAFT = "/cgi-bin/freepublish/submit", "/cgi-bin/draft/add"
GET, LIST = "/cgi-bin/freepublish/get", "/cgi-bin/freepublish/batchget"
CUSTOMER = "/cgi-bin/message/custom/send"
PUBLISH = draft(SendChannel.PUBLISH, ARTICLES)
PUBLISH_SEND = draft(SendChannel.PUBLISH_SEND, ARTICLES, per_minute=3_000)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def of(sending: Sending, campaign_id: int) -> PublicationView:
    """Return the publication of a campaign."""
    view = await sending.publications.view(campaign_id)
    assert view is not None
    return view


async def asked(sending: Sending) -> None:
    """Let time pass until the platform is asked about everything, and ask."""
    sending.clock.move(timedelta(minutes=10))
    await sending.publish_reports.ask()


def published(sending: Sending) -> int:
    """Return how many publications can be read."""
    return sum(one.is_readable for one in sending.platform.publications.everything())


def event(
    publish_id: str, status: int, article_id: str | None = None, *urls: str, at_s: int = 0
) -> PublishJobFinished:
    """Return what the platform pushes at the end of a job."""
    return PublishJobFinished(
        openid="o",
        account="gh_1",
        created_s=at_s,
        raw={},
        event="publishjobfinish",
        publish_id=publish_id,
        status=status,
        article_id=article_id,
        article_urls=tuple(ArticleUrl(place, url) for place, url in enumerate(urls, start=1)),
    )


async def window_opens(sending: Sending, *numbers: int) -> None:
    """Let followers say something, which nobody listens to."""
    for number in numbers:
        await sending.platform.say(openid(number), "您好")


def got(sending: Sending, number: int) -> list[Shown]:
    """Return the customer-service messages that a follower got."""
    return [one for one in sending.platform.seen(openid(number)) if one.channel is Channel.CUSTOMER]


# The plan ----------------------------------------------------------------------------------------------------------


async def test_the_plan_of_a_publication_says_that_nobody_is_notified(
    sending: Sending, service: CampaignService, planner: Planner
) -> None:
    await sending.people(range(5))
    campaign = await service.create(PUBLISH, by=AUTHOR, key="k")
    checked = await service.check(campaign.id, by=AUTHOR, version=1)
    assert checked.problems == ()
    assert (checked.plan.reachable, checked.plan.skipped, checked.plan.quota_after) == (0, {"not_notified": 5}, {})
    assert [note.code for note in checked.plan.notes] == ["campaign.note_publish"]
    assert SendChannel.PUBLISH not in checked.plan.by_channel
    assert checked.plan.by_channel[SendChannel.PUBLISH_SEND] == 5
    assert checked.campaign.checked_total == 2, "the articles are counted and typed"
    some = await planner.plan(Wanted(SendChannel.PUBLISH, InCounty(("520628",))))
    assert [problem.code for problem in some.problems] == ["campaign.published_for_everyone"]
    assert await planner.sample(Wanted(SendChannel.PUBLISH, Everyone())) == []
    assert (await planner.count(Wanted(SendChannel.PUBLISH, Everyone()))).reachable == 0


async def test_who_gets_the_published_articles_is_planned_as_for_other_single_messages(
    sending: Sending, service: CampaignService, opt_outs: OptOuts
) -> None:
    await sending.people(range(5))
    await opt_outs.opt_out(openid(1), source="chat")
    async with sending.database.transaction() as session:
        long_ago = sending.clock.now() - timedelta(hours=49)
        await session.execute(update(Follower).where(Follower.openid == openid(2)).values(last_seen_at=long_ago))
    campaign = await service.create(PUBLISH_SEND, by=AUTHOR, key="k")
    checked = await service.check(campaign.id, by=AUTHOR, version=1)
    assert (checked.plan.reachable, checked.plan.calls) == (3, 5)
    assert checked.plan.skipped == {"opted_out": 1, "window_closed": 1}
    assert checked.campaign.checked_total == 3


async def test_while_only_testers_may_be_reached_nothing_is_published(
    sending: Sending, clock: MovedClock, audit: AuditTrail
) -> None:
    planner = Planner(sending.database, clock, testers=frozenset({openid(0)}))
    service = CampaignService(sending.database, clock, planner=planner, trail=audit)
    await sending.people(range(1))
    for channel in (SendChannel.PUBLISH, SendChannel.PUBLISH_SEND):
        campaign = await service.create(draft(channel, ARTICLES), by=AUTHOR, key=channel.value)
        checked = await service.check(campaign.id, by=AUTHOR, version=1)
        assert [problem.code for problem in checked.problems] == ["campaign.public_while_testing"]
        async with sending.database.transaction() as session:
            row = await session.get_one(Campaign, campaign.id)
            row.state, row.starts_at = CampaignState.SCHEDULED.value, clock.now()
    assert await service.start_due() == []
    assert (await service.get(campaign.id)).pause_reason == "public_while_testing"
    assert await sending.publications.view(campaign.id) is None


# Publishing --------------------------------------------------------------------------------------------------------


async def test_articles_are_published_and_nobody_is_notified(
    sending: Sending, service: CampaignService, lists: CampaignLists, audit: AuditTrail
) -> None:
    await sending.people(range(3))
    campaign = await started(service, PUBLISH)
    assert (campaign.total, (await of(sending, campaign.id)).state) == (0, PublicationState.WAITING)
    await sending.stops.sweep()
    assert (await service.get(campaign.id)).state is CampaignState.SENDING, "it waits for the publication"
    await sending.publish()
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHING
    await sending.stops.sweep()
    await asked(sending)
    view = await of(sending, campaign.id)
    assert view.state is PublicationState.PUBLISHED
    assert view.article_id
    assert len(view.urls) == 2
    ended = await service.get(campaign.id)
    assert (ended.state, ended.finished_at) == (CampaignState.SENT, sending.clock.now())
    assert [sending.platform.seen(openid(number)) for number in range(3)] == [[], [], []]
    assert sending.platform.mass_jobs == {}
    assert (await lists.progress(campaign.id)).counts == {}
    (noted,) = await audit.events(action="campaigns:publication:published")
    assert (noted.record.actor, noted.record.object_id) == ("system", str(campaign.id))


async def test_followers_get_what_was_published_and_not_before(
    sending: Sending, service: CampaignService, opt_outs: OptOuts
) -> None:
    await sending.people(range(5))
    await window_opens(sending, 0, 1, 2, 3)
    campaign = await started(service, PUBLISH_SEND)
    await sending.run()
    assert sending.platform.calls.count(CUSTOMER) == 0
    await sending.publish()
    await sending.run()
    assert sending.platform.calls.count(CUSTOMER) == 0
    await opt_outs.opt_out(openid(1), source="chat")
    await asked(sending)
    assert (await service.get(campaign.id)).state is CampaignState.SENDING
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"submitted": 3, "skipped": 1, "failed": 1}
    shown = {number: got(sending, number) for number in range(5)}
    titles = {number: [one.text for one in some] for number, some in shown.items()}
    assert titles == {0: ["六月活动"], 1: [], 2: ["六月活动"], 3: ["六月活动"], 4: []}
    assert shown[0][0].links[0].url == (await of(sending, campaign.id)).urls[0]
    assert (await service.get(campaign.id)).state is CampaignState.SENT


async def test_whose_window_closed_while_the_platform_took_its_time_is_left_out(
    sending: Sending, service: CampaignService
) -> None:
    await sending.people(range(3))
    campaign = await started(service, PUBLISH_SEND)
    await sending.publish()
    async with sending.database.transaction() as session:
        long_ago = sending.clock.now() - timedelta(hours=48)
        await session.execute(update(Follower).where(Follower.openid == openid(2)).values(last_seen_at=long_ago))
    await window_opens(sending, 0, 1)
    await asked(sending)
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"submitted": 2, "skipped": 1}


async def test_only_the_failed_get_it_again_and_only_while_it_can_be_read(
    sending: Sending, service: CampaignService
) -> None:
    await sending.people(range(3))
    await window_opens(sending, 0, 1)
    campaign = await started(service, PUBLISH_SEND)
    await sending.publish()
    await asked(sending)
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"submitted": 2, "failed": 1}
    await window_opens(sending, 2)
    await service.retry_failed(campaign.id, by=AUTHOR)
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"submitted": 3}
    assert [len(got(sending, number)) for number in range(3)] == [1, 1, 1]
    async with sending.database.transaction() as session:
        await session.execute(update(Publication).values(state=PublicationState.WITHDRAWN.value))
    with pytest.raises(NotPublished):
        await service.retry_failed(campaign.id, by=AUTHOR)


# What the platform says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "reason", "failed"),
    [
        (Verdict.NOT_ORIGINAL, "not_original", (1, 2)),
        (Verdict.FAILED, "failed", ()),
        (Verdict.NOT_ALLOWED, "not_allowed", (1, 2)),
    ],
)
async def test_a_refused_publication_fails_its_campaign(
    sending: Sending, service: CampaignService, verdict: Verdict, reason: str, failed: tuple[int, ...]
) -> None:
    await sending.people(range(2))
    campaign = await started(service, PUBLISH_SEND)
    sending.platform.publications.verdicts.append(verdict)
    await sending.publish()
    await asked(sending)
    view = await of(sending, campaign.id)
    assert (view.state, view.reason, view.failed) == (PublicationState.REFUSED, reason, failed)
    assert (await service.get(campaign.id)).state is CampaignState.FAILED
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"cancelled": 2}
    with pytest.raises(NotPublished):
        await service.retry_failed(campaign.id, by=AUTHOR)


@pytest.mark.parametrize(
    ("path", "errcode", "reason"),
    [
        (SUBMIT, 53503, "draft_check"),
        (SUBMIT, 53504, "draft_console"),
        (SUBMIT, 53505, "draft_unsaved"),
        (SUBMIT, 40007, "draft_gone"),
        (SUBMIT, 40035, "refused"),
        (DRAFT, 40007, "cover"),
        (DRAFT, 45008, "refused"),
    ],
)
async def test_what_the_platform_does_not_begin_fails_with_its_reason(
    sending: Sending, service: CampaignService, path: str, errcode: int, reason: str
) -> None:
    campaign = await started(service, PUBLISH)
    sending.platform.faults.add(Fault(path, left=1, errcode=errcode))
    await sending.publish()
    view = await of(sending, campaign.id)
    assert (view.state, view.reason, view.code) == (PublicationState.REFUSED, reason, errcode)
    assert (await service.get(campaign.id)).state is CampaignState.FAILED


@pytest.mark.parametrize("path", [DRAFT, SUBMIT])
@pytest.mark.parametrize(
    ("errcode", "reason"), [(45009, "quota_used_up"), (48001, "not_authorised"), (40164, "ip_not_allowed")]
)
async def test_a_quota_or_a_missing_right_pauses_and_it_goes_on_afterwards(
    sending: Sending, service: CampaignService, path: str, errcode: int, reason: str
) -> None:
    campaign = await started(service, PUBLISH)
    sending.platform.faults.add(Fault(path, left=1, errcode=errcode))
    await sending.publish()
    paused = await service.get(campaign.id)
    assert (paused.state, paused.pause_reason) == (CampaignState.PAUSED, reason)
    sending.clock.move(timedelta(minutes=1))
    await sending.publish()
    assert published(sending) == 0
    await service.resume(campaign.id, by=AUTHOR)
    await sending.publish()
    await asked(sending)
    assert (published(sending), (await service.get(campaign.id)).state) == (1, CampaignState.SENT)
    assert sending.platform.calls.count(DRAFT, ok_only=True) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(SUBMIT, left=3, errcode=-1),
        Fault(SUBMIT, left=1, errcode=45011),
        Fault(DRAFT, left=1, drop=True, after_work=True),
        Fault(DRAFT, left=1, http_status=502),
    ],
    ids=["busy", "throttled", "draft's answer lost", "bad gateway"],
)
async def test_what_had_no_effect_is_tried_again(sending: Sending, service: CampaignService, fault: Fault) -> None:
    campaign = await started(service, PUBLISH)
    sending.platform.faults.add(replace(fault))
    await sending.publish()
    assert (await of(sending, campaign.id)).state is PublicationState.WAITING
    sending.clock.move(timedelta(minutes=2))
    await sending.publish()
    await asked(sending)
    assert (published(sending), (await of(sending, campaign.id)).state) == (1, PublicationState.PUBLISHED)


# Nobody knows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "began"),
    [
        (Fault(SUBMIT, left=1, drop=True, after_work=True), True),
        (Fault(SUBMIT, left=1, drop=True), False),
        (Fault(SUBMIT, left=1, http_status=502), False),
    ],
    ids=["answer lost", "call lost", "bad gateway"],
)
async def test_a_lost_answer_is_never_followed_by_another_call(
    sending: Sending, service: CampaignService, fault: Fault, began: bool
) -> None:
    campaign = await started(service, PUBLISH)
    sending.platform.faults.add(replace(fault))
    await sending.publish()
    assert (await of(sending, campaign.id)).state is PublicationState.UNKNOWN
    for _ in range(4):
        sending.clock.move(timedelta(hours=3))
        await sending.publish()
        await sending.stops.sweep()
    assert sending.platform.calls.count(SUBMIT) == 1
    assert (await service.get(campaign.id)).state is CampaignState.SENDING
    await asked(sending)
    state = PublicationState.PUBLISHED if began else PublicationState.UNKNOWN
    assert (published(sending), (await of(sending, campaign.id)).state) == (int(began), state)


async def test_an_answer_that_comes_too_late_is_a_lost_one(
    sending: Sending, service: CampaignService, http: aiohttp.ClientSession, redis_url: str
) -> None:
    campaign = await started(service, PUBLISH)
    redis, base = Redis.from_url(redis_url), sending.platform.base_url
    token = StableToken(redis, http, base, APP_ID, SECRET, sending.clock)
    hasty = WeChatApi(http, token, base, APP_ID, call_timeout_s=0.3)
    publisher = Publisher(sending.publications, sending.stops, sending.mass, PublishApi(hasty.client))
    sending.platform.faults.add(Fault(SUBMIT, left=1, latency_s=0.6, after_work=True))
    await publisher.run_due()
    assert (await of(sending, campaign.id)).state is PublicationState.UNKNOWN
    await sending.platform.settle()
    await publisher.run_due()
    await asked(sending)
    assert (published(sending), (await of(sending, campaign.id)).state) == (1, PublicationState.PUBLISHED)
    await redis.aclose()


async def test_what_others_published_is_not_taken_for_ours(sending: Sending, service: CampaignService) -> None:
    campaign = await started(service, PUBLISH)
    sending.platform.faults.add(Fault(SUBMIT, left=1, drop=True))
    await sending.publish()
    others = draft(SendChannel.PUBLISH, News((Article("六月活动", "<p>您好</p>", "thumb"),)))
    await started(service, others, key="others")
    await sending.publish()
    await asked(sending)
    assert (await of(sending, campaign.id)).state is PublicationState.UNKNOWN


async def test_two_that_fit_are_left_to_a_person(sending: Sending, service: CampaignService) -> None:
    first = await started(service, PUBLISH, key="first")
    second = await started(service, PUBLISH, key="second")
    sending.platform.faults.add(Fault(SUBMIT, left=1, drop=True))
    sending.platform.faults.add(Fault(SUBMIT, left=2, drop=True, after_work=True))
    await sending.publish()
    await asked(sending)
    states = {(await of(sending, one.id)).state for one in (first, second)}
    assert (published(sending), states) == (1, {PublicationState.UNKNOWN})


async def test_the_platform_is_asked_ever_more_seldom(sending: Sending, service: CampaignService) -> None:
    campaign = await started(service, PUBLISH)
    sending.platform.faults.add(Fault(SUBMIT, left=1, drop=True))
    await sending.publish()
    for _ in range(24 * 60):
        sending.clock.move(timedelta(minutes=1))
        await sending.publish_reports.ask()
    assert (await of(sending, campaign.id)).state is PublicationState.UNKNOWN
    assert 8 <= sending.platform.calls.count(LIST) <= 14, "a hundred a day are allowed, for all campaigns"


async def test_several_workers_ask_once(sending: Sending, service: CampaignService) -> None:
    known = await started(service, PUBLISH, key="known")
    unknown = await started(service, PUBLISH, key="unknown")
    await sending.publisher.run(known.id)
    sending.platform.faults.add(Fault(SUBMIT, left=1, drop=True))
    await sending.publisher.run(unknown.id)
    sending.clock.move(timedelta(minutes=10))
    await asyncio.gather(*(sending.publish_reports.ask() for _ in range(3)))
    assert (sending.platform.calls.count(GET), sending.platform.calls.count(LIST)) == (1, 1)


async def test_a_platform_that_cannot_be_asked_is_asked_later(sending: Sending, service: CampaignService) -> None:
    campaign = await started(service, PUBLISH)
    await sending.publish()
    sending.platform.faults.add(Fault(GET, left=1, errcode=45009))
    await asked(sending)
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHING
    await asked(sending)
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHED


async def test_several_workers_publish_it_once(sending: Sending, service: CampaignService) -> None:
    campaign = await started(service, PUBLISH)
    taken = await asyncio.gather(*(sending.publisher.run(campaign.id) for _ in range(4)))
    assert sorted(taken) == [False, False, False, True]
    assert sending.platform.calls.count(SUBMIT) == 1


class Careless(Publications):
    """Lets everybody begin."""

    async def claim(self, campaign_id: int) -> Turn | None:
        return Turn(campaign_id, 0, ARTICLES, None)

    async def begin(self, turn: Turn) -> bool:
        return turn.fence == 0


async def test_without_rows_that_are_taken_each_worker_publishes_it(
    sending: Sending, service: CampaignService, audit: AuditTrail
) -> None:
    """The control."""
    campaign = await started(service, PUBLISH)
    careless = Careless(sending.database, sending.clock, trail=audit)
    publisher = Publisher(careless, sending.stops, sending.mass, PublishApi(sending.api.client))
    await asyncio.gather(*(publisher.run(campaign.id) for _ in range(4)))
    assert sending.platform.calls.count(SUBMIT) == 4


async def test_a_worker_that_is_told_to_stop_hears_the_answer_first(
    sending: Sending, service: CampaignService
) -> None:
    campaign = await started(service, PUBLISH)
    slow = Fault(SUBMIT, left=1, latency_s=0.3, after_work=True)
    sending.platform.faults.add(slow)
    working = asyncio.create_task(sending.publisher.run(campaign.id))

    async def is_asked() -> bool:
        return slow.left == 0

    await until(is_asked)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHING
    sending.clock.move(timedelta(minutes=5))
    assert await sending.publications.lost() == 0, "its number is known"


# What is reported --------------------------------------------------------------------------------------------------


async def test_a_report_before_the_answer_waits_and_twice_is_once(
    sending: Sending, service: CampaignService, audit: AuditTrail
) -> None:
    campaign = await started(service, PUBLISH)
    turn = await sending.publications.claim(campaign.id)
    assert turn is not None
    assert await sending.publications.begin(turn)
    for at_s in (1, 2):
        await sending.reports.note(event("77", 0, "article-1", "https://mp.weixin.qq.com/s/a", at_s=at_s))
    assert await sending.publish_reports.apply() == 0
    await sending.publications.submitted(turn, "77")
    assert await sending.publish_reports.apply() == 1
    assert await sending.publish_reports.apply() == 0
    view = await of(sending, campaign.id)
    assert (view.state, view.article_id) == (PublicationState.PUBLISHED, "article-1")
    assert view.urls == ("https://mp.weixin.qq.com/s/a",)
    assert len(await audit.events(action="campaigns:publication:published")) == 1


async def test_a_report_of_what_nobody_knew_lets_the_platform_be_asked_at_once(
    sending: Sending, service: CampaignService
) -> None:
    campaign = await started(service, PUBLISH)
    sending.platform.faults.add(Fault(SUBMIT, left=1, drop=True, after_work=True))
    await sending.publish()
    (job,) = sending.platform.publications.everything()
    await sending.reports.note(event(str(job.publish_id), 0, job.article_id, "https://mp.weixin.qq.com/s/a"))
    await sending.publish_reports.ask()
    await sending.publish_reports.apply()
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHED
    await sending.reports.note(event(str(job.publish_id), 5))
    await sending.publish_reports.apply()
    view = await of(sending, campaign.id)
    assert (view.state, view.reason) == (PublicationState.WITHDRAWN, "deleted"), "known by the number of the first"


async def test_reports_of_others_change_nothing_and_go(sending: Sending, service: CampaignService) -> None:
    campaign = await started(service, PUBLISH)
    await sending.publish()
    await sending.reports.note(event("1", 4))
    assert await sending.publish_reports.apply() == 0
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHING
    sending.clock.move(timedelta(days=8))
    await sending.publish_reports.ask()
    async with sending.database.reading() as session:
        assert await session.scalar(select(PublishReport)) is None


@pytest.mark.parametrize(("status", "reason"), [(5, "deleted"), (6, "banned")])
async def test_what_the_platform_takes_down_is_sent_no_more(
    sending: Sending, service: CampaignService, status: int, reason: str
) -> None:
    await sending.people(range(2))
    await window_opens(sending, 0, 1)
    campaign = await started(service, PUBLISH_SEND)
    await sending.publish()
    await asked(sending)
    (job,) = sending.platform.publications.everything()
    await sending.reports.note(event(str(job.publish_id), status))
    await sending.publish_reports.apply()
    view = await of(sending, campaign.id)
    assert (view.state, view.reason) == (PublicationState.WITHDRAWN, reason)
    assert (await service.get(campaign.id)).state is CampaignState.CANCELLED
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"cancelled": 2}


async def test_the_end_of_a_job_and_what_follows_are_applied_in_their_order(
    sending: Sending, service: CampaignService
) -> None:
    campaign = await started(service, PUBLISH)
    await sending.publish()
    (job,) = sending.platform.publications.everything()
    for status in (5, 0):
        await sending.reports.note(event(str(job.publish_id), status, job.article_id))
    assert await sending.publish_reports.apply() == 2
    view = await of(sending, campaign.id)
    assert (view.state, view.published_at is not None) == (PublicationState.WITHDRAWN, True)


# Stopping ----------------------------------------------------------------------------------------------------------


async def test_a_pause_keeps_it_from_being_published(sending: Sending, service: CampaignService) -> None:
    campaign = await started(service, PUBLISH)
    await service.pause(campaign.id, by=AUTHOR, reason="看一看")
    await sending.publish()
    assert sending.platform.calls.count(SUBMIT) == 0
    await service.resume(campaign.id, by=AUTHOR)
    await sending.publish()
    assert sending.platform.calls.count(SUBMIT) == 1


async def test_a_pause_between_draft_and_submission_is_heeded(sending: Sending, service: CampaignService) -> None:
    campaign = await started(service, PUBLISH)
    turn = await sending.publications.claim(campaign.id)
    assert turn is not None
    await service.pause(campaign.id, by=AUTHOR, reason="看一看")
    assert not await sending.publications.begin(turn)
    await service.resume(campaign.id, by=AUTHOR)
    await sending.publish()
    assert sending.platform.calls.count(SUBMIT) == 1


async def test_a_campaign_that_is_cancelled_before_publishes_nothing(
    sending: Sending, service: CampaignService
) -> None:
    campaign = await started(service, PUBLISH)
    await service.cancel(campaign.id, by=AUTHOR)
    await sending.publish()
    assert sending.platform.calls.count(SUBMIT) == 0
    assert (await of(sending, campaign.id)).state is PublicationState.CANCELLED


async def test_what_the_platform_has_in_hand_is_published_though_it_is_cancelled(
    sending: Sending, service: CampaignService
) -> None:
    await sending.people(range(2))
    campaign = await started(service, PUBLISH_SEND)
    await sending.publish()
    await service.cancel(campaign.id, by=AUTHOR)
    await asked(sending)
    assert (await of(sending, campaign.id)).state is PublicationState.PUBLISHED
    assert (await service.get(campaign.id)).state is CampaignState.CANCELLED
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"cancelled": 2}


async def test_without_anybody_to_send_it_to_nothing_is_published(sending: Sending, service: CampaignService) -> None:
    await add_followers(sending.database, range(2), sending.clock.now())
    campaign = await started_later(sending, service)
    await service.start_due()
    assert (await service.get(campaign)).pause_reason == NothingToDo.code.rpartition(".")[2]
    await sending.publish()
    assert sending.platform.calls.count(SUBMIT) == 0


async def started_later(sending: Sending, service: CampaignService) -> int:
    """Return a campaign that was scheduled while somebody could be reached, when nobody can be any more."""
    campaign = await service.create(PUBLISH_SEND, by=AUTHOR, key="k")
    await service.check(campaign.id, by=AUTHOR, version=1)
    await service.approve(campaign.id, by="li", version=1, confirmed=2)
    await service.send(campaign.id, by=AUTHOR, version=1, confirmed=2)
    async with sending.database.transaction() as session:
        await session.execute(update(Follower).values(last_seen_at=sending.clock.now() - timedelta(hours=49)))
    return campaign.id


# Drafts ------------------------------------------------------------------------------------------------------------


async def test_drafts_stay_while_they_may_be_published_and_go_when_they_were_refused(
    sending: Sending, service: CampaignService
) -> None:
    drafts = PlatformDrafts(sending.database, sending.clock, box=sending.mass)
    unknown = await started(service, PUBLISH, key="unknown")
    sending.platform.faults.add(Fault(SUBMIT, left=1, drop=True))
    await sending.publish()
    refused = await started(service, PUBLISH, key="refused")
    sending.platform.faults.add(Fault(SUBMIT, left=1, errcode=53503))
    await sending.publish()
    gone = await started(service, PUBLISH, key="published")
    await sending.publish()
    sending.clock.move(LEFT_AFTER)
    await sending.publish_reports.ask()
    states = [(await of(sending, one.id)).state.value for one in (unknown, refused, gone)]
    assert states == ["unknown", "refused", "published"]
    assert len(sending.platform.drafts) == 2
    assert (await drafts.remove_left(), len(sending.platform.drafts)) == (1, 1)
    assert await drafts.remove_left() == 0

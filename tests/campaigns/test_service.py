"""From draft to sending: what is counted, who may do which step, and what the frozen rows are."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from bot.campaigns.audience import AllOf, Everyone, InCounty, Named, Tagged
from bot.campaigns.content import Menu, MenuChoice, Text
from bot.campaigns.errors import (
    CampaignChanged,
    CountNotConfirmed,
    NotInThisState,
    SecondPersonNeeded,
)
from bot.campaigns.models import CampaignBatch, CampaignState, Outcome, Recipient, SendChannel
from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.planning import Planner
from bot.campaigns.progress import CampaignLists
from bot.campaigns.reach import Wanted
from bot.campaigns.rules import SendingHours
from bot.campaigns.service import CampaignService
from bot.staff.audit import AuditTrail
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.campaigns.people import APPROVER, AUTHOR, add_followers, approved, draft, openid, started


async def chunks_of(database: Database, campaign_id: int) -> list[int]:
    query = select(CampaignBatch.size).where(CampaignBatch.campaign_id == campaign_id).order_by(CampaignBatch.chunk)
    async with database.reading() as session:
        return list(await session.scalars(query))


async def test_the_plan_counts_who_is_left_out_and_why(
    database: Database, clock: MovedClock, planner: Planner, opt_outs: OptOuts
) -> None:
    await add_followers(database, range(10), clock.now())
    await add_followers(database, range(10, 13), clock.now() - timedelta(days=3))
    await add_followers(database, [13], clock.now(), subscribed=False)
    for number in (1, 2):
        await opt_outs.opt_out(openid(number), source="chat")
    plan = await planner.plan(Wanted(SendChannel.CUSTOMER, Everyone()))
    assert (plan.matched, plan.reachable, plan.skipped) == (13, 8, {"opted_out": 2, "window_closed": 3})
    assert plan.by_channel[SendChannel.MASS_LIST] == 11
    assert plan.by_channel[SendChannel.CUSTOMER] == 8
    assert plan.by_channel[SendChannel.MASS_ALL] == 13
    mass = await planner.plan(Wanted(SendChannel.MASS_LIST, Everyone()))
    assert mass.quota_after == {3: 11}
    assert (mass.calls, mass.problems) == (1, ())
    consent = await planner.plan(Wanted(SendChannel.MASS_LIST, Everyone(), purpose="campaigns"))
    assert consent.skipped == {"opted_out": 2, "no_consent": 11}


async def test_a_subscription_account_is_told_what_it_cannot_do(database: Database, clock: MovedClock) -> None:
    await add_followers(database, range(3), clock.now())
    planner = Planner(database, clock, account="subscription")
    plan = await planner.plan(Wanted(SendChannel.MASS_LIST, Everyone()))
    assert [problem.code for problem in plan.problems] == ["campaign.channel_not_for_account"]
    sent_by = {SendChannel.MASS_ALL, SendChannel.MASS_TAG, SendChannel.CUSTOMER, SendChannel.PUBLISH_SEND}
    assert set(plan.by_channel) == sent_by
    assert (await planner.plan(Wanted(SendChannel.PUBLISH, Everyone()))).problems == ()
    assert (await planner.plan(Wanted(SendChannel.MASS_ALL, Everyone()))).problems == ()


async def test_all_and_a_tag_cannot_be_narrowed(database: Database, clock: MovedClock, planner: Planner) -> None:
    await add_followers(database, range(3), clock.now(), county="520602")
    narrowed = await planner.plan(Wanted(SendChannel.MASS_ALL, InCounty(("520602",))))
    assert [problem.code for problem in narrowed.problems] == ["campaign.all_means_everyone"]
    other = await planner.plan(Wanted(SendChannel.MASS_TAG, Everyone(), tag_id=100))
    assert [problem.code for problem in other.problems] == ["campaign.tag_means_its_members"]
    nobody = await planner.plan(Wanted(SendChannel.MASS_TAG, Tagged("wx:100"), tag_id=100))
    assert [problem.code for problem in nobody.problems] == ["campaign.nothing_to_do"]


async def test_the_sample_is_masked(database: Database, clock: MovedClock, planner: Planner) -> None:
    await add_followers(database, range(30), clock.now(), county="520602")
    rows = await planner.sample(Wanted(SendChannel.MASS_LIST, Everyone()), limit=5)
    assert len(rows) == 5
    assert all(row.openid_masked == "oTes…" + row.openid_masked[-2:] and row.county == "520602" for row in rows)


async def test_the_fifth_in_a_month_is_left_out(
    database: Database, clock: MovedClock, service: CampaignService, planner: Planner
) -> None:
    await add_followers(database, range(4), clock.now(), county="520602")
    await add_followers(database, range(4, 6), clock.now(), county="520603")
    for number in range(3):
        await started(service, draft(), key=f"all {number}")
    await started(service, draft(audience=InCounty(("520602",))), key="four of them")
    plan = await planner.plan(Wanted(SendChannel.MASS_LIST, Everyone()))
    assert (plan.reachable, plan.skipped, plan.quota_after) == (2, {"quota_used": 4}, {0: 2})
    for among_many in (False, True):
        sample = await planner.sample(Wanted(SendChannel.MASS_LIST, Everyone()), among_many=among_many)
        assert [row.county for row in sample] == ["520603"] * 2
    clock.move(timedelta(days=20))
    assert (await planner.plan(Wanted(SendChannel.MASS_LIST, Everyone()))).reachable == 6


async def test_only_a_second_person_approves_what_was_read(
    database: Database, clock: MovedClock, service: CampaignService, audit: AuditTrail
) -> None:
    await add_followers(database, range(3), clock.now())
    campaign = await service.create(draft(), by=AUTHOR, key="k")
    assert await service.create(draft(), by=AUTHOR, key="k") == campaign
    with pytest.raises(NotInThisState):
        await service.approve(campaign.id, by=APPROVER, version=1, confirmed=3)
    await service.check(campaign.id, by=AUTHOR, version=1)
    with pytest.raises(SecondPersonNeeded):
        await service.approve(campaign.id, by=AUTHOR, version=1, confirmed=3)
    with pytest.raises(CountNotConfirmed):
        await service.approve(campaign.id, by=APPROVER, version=1, confirmed=4)
    with pytest.raises(CampaignChanged):
        await service.approve(campaign.id, by=APPROVER, version=2, confirmed=3)
    await service.approve(campaign.id, by=APPROVER, version=1, confirmed=3)
    edited = await service.edit(campaign.id, draft(content=Text("改过")), by="zhao", version=1)
    assert (edited.state, edited.approved_by, edited.checked_total) == (CampaignState.DRAFT, None, None)
    await service.check(campaign.id, by="zhao", version=2)
    with pytest.raises(SecondPersonNeeded):
        await service.approve(campaign.id, by="zhao", version=2, confirmed=3)
    await service.approve(campaign.id, by=APPROVER, version=2, confirmed=3)
    with pytest.raises(CountNotConfirmed):
        await service.send(campaign.id, by=AUTHOR, version=2, confirmed=33)
    steps = [event.record.action.rpartition(":")[2] for event in await audit.events(object_kind="campaign")]
    assert steps == ["approve", "check", "edit", "approve", "check", "create"]


async def test_a_check_with_problems_leaves_a_draft(
    database: Database, clock: MovedClock, service: CampaignService
) -> None:
    await add_followers(database, range(3), clock.now())
    wrong = draft(content=Text(""), per_minute=61, hours=SendingHours(600, 600), max_failed_percent=0)
    campaign = await service.create(wrong, by=AUTHOR, key="k")
    checked = await service.check(campaign.id, by=AUTHOR, version=1)
    codes = [problem.code for problem in checked.problems]
    assert codes == ["campaign.part_empty", "campaign.rate", "campaign.hours", "campaign.failed_percent"]
    assert checked.campaign.state is CampaignState.DRAFT


async def test_the_audience_is_frozen_at_the_start(
    database: Database, clock: MovedClock, service: CampaignService, lists: CampaignLists, opt_outs: OptOuts
) -> None:
    await add_followers(database, range(25_001), clock.now())
    await opt_outs.opt_out(openid(7), source="chat")
    campaign = await started(service, draft())
    await add_followers(database, [30_000], clock.now())
    assert (campaign.state, campaign.total, campaign.skipped) == (CampaignState.SENDING, 25_000, {"opted_out": 1})
    assert await chunks_of(database, campaign.id) == [8_334, 8_334, 8_332]
    async with database.reading() as session:
        outcomes = await session.execute(
            select(Recipient.outcome, func.count()).where(Recipient.campaign_id == campaign.id).group_by("outcome")
        )
        assert {row[0]: row[1] for row in outcomes} == {"queued": 25_000, "skipped": 1}
        ids = list(await session.scalars(select(CampaignBatch.client_id)))
    assert len(set(ids)) == 3
    assert max(len(one) for one in ids) <= 32
    progress = await lists.progress(campaign.id)
    assert progress.counts == {Outcome.QUEUED: 25_000, Outcome.SKIPPED: 1}
    assert (progress.done, progress.percent, progress.batches) == (0, 0, 3)


async def test_single_messages_go_in_small_batches(
    database: Database, clock: MovedClock, service: CampaignService
) -> None:
    await add_followers(database, range(450), clock.now())
    menu = Menu("要报名吗？", (MenuChoice("/flow:book", "现在报名"),))
    campaign = await started(service, draft(SendChannel.CUSTOMER, menu, per_minute=600))
    assert await chunks_of(database, campaign.id) == [150, 150, 150]


async def test_outside_the_hours_nothing_starts(
    database: Database, clock: MovedClock, service: CampaignService
) -> None:
    await add_followers(database, range(3), clock.now())
    campaign = await approved(service, draft(hours=SendingHours(14 * 60, 18 * 60)))
    await service.send(campaign.id, by=AUTHOR, version=1, confirmed=3)
    assert await service.start_due() == []
    clock.move(timedelta(hours=5))
    assert await service.start_due() == [campaign.id]
    assert await service.start_due() == []


async def test_an_audience_that_grew_is_not_sent_to(
    database: Database, clock: MovedClock, service: CampaignService
) -> None:
    await add_followers(database, range(3), clock.now())
    campaign = await approved(service, draft())
    await service.send(campaign.id, by=AUTHOR, version=1, confirmed=3)
    await add_followers(database, range(10, 40), clock.now())
    assert await service.start_due() == []
    paused = await service.get(campaign.id)
    assert (paused.state, paused.pause_reason, paused.frozen_at) == (
        CampaignState.PAUSED,
        "count_not_confirmed",
        None,
    )
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Recipient)) == 0


async def test_with_named_testers_nobody_else_gets_anything(
    database: Database, clock: MovedClock, audit: AuditTrail
) -> None:
    await add_followers(database, range(5), clock.now())
    testers = frozenset({openid(1), openid(2)})
    planner = Planner(database, clock, testers=testers)
    service = CampaignService(database, clock, planner=planner, trail=audit)
    campaign = await service.create(draft(), by=AUTHOR, key="k")
    checked = await service.check(campaign.id, by=AUTHOR, version=1)
    assert [(problem.code, problem.fields) for problem in checked.problems] == [
        ("campaign.only_testers", {"others": 3})
    ]
    only = await started(service, draft(audience=AllOf((Everyone(), Named(tuple(testers))))), key="k2")
    assert only.total == 2


async def test_pause_resume_and_cancel(
    database: Database, clock: MovedClock, service: CampaignService, lists: CampaignLists
) -> None:
    await add_followers(database, range(5), clock.now())
    campaign = await started(service, draft())
    for _ in range(2):
        paused = await service.pause(campaign.id, by=AUTHOR, reason="写错了")
        assert (paused.state, paused.pause_reason) == (CampaignState.PAUSED, "写错了")
    assert (await service.resume(campaign.id, by=AUTHOR)).state is CampaignState.SENDING
    for _ in range(2):
        assert (await service.cancel(campaign.id, by=AUTHOR)).state is CampaignState.CANCELLED
    assert (await lists.progress(campaign.id)).counts == {Outcome.CANCELLED: 5}
    with pytest.raises(NotInThisState):
        await service.resume(campaign.id, by=AUTHOR)


async def test_a_campaign_that_failed_as_a_whole_is_queued_again_at_once(
    database: Database, clock: MovedClock, service: CampaignService, lists: CampaignLists
) -> None:
    await add_followers(database, range(25_000), clock.now())
    campaign = await started(service, draft())
    async with database.transaction() as session:
        await session.execute(update(Recipient).values(outcome="failed", code=-1))
        await session.execute(update(CampaignBatch).values(state="failed", failed=CampaignBatch.size, queued=0))
    await service.pause(campaign.id, by="system", reason="error_rate")
    again = await service.retry_failed(campaign.id, by=AUTHOR)
    assert again.state is CampaignState.SENDING
    assert await chunks_of(database, campaign.id) == [0, 0, 0, 8_334, 8_334, 8_332]
    assert (await lists.progress(campaign.id)).counts == {Outcome.QUEUED: 25_000}


async def test_the_list_goes_on_from_where_it_ended(
    database: Database, clock: MovedClock, service: CampaignService, lists: CampaignLists
) -> None:
    await add_followers(database, range(3), clock.now())
    made = [(await service.create(draft(), by=AUTHOR, key=f"k{number}")).id for number in range(5)]
    await service.cancel(made[0], by=AUTHOR)
    first = await lists.page(limit=3)
    rest = await lists.page(limit=3, before=first.before)
    assert [one.id for one in (*first.campaigns, *rest.campaigns)] == made[::-1]
    assert rest.before is None
    assert Counter(one.state for one in (await lists.page(state=CampaignState.CANCELLED)).campaigns) == {
        CampaignState.CANCELLED: 1
    }


async def test_opting_out_and_in_again(opt_outs: OptOuts) -> None:
    assert [await opt_outs.opt_out("o1", source="chat") for _ in range(2)] == [True, False]
    assert await opt_outs.has_opted_out("o1")
    assert [await opt_outs.opt_in("o1") for _ in range(2)] == [True, False]
    assert not await opt_outs.has_opted_out("o1")
    assert await opt_outs.opt_out("o1", source="chat")
    assert await opt_outs.count() == 1

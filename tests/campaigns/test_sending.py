"""Batches on their way: sent once whatever the answer, stopped where they must stop, and what the reports say."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.campaigns.audience import Tagged
from bot.campaigns.batch_rows import Hold
from bot.campaigns.batches import Batches
from bot.campaigns.content import Article, Menu, MenuChoice, News, Subscribe, Template, Text
from bot.campaigns.errors import NothingToDo
from bot.campaigns.freezing import add_batches
from bot.campaigns.models import CampaignBatch, CampaignState, JobReport, Outcome, Recipient, SendChannel
from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.progress import CampaignLists
from bot.campaigns.rules import SendingHours
from bot.campaigns.service import CampaignService
from bot.simulator.faults import Fault
from bot.wechat.inbound import MassJobFinished, SubscribeOutcome, SubscribeSent, TemplateJobFinished
from tests.campaigns.people import AUTHOR, draft, openid, started
from tests.campaigns.platform import Sending

MASS = "/cgi-bin/message/mass/send"
CUSTOMER = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
MENU = Menu("{区县}的朋友，要报名吗？", (MenuChoice("/flow:book", "现在报名"),))


def each_once(sending: Sending, count: int) -> bool:
    return sending.platform.mass_ledger() == Counter({openid(number): 1 for number in range(count)})


async def test_everybody_gets_a_mass_message_once(
    sending: Sending, service: CampaignService, lists: CampaignLists
) -> None:
    await sending.people(range(30))
    campaign = await started(service, draft())
    await sending.run()
    assert each_once(sending, 30)
    assert await sending.outcomes(campaign.id) == {"submitted": 30}
    assert (await service.get(campaign.id)).state is CampaignState.SENT
    progress = await lists.progress(campaign.id)
    assert (progress.percent, progress.batches_done) == (100, 1)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(MASS, left=1, drop=True, after_work=True),
        Fault(MASS, left=1, drop=True),
        Fault(MASS, left=1, http_status=502),
        Fault(MASS, left=3, errcode=-1),
        Fault(MASS, left=1, errcode=45011),
        Fault(MASS, left=1, errcode=45066),
    ],
    ids=["answer lost", "call lost", "bad gateway", "busy", "throttled", "too fast"],
)
async def test_a_lost_answer_repeats_nothing(sending: Sending, service: CampaignService, fault: Fault) -> None:
    await sending.people(range(5))
    campaign = await started(service, draft())
    sending.platform.faults.add(replace(fault))
    await sending.run(rounds=2)
    assert each_once(sending, 5)
    assert await sending.outcomes(campaign.id) == {"submitted": 5}


async def test_without_the_stored_id_a_lost_answer_sends_twice(sending: Sending, service: CampaignService) -> None:
    """The control: an id that is made for each attempt."""
    await sending.people(range(5))
    await started(service, draft())
    sending.platform.faults.add(Fault(MASS, left=1, drop=True, after_work=True))
    await sending.run()
    sending.clock.move(timedelta(minutes=2))
    async with sending.database.transaction() as session:
        await session.execute(update(CampaignBatch).values(client_id="another"))
    await sending.run()
    assert set(sending.platform.mass_ledger().values()) == {2}


async def test_what_was_tried_a_day_ago_is_not_tried_again(sending: Sending, service: CampaignService) -> None:
    await sending.people(range(5))
    campaign = await started(service, draft())
    sending.platform.faults.add(Fault(MASS, left=1, drop=True, after_work=True))
    await sending.run()
    sending.clock.move(timedelta(hours=24))
    await sending.run()
    await sending.stops.sweep()
    assert each_once(sending, 5)
    assert await sending.outcomes(campaign.id) == {"unknown": 5}
    with pytest.raises(NothingToDo):
        await service.retry_failed(campaign.id, by=AUTHOR)


async def test_two_workers_do_not_send_one_batch(sending: Sending, service: CampaignService) -> None:
    await sending.people(range(5))
    await started(service, draft())
    (batch_id,) = await sending.batches.due()
    assert sorted(await asyncio.gather(*(sending.sender.run(batch_id) for _ in range(4)))) == [0, 0, 0, 1]
    assert each_once(sending, 5)


async def test_each_article_send_has_a_draft_of_its_own(sending: Sending, service: CampaignService) -> None:
    await sending.people(range(4))
    campaign = await started(service, draft(content=News((Article("六月", "<p>您好</p>", "thumb"),))))
    sending.platform.faults.add(Fault(MASS, left=1, drop=True))
    await sending.run(rounds=2)
    assert each_once(sending, 4)
    assert sending.platform.calls.count("/cgi-bin/draft/add") == 1
    assert await sending.outcomes(campaign.id) == {"submitted": 4}


async def test_all_and_a_tag_are_one_call(sending: Sending, service: CampaignService, opt_outs: OptOuts) -> None:
    await sending.people(range(6))
    everyone = await started(service, draft(SendChannel.MASS_ALL), key="all")
    sending.platform.tags[100] = "志愿者"
    for number in (1, 2):
        sending.platform.followers.get(openid(number)).tags.append(100)
    await opt_outs.set_tag("wx:100", [openid(1), openid(2)])
    tagged = await started(service, draft(SendChannel.MASS_TAG, audience=Tagged("wx:100"), tag_id=100), key="tag")
    await sending.run()
    assert await sending.outcomes(everyone.id) == {"submitted": 6}
    assert await sending.outcomes(tagged.id) == {"submitted": 2}
    assert sorted(sending.platform.mass_ledger().values()) == [1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [(45009, "quota_used_up"), (45028, "mass_quota_used_up"), (48001, "not_authorised"), (40164, "ip_not_allowed")],
)
async def test_a_quota_or_a_missing_right_pauses(
    sending: Sending, service: CampaignService, errcode: int, reason: str
) -> None:
    await sending.people(range(5))
    campaign = await started(service, draft())
    sending.platform.faults.add(Fault(MASS, left=1, errcode=errcode))
    await sending.run()
    paused = await service.get(campaign.id)
    assert (paused.state, paused.pause_reason) == (CampaignState.PAUSED, reason)
    await service.resume(campaign.id, by=AUTHOR)
    sending.clock.move(timedelta(minutes=1))
    await sending.run()
    assert each_once(sending, 5)


async def test_too_many_failures_pause_and_only_the_failed_are_sent_again(
    sending: Sending, service: CampaignService
) -> None:
    await sending.people(range(30))
    wanted = draft(SendChannel.TEMPLATE, Template("tpl", {"thing1": "筛查开始预约"}), per_minute=3000)
    campaign = await started(service, wanted)
    async with sending.database.transaction() as session:
        # Batches as they are in a large campaign: one is left when the first has failed.
        await session.execute(update(Recipient).where(Recipient.openid >= openid(25)).values(chunk=2))
        await session.execute(update(CampaignBatch).values(size=25, queued=25))
        await add_batches(session, campaign.id, after_chunk=1)
    sending.platform.faults.add(Fault(TEMPLATE, left=5, errcode=47003))
    await sending.run()
    paused = await service.get(campaign.id)
    assert (paused.state, paused.pause_reason) == (CampaignState.PAUSED, "error_rate")
    assert await sending.outcomes(campaign.id) == {"submitted": 20, "failed": 5, "queued": 5}
    again = await service.retry_failed(campaign.id, by=AUTHOR)
    assert again.state is CampaignState.SENDING
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"submitted": 30}
    arrived = Counter(shown.openid for number in range(30) for shown in sending.platform.seen(openid(number)))
    assert set(arrived.values()) == {1}
    assert len(arrived) == 30


async def test_pause_stops_between_batches_and_resume_goes_on(sending: Sending, service: CampaignService) -> None:
    await sending.people(range(4))
    campaign = await started(service, draft())
    await service.pause(campaign.id, by=AUTHOR, reason="看一看")
    await sending.run()
    assert not sending.platform.mass_jobs
    await service.resume(campaign.id, by=AUTHOR)
    await sending.run()
    assert each_once(sending, 4)


async def test_after_hours_nothing_is_sent(sending: Sending, service: CampaignService, lists: CampaignLists) -> None:
    await sending.people(range(4))
    campaign = await started(service, draft(hours=SendingHours(9 * 60, 11 * 60)))
    sending.clock.move(timedelta(hours=3))
    await sending.run()
    assert not sending.platform.mass_jobs
    waits_until = (await lists.progress(campaign.id)).waits_until
    assert waits_until is not None
    sending.clock.set(waits_until)
    await sending.run()
    assert each_once(sending, 4)


async def test_who_opts_out_before_the_batch_goes_gets_nothing(
    sending: Sending, service: CampaignService, opt_outs: OptOuts
) -> None:
    await sending.people(range(4))
    campaign = await started(service, draft())
    await opt_outs.opt_out(openid(3), source="chat")
    await sending.run()
    assert each_once(sending, 3)
    assert await sending.outcomes(campaign.id) == {"submitted": 3, "skipped": 1}


async def test_a_cancelled_campaign_never_goes_on(sending: Sending, service: CampaignService) -> None:
    await sending.people(range(4))
    campaign = await started(service, draft())
    sending.platform.faults.add(Fault(MASS, left=1, drop=True, after_work=True))
    await sending.run()
    await service.cancel(campaign.id, by=AUTHOR)
    sending.clock.move(timedelta(minutes=5))
    await sending.run()
    await sending.stops.sweep()
    assert each_once(sending, 4)
    assert await sending.outcomes(campaign.id) == {"unknown": 4}


async def test_a_customer_message_under_way_at_a_crash_stays_unknown(
    sending: Sending, service: CampaignService
) -> None:
    await sending.people(range(10))
    for number in range(10):
        await sending.platform.say(openid(number), "您好")
    campaign = await started(service, draft(SendChannel.CUSTOMER, MENU, per_minute=3000))
    (batch_id,) = await sending.batches.due()
    hold = await sending.batches.claim(batch_id)
    assert hold is not None
    wave = await sending.batches.singles.next_wave(hold, 4)
    assert wave is not None
    # Here the worker dies; its lease runs out.
    sending.clock.move(timedelta(minutes=2))
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"unknown": 4, "submitted": 6}
    assert sending.platform.calls.count(CUSTOMER) == 6


async def test_a_template_under_way_at_a_crash_is_sent_again_under_its_id(
    sending: Sending, service: CampaignService
) -> None:
    await sending.people(range(6))
    wanted = draft(SendChannel.TEMPLATE, Template("tpl", {"thing1": "筛查开始预约"}), per_minute=3000)
    campaign = await started(service, wanted)
    (batch_id,) = await sending.batches.due()
    hold = await sending.batches.claim(batch_id)
    assert hold is not None
    await sending.batches.singles.next_wave(hold, 4)
    sending.clock.move(timedelta(minutes=2))
    await sending.run()
    assert await sending.outcomes(campaign.id) == {"submitted": 6}
    sending.clock.move(timedelta(minutes=30))
    assert [len(sending.platform.seen(openid(number))) for number in range(6)] == [1] * 6


async def test_a_frozen_worker_writes_nothing_but_knowledge(sending: Sending, service: CampaignService) -> None:
    await sending.people(range(4))
    campaign = await started(service, draft())
    (batch_id,) = await sending.batches.due()
    frozen = await sending.batches.claim(batch_id)
    assert frozen is not None
    sending.clock.move(timedelta(minutes=2))
    await sending.run()
    await sending.batches.failed(frozen, 40008)
    await sending.batches.unknown(frozen)
    await sending.batches.later(frozen, timedelta())
    assert await sending.outcomes(campaign.id) == {"submitted": 4}


async def held(batches: Batches) -> Hold:
    (batch_id,) = await batches.due()
    hold = await batches.claim(batch_id)
    assert hold is not None
    return hold


def mass_finished(msg_id: int, status: str, sent: int, errors: int) -> MassJobFinished:
    return MassJobFinished(
        openid="o",
        account="gh",
        created_s=1_780_000_000,
        raw={"MsgID": str(msg_id)},
        event="masssendjobfinish",
        msg_id=msg_id,
        status=status,
        total_count=sent + errors,
        filter_count=sent,
        sent_count=sent,
        error_count=errors,
    )


async def test_reports_of_mass_sends(sending: Sending, service: CampaignService, lists: CampaignLists) -> None:
    await sending.people(range(4))
    ids = []
    for number, (status, sent, errors) in enumerate(
        [("send success", 4, 0), ("send success", 3, 1), ("err(10001)", 0, 4)]
    ):
        campaign = await started(service, draft(), key=f"k{number}")
        hold = await held(sending.batches)
        # The report may come before the number of the send is written.
        event = mass_finished(100 + number, status, sent, errors)
        await sending.reports.note(event)
        await sending.reports.note(event)
        assert await sending.reconciler.apply() == 0
        await sending.batches.submitted(hold, 100 + number)
        assert await sending.reconciler.apply() == 1
        ids.append(campaign.id)
    assert [await sending.outcomes(one) for one in ids] == [{"delivered": 4}, {"submitted": 4}, {"failed": 4}]
    partly = await lists.progress(ids[1])
    assert (partly.sent_by_platform, partly.errors_by_platform) == (3, 1)
    async with sending.database.reading() as session:
        assert set(await session.scalars(select(Recipient.code).where(Recipient.campaign_id == ids[2]))) == {10001}


async def test_a_report_of_a_template_message(sending: Sending, service: CampaignService) -> None:
    await sending.people(range(2))
    wanted = draft(SendChannel.TEMPLATE, Template("tpl", {"thing1": "筛查"}), per_minute=3000)
    campaign = await started(service, wanted)
    await sending.run()
    async with sending.database.reading() as session:
        numbers = list(await session.scalars(select(Recipient.msg_id).order_by(Recipient.openid)))
    for msg_id, status in zip(numbers, ("success", "failed:user block"), strict=True):
        await sending.reports.note(
            TemplateJobFinished(
                openid="o",
                account="gh",
                created_s=1,
                raw={"MsgID": str(msg_id)},
                event="templatesendjobfinish",
                msg_id=int(msg_id or 0),
                status=status,
            )
        )
    assert await sending.reconciler.apply() == 2
    assert await sending.outcomes(campaign.id) == {"delivered": 1, "failed": 1}


def notified(number: int, msg_id: int, *, error_code: int = 0, template_id: str = "tpl") -> SubscribeSent:
    status = "success" if error_code == 0 else "failed:user refuse"
    outcome = SubscribeOutcome(template_id, str(msg_id), error_code, status)
    common = {"account": "gh", "created_s": 1, "raw": {}, "event": "subscribe_msg_sent_event"}
    return SubscribeSent(openid=openid(number), items=(outcome,), **common)  # type: ignore[arg-type] # Its own fields.


async def test_a_report_of_a_notification_finds_its_recipient(sending: Sending, service: CampaignService) -> None:
    """The platform gives no number when it takes one; its report names the follower and the template."""
    await sending.people(range(4))
    for number in range(4):
        sending.platform.followers.get(openid(number)).opt_ins["tpl"] = 2
    wanted = draft(SendChannel.SUBSCRIBE, Subscribe("tpl", {"thing1": "筛查"}), per_minute=3000)
    first = await started(service, wanted, "first")
    # The report of the first may come before our own row.
    await sending.reports.note(notified(0, 7001))
    assert await sending.reconciler.apply() == 0
    await sending.run()
    sending.clock.move(timedelta(minutes=1))
    second = await started(service, wanted, "second")
    await sending.run()
    await sending.reports.note(notified(1, 7002, error_code=43101))
    for _ in range(2):
        await sending.reports.note(notified(2, 7003))
    await sending.reports.note(notified(3, 7004, template_id="another"))
    assert await sending.reconciler.apply() == 3
    assert await sending.outcomes(first.id) == {"delivered": 2, "failed": 1, "submitted": 1}
    assert await sending.outcomes(second.id) == {"submitted": 4}
    for number in range(4):
        await sending.reports.note(notified(number, 7010 + number))
    assert await sending.reconciler.apply() == 4
    assert await sending.outcomes(first.id) == {"delivered": 3, "failed": 1}
    assert await sending.outcomes(second.id) == {"delivered": 3, "submitted": 1}
    async with sending.database.reading() as session:
        assert set(await session.scalars(select(JobReport.openid).where(JobReport.applied_at.is_not(None)))) == {None}


async def test_a_report_that_never_came_is_asked_for(
    sending: Sending, service: CampaignService, lists: CampaignLists
) -> None:
    await sending.people(range(4))
    good = await started(service, draft(), key="good")
    await sending.run()
    sending.platform.mass_verdicts.append("send fail")
    bad = await started(service, draft(content=Text("另一条")), key="bad")
    await sending.run()
    assert await sending.reconciler.ask() == 0
    sending.clock.move(timedelta(minutes=11))
    assert await sending.reconciler.ask() == 2
    assert await sending.outcomes(good.id) == {"submitted": 4}
    assert await sending.outcomes(bad.id) == {"failed": 4}
    assert (await lists.progress(bad.id)).counts == {Outcome.FAILED: 4}

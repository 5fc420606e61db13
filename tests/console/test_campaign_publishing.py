"""The pages of a campaign that publishes: chosen, confirmed, followed, taken back, and settled where nobody knows."""

import asyncio
import re

import pytest

from bot.app.worker import campaign_worker_of
from bot.campaigns.content import Article, News
from bot.campaigns.models import CampaignState
from bot.campaigns.publication_models import Publication, PublicationState
from bot.simulator.faults import Fault
from bot.simulator.publications import Verdict, take_down
from tests.campaigns.test_publishing import event
from tests.console.campaign_office import Office
from tests.console.served import counted_queries
from tests.console.test_campaigns import FIELDS

NEWS = News((Article("六月活动", "<p>您好</p>", "thumb"), Article("岗位公布", "<p>暑期</p>", "thumb")))
SUBMIT, DELETE = "/cgi-bin/freepublish/submit", "/cgi-bin/freepublish/delete"
LIST = "/cgi-bin/freepublish/batchget"


async def published(office: Office, channel: str = "publish", confirmed: int = 2) -> int:
    """Bring articles through the pages onto the account's page, and return the campaign's number."""
    number = await office.sent(NEWS, channel, confirmed)
    await office.looked_after()
    return number


async def state_of(office: Office, number: int) -> PublicationState:
    view = await office.console.records.campaigns.publications.view(number)
    assert view is not None
    return view.state


async def test_the_form_offers_it_and_says_what_it_means(office: Office) -> None:
    page = await office.operator.get("/campaigns/new")
    assert "发布到主页，不通知：只能用图文" in page.visible
    chosen = {**FIELDS, "channel": "publish", "counties": ["520628"]}
    refused = await office.operator.post("/campaigns/new", chosen)
    assert refused.status == 422
    assert "发布到主页谁都能看，下面的条件不起作用" in refused.visible
    counted = await office.operator.post("/campaigns/new/count", {**FIELDS, "channel": "publish"}, fragment=True)
    assert "不通知任何人，不占每人每月 4 条" in counted.visible
    articles = {"kind": "news", "a1_title": "六月活动", "a1_body": "<p>您好</p>", "a1_thumb_media_id": "thumb"}
    made = await office.operator.post("/campaigns/new", {**FIELDS, **articles, "channel": "publish"})
    plan = await office.operator.follow(made)
    assert "发布以后谁都能看，不通知任何人" in plan.visible
    assert "平台审核通过才会出现" in plan.visible
    text = await office.written(channel="publish")
    assert "这种内容不能用这个渠道发送" in (await office.operator.get(f"/campaigns/{text}")).visible


async def test_the_number_of_articles_is_typed(office: Office) -> None:
    number = await office.written(NEWS, "publish")
    await office.operator.get(f"/campaigns/{number}")
    handed_in = await office.operator.follow(
        await office.operator.post(f"/campaigns/{number}/check", {"version": "1"})
    )
    assert "要发布 2 篇，等另一位同事审批" in handed_in.visible
    asked = await office.approver.get(f"/campaigns/{number}/approve")
    assert "请照数填写篇数" in asked.visible
    assert "六月活动、岗位公布" in asked.visible
    wrong = await office.approver.post(f"/campaigns/{number}/approve", {"version": "1", "confirmed": "3"})
    assert wrong.status == 409
    right = await office.approver.post(f"/campaigns/{number}/approve", {"version": "1", "confirmed": "2"})
    assert right.status == 303
    asked = await office.operator.get(f"/campaigns/{number}/send", fragment=True)
    assert "谁都能看。不通知任何人" in asked.visible
    assert "发布“六月活动”？" in asked.visible


async def test_the_card_follows_the_publication_and_links_the_articles(office: Office) -> None:
    number = await office.sent(NEWS, "publish", 2)
    shown = await office.operator.get(f"/campaigns/{number}")
    assert "平台审核中 " in shown.visible
    assert "已交给平台，审核通过才会出现在主页" in shown.visible
    assert 'hx-trigger="every 2s"' in shown.text
    assert "撤回文章" not in shown.visible
    await office.looked_after()
    shown = await office.operator.get(f"/campaigns/{number}", fragment=True)
    assert "看文章： 六月活动" in shown.visible
    assert 'hx-trigger="every 2s"' not in shown.text
    links = re.findall(
        r'<a href="(http[^"]+/s/[^"]+)" target="_blank" rel="noopener noreferrer">([^<]+)</a>', shown.text
    )
    assert [title for _, title in links] == ["六月活动", "岗位公布"]
    assert "看效果" not in shown.visible
    assert "删除已发的图文" not in shown.visible
    assert "只发布，没有发给任何人" in (await office.operator.get(f"/campaigns/{number}/results")).visible
    assert [office.seen(one) for one in office.people] == [[], [], []]
    listed = (await office.operator.get("/campaigns")).visible
    assert "已发布 发布到主页，不通知 2 篇" in listed
    assert "已发完" not in shown.visible


async def test_what_is_published_is_sent_to_those_who_wrote(office: Office) -> None:
    for one in office.people[:2]:
        await office.platform.say(one, "您好")
    number = await office.sent(NEWS, "publish_send", 3)
    waiting = await office.operator.get(f"/campaigns/{number}")
    assert "出现以后才开始发给 3 人" in waiting.visible
    await office.looked_after()
    assert [office.seen(one)[-1:] for one in office.people] == [["六月活动"], ["六月活动"], []]
    shown = await office.operator.get(f"/campaigns/{number}")
    assert "已提交平台 2" in shown.visible
    assert "看效果" in shown.visible
    assert "重发失败的" in shown.visible


async def test_articles_are_withdrawn_once_with_their_consequence_and_a_trace(office: Office) -> None:
    number = await published(office)
    asked = await office.operator.get(f"/campaigns/{number}/withdraw", fragment=True)
    assert "不能恢复" in asked.visible
    assert 'class="danger"' in asked.text
    key = {"key": "pressed"}
    both = await asyncio.gather(*(office.operator.post(f"/campaigns/{number}/withdraw", key) for _ in range(2)))
    assert {one.status for one in both} <= {303, 409}
    again = await office.operator.follow(await office.operator.post(f"/campaigns/{number}/withdraw", key))
    assert "撤回了 2 篇文章" in again.visible
    assert office.platform.calls.count(DELETE) == 1
    assert await state_of(office, number) is PublicationState.WITHDRAWN
    shown = await office.operator.get(f"/campaigns/{number}")
    assert "链接打开看不到内容" in shown.visible
    assert "撤回文章" not in shown.visible
    (noted,) = await office.console.records.audit.events(action="campaigns:publication:withdrawn")
    assert noted.record.actor == "campaign_operator"
    late = await office.operator.post(f"/campaigns/{number}/withdraw")
    assert late.status == 409
    assert "文章现在不在公众号主页上" in late.visible


async def test_a_withdrawal_that_the_platform_refused_can_be_tried_again(office: Office) -> None:
    number = await published(office)
    office.platform.faults.add(Fault(DELETE, left=1, errcode=45009))
    office.platform.faults.add(Fault(DELETE, left=2, drop=True, after_work=True))
    await office.operator.get(f"/campaigns/{number}/withdraw")
    lost = await office.operator.post(f"/campaigns/{number}/withdraw")
    assert lost.status == 409
    assert await state_of(office, number) is PublicationState.PUBLISHED
    office.platform.faults.clear()
    done = await office.operator.post(f"/campaigns/{number}/withdraw")
    assert done.status == 303
    assert await state_of(office, number) is PublicationState.WITHDRAWN


async def test_who_has_not_got_it_yet_gets_none_of_what_was_withdrawn(office: Office) -> None:
    for one in office.people:
        await office.platform.say(one, "您好")
    number = await office.sent(NEWS, "publish_send", 3)
    await office.platform.settle()
    await office.operator.get(f"/campaigns/{number}/pause")
    await office.operator.post(f"/campaigns/{number}/pause", {"reason": "看一看"})
    await office.looked_after()
    await office.operator.post(f"/campaigns/{number}/withdraw")
    await office.work()
    view = await office.console.records.campaigns.service.get(number)
    assert view.state is CampaignState.CANCELLED
    assert ["六月活动" in office.seen(one) for one in office.people] == [False, False, False]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.NOT_ORIGINAL, "原创审核没有通过"),
        (Verdict.FAILED, "平台没有发布成功"),
        (Verdict.NOT_ALLOWED, "没有通过的是：“六月活动”“岗位公布”"),
    ],
)
async def test_why_it_was_refused_stands_there_in_words(office: Office, verdict: Verdict, words: str) -> None:
    office.platform.publications.verdicts.append(verdict)
    number = await published(office)
    shown = await office.operator.get(f"/campaigns/{number}")
    assert words in shown.visible
    assert "没有通过 没有发布。" in shown.visible
    assert (await office.console.records.campaigns.service.get(number)).state is CampaignState.FAILED


async def test_a_draft_that_the_platform_does_not_take_says_why_with_its_code(office: Office) -> None:
    office.platform.faults.add(Fault(SUBMIT, left=1, errcode=53503))
    number = await office.sent(NEWS, "publish", 2)
    assert "没有通过平台发布前的检查" in (await office.operator.get(f"/campaigns/{number}")).visible
    assert "平台代码 53503" in (await office.operator.get(f"/campaigns/{number}")).visible


@pytest.mark.parametrize(("how", "words"), [(Verdict.DELETED, "后台删除了文章"), (Verdict.BANNED, "平台封禁了文章")])
async def test_what_others_took_down_stands_there_in_words(office: Office, how: Verdict, words: str) -> None:
    number = await published(office)
    (job,) = office.platform.publications.everything()
    await office.console.records.campaigns.reports.note(event(str(job.publish_id), how))
    await campaign_worker_of(office.console.bot).reconcile()
    shown = await office.operator.get(f"/campaigns/{number}")
    assert words in shown.visible
    assert "看文章" not in shown.visible
    assert "不在主页上了" in (await office.operator.get("/campaigns")).visible


async def test_what_is_gone_from_the_platform_already_is_withdrawn(office: Office) -> None:
    number = await published(office)
    (job,) = office.platform.publications.everything()
    take_down(office.platform, job.article_id, Verdict.DELETED)
    await office.operator.get(f"/campaigns/{number}/withdraw")
    assert (await office.operator.post(f"/campaigns/{number}/withdraw")).status == 303
    assert await state_of(office, number) is PublicationState.WITHDRAWN


async def test_somebody_says_what_became_of_it_where_nobody_knows(office: Office) -> None:
    office.platform.faults.add(Fault(SUBMIT, left=1, drop=True, after_work=True))
    number = await office.sent(NEWS, "publish", 2)
    await office.platform.settle()
    shown = await office.operator.get(f"/campaigns/{number}")
    assert "不知道有没有发布。系统在核对，不会再发布一次" in shown.visible
    assert "确认结果" in shown.visible
    assert "发布结果不明" in (await office.operator.get("/")).visible
    page = await office.operator.get(f"/campaigns/{number}/settle")
    assert "六月活动、岗位公布" in page.visible
    assert "和这条一样" in page.visible
    nothing = await office.operator.post(f"/campaigns/{number}/settle", {})
    assert nothing.status == 422
    (article_id,) = re.findall(r'name="found" value="([^"]{30,})"', page.text)
    wrong = await office.operator.post(f"/campaigns/{number}/settle", {"found": "nothing"})
    assert wrong.status == 409
    assert "平台上没有这篇文章" in wrong.visible
    done = await office.operator.follow(
        await office.operator.post(f"/campaigns/{number}/settle", {"found": article_id})
    )
    assert "看文章： 六月活动" in done.visible
    (noted,) = await office.console.records.audit.events(action="campaigns:publication:published")
    assert noted.record.actor == "campaign_operator"
    twice = await office.operator.follow(await office.operator.get(f"/campaigns/{number}/settle"))
    assert "不用人工确认" in twice.visible
    assert "发布结果不明" not in (await office.operator.get("/")).visible


async def test_somebody_says_that_nothing_was_published(office: Office) -> None:
    office.platform.faults.add(Fault(SUBMIT, left=1, drop=True))
    number = await office.sent(NEWS, "publish", 2)
    page = await office.operator.get(f"/campaigns/{number}/settle")
    assert "主页上还没有新的文章" in page.visible
    done = await office.operator.follow(
        await office.operator.post(f"/campaigns/{number}/settle", {"found": "not_published"})
    )
    assert "经人工核实，没有发布" in done.visible
    assert office.platform.calls.count(SUBMIT) == 1
    assert (await office.console.records.campaigns.service.get(number)).state is CampaignState.FAILED


async def test_a_platform_that_cannot_be_asked_leaves_the_decision_open(office: Office) -> None:
    office.platform.faults.add(Fault(SUBMIT, left=1, drop=True))
    number = await office.sent(NEWS, "publish", 2)
    office.platform.faults.add(Fault(LIST, errcode=45009))
    page = await office.operator.get(f"/campaigns/{number}/settle")
    assert page.status == 200
    assert "现在查不到平台上的文章：今天的平台调用次数用完了" in page.visible
    assert "没有发布" in page.visible


async def test_the_approver_reads_and_takes_nothing_back(office: Office) -> None:
    number = await published(office)
    shown = await office.approver.get(f"/campaigns/{number}")
    assert "看文章" in shown.visible
    assert "撤回文章" not in shown.visible
    assert (await office.approver.get(f"/campaigns/{number}/withdraw")).status == 403


async def test_a_page_with_a_publication_asks_two_statements_more(office: Office) -> None:
    number, other = await published(office), await office.sent(NEWS)
    await office.operator.get(f"/campaigns/{number}")
    with counted_queries(office.console.records.database) as without:
        await office.operator.get(f"/campaigns/{other}")
    with counted_queries(office.console.records.database) as with_it:
        await office.operator.get(f"/campaigns/{number}")
    assert len(with_it) <= len(without) + 2


async def test_addresses_that_are_none_of_the_web_are_no_links(office: Office) -> None:
    number = await published(office)
    (job,) = office.platform.publications.everything()
    assert job.article_id
    async with office.console.records.database.transaction() as session:
        row = await session.get_one(Publication, number)
        row.urls = ["javascript:alert(1)", "https://mp.weixin.qq.com/s/a"]
    shown = await office.operator.get(f"/campaigns/{number}")
    assert "javascript" not in shown.text
    assert 'href="https://mp.weixin.qq.com/s/a"' in shown.text

"""What the pages of campaigns do at the platform: previews to testers, deleting, sending again."""

import asyncio
import re
from datetime import timedelta
from io import BytesIO

from python_calamine import CalamineWorkbook

from bot.campaigns.audience import Everyone
from bot.campaigns.content import Article, News, Picture, Text
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import CampaignState, Outcome, SendChannel
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.rules import SendingHours
from bot.simulator.faults import Fault
from tests.console.campaign_office import TEXT, Office
from tests.console.served import counted_queries
from tests.console.test_campaign_form import PNG

PREVIEW = "/cgi-bin/message/mass/preview"

NEWS = News((Article("六月活动", "<p>您好</p>", "thumb"),))


async def test_a_preview_reaches_the_chosen_testers_once(office: Office) -> None:
    first, second = office.people[:2]
    number = await office.written()
    assert "加一位测试人员" in (await office.operator.get(f"/campaigns/{number}")).visible
    wang, li = await office.tester(first, "王主任的手机"), await office.tester(second, "李科长")
    nobody = await office.previewed(number)
    assert nobody.status == 422
    assert "请至少选一位测试人员" in nobody.visible
    page = await office.operator.get(f"/campaigns/{number}")
    assert "王主任的手机" in page.visible
    assert first not in page.text
    assert (await office.previewed(number, wang, key="pressed")).status == 303
    assert (await office.previewed(number, wang, key="pressed")).status == 303
    assert office.seen(first) == ["活动开始了"]
    assert office.seen(second) == []
    both = await asyncio.gather(*(office.previewed(number, li, key="at once") for _ in range(2)))
    assert office.seen(second) == ["活动开始了"]
    assert {one.status for one in both} <= {303, 409}
    events = await office.console.records.audit.events(action="campaigns:campaign:preview")
    assert len(events) == 2


async def test_why_a_preview_was_refused_stands_there_in_words(office: Office) -> None:
    numbers = {PREVIEW: await office.written(), "/cgi-bin/draft/add": await office.written(NEWS)}
    tester = await office.tester(office.people[0], "王主任")
    for path, errcode, words in (
        (PREVIEW, 40003, "这位没有关注公众号"),
        (PREVIEW, 48001, "公众号没有这个接口的权限"),
        (PREVIEW, 99999, "平台没有接受"),
        ("/cgi-bin/draft/add", 40007, "图片或封面在平台上无效"),
    ):
        office.platform.faults.add(Fault(path, left=1, errcode=errcode))
        answer = await office.previewed(numbers[path], tester)
        assert answer.status == 409, errcode
        assert words in answer.visible
        assert "wechat.api" not in answer.visible
        assert f'value="{tester}" checked' in answer.text


async def test_a_preview_of_what_is_not_complete_says_so(office: Office) -> None:
    number = await office.written(Picture())
    answer = await office.previewed(number, await office.tester(office.people[0], "王主任"))
    assert answer.status == 409
    assert "内容还不能发送" in answer.visible
    assert "“图片”没有填写" in answer.visible


async def test_a_chosen_picture_is_at_the_platform_when_it_is_needed(office: Office) -> None:
    records = office.console.records
    file_id = await CampaignPictures(records.database, records.files, records.clock).add(PNG, by="campaign_operator")
    number = await office.written(Picture("", file_id))
    tester = await office.tester(office.people[0], "王主任")
    assert (await office.previewed(number, tester)).status == 303
    shown = office.platform.seen(office.people[0])
    assert len(shown) == 1
    sent = await office.sent(Picture("", file_id))
    view = await records.campaigns.service.get(sent)
    assert view.state is CampaignState.SENT
    assert [len(office.platform.seen(one)) for one in office.people] == [2, 1, 1]


async def test_articles_are_deleted_once(office: Office) -> None:
    number = await office.sent(NEWS)
    asked = await office.operator.get(f"/campaigns/{number}/delete", fragment=True)
    assert "不能恢复" in asked.visible
    page = await office.operator.follow(await office.operator.post(f"/campaigns/{number}/delete"))
    assert "删除了 1 次群发的图文" in page.visible
    assert [job.status for job in office.platform.mass_jobs.values()] == ["DELETE"]
    office.platform.faults.add(Fault("/cgi-bin/message/mass/delete", errcode=40035))
    await office.operator.get(f"/campaigns/{number}/delete")
    again = await office.operator.follow(await office.operator.post(f"/campaigns/{number}/delete"))
    assert "已经都删除了" in again.visible
    text = await office.sent(TEXT)
    refused = await office.operator.post(f"/campaigns/{text}/delete")
    assert refused.status == 409
    assert "平台只能删除已发出的图文消息" in refused.visible


async def test_deleting_goes_on_after_the_platform_refused(office: Office) -> None:
    number = await office.sent(NEWS)
    office.platform.faults.add(Fault("/cgi-bin/message/mass/delete", left=1, errcode=45009))
    await office.operator.get(f"/campaigns/{number}/delete")
    refused = await office.operator.post(f"/campaigns/{number}/delete")
    assert refused.status == 409
    assert "今天的平台调用次数用完了" in refused.visible
    page = await office.operator.follow(await office.operator.post(f"/campaigns/{number}/delete"))
    assert "删除了 1 次群发的图文" in page.visible


async def test_only_what_failed_is_sent_again(office: Office) -> None:
    office.platform.faults.add(Fault("/cgi-bin/message/mass/send", left=1, errcode=40003))
    number = await office.sent(TEXT)
    lists = office.console.records.campaigns.lists
    assert (await lists.progress(number)).counts == {Outcome.FAILED: 3}
    page = await office.operator.get(f"/campaigns/{number}")
    assert "重发失败的" in page.visible
    assert "这位没有关注公众号 40003 3" in (await office.operator.get(f"/campaigns/{number}/results")).visible
    asked = await office.operator.get(f"/campaigns/{number}/retry")
    assert "失败的有 3 人" in asked.visible
    assert (await office.operator.post(f"/campaigns/{number}/retry")).status == 303
    twice = await office.operator.post(f"/campaigns/{number}/retry")
    assert twice.status == 409
    await office.work()
    assert office.platform.mass_ledger() == dict.fromkeys(office.people, 1)


async def test_outside_its_hours_a_campaign_tells_when_it_begins(office: Office) -> None:
    soon = office.clock.now().replace(minute=0) + timedelta(hours=1)
    hours = SendingHours(soon.hour * 60, soon.hour * 60 + 60)
    service = office.console.records.campaigns.service
    draft = CampaignDraft("六月活动", SendChannel.MASS_LIST, TEXT, Everyone(), hours=hours)
    view = await service.create(draft, by="campaign_operator", key="hours")
    await service.check(view.id, by="campaign_operator", version=1)
    await office.approver.get(f"/campaigns/{view.id}/approve")
    await office.approver.post(f"/campaigns/{view.id}/approve", {"version": "1", "confirmed": "3"})
    page = await office.operator.get(f"/campaigns/{view.id}")
    assert f"点“发送”后，{soon:%Y-%m-%d %H:%M} 开始发（现在不在允许的时段）" in page.visible
    await service.send(view.id, by="campaign_operator", version=1, confirmed=3)
    assert f"{soon:%Y-%m-%d %H:%M} 开始" in (await office.operator.get(f"/campaigns/{view.id}")).visible
    office.clock.move(timedelta(hours=1))
    await office.operator.get(f"/campaigns/{view.id}")
    assert await service.start_due() == [view.id]


async def test_who_wrote_it_reads_why_it_was_given_back(office: Office) -> None:
    number = await office.written()
    await office.operator.get(f"/campaigns/{number}")
    await office.operator.post(f"/campaigns/{number}/check", {"version": "1"})
    await office.approver.get(f"/campaigns/{number}/reject")
    silent = await office.approver.post(f"/campaigns/{number}/reject", {"reason": ""})
    assert silent.status == 422
    await office.approver.post(f"/campaigns/{number}/reject", {"reason": "日期写错了，应是六月二十"})
    page = await office.operator.get(f"/campaigns/{number}")
    assert "日期写错了，应是六月二十" in page.visible
    await office.operator.post(f"/campaigns/{number}/check", {"version": "1"})
    assert "日期写错了" not in (await office.operator.get(f"/campaigns/{number}")).visible


async def test_the_tile_and_the_list_count_all_that_wait(office: Office) -> None:
    service = office.console.records.campaigns.service
    for place in range(23):
        draft = CampaignDraft(f"第{place}条", SendChannel.MASS_LIST, Text("您好"), Everyone())
        view = await service.create(draft, by="campaign_operator", key=f"k{place}")
        await service.check(view.id, by="campaign_operator", version=1)
    home = await office.approver.get("/")
    assert "待审批的群发 23" in home.visible or "23 待审批的群发" in home.visible
    with counted_queries(office.console.records.database) as first:
        page = await office.approver.get("/campaigns?state=checked")
    rest = await office.approver.get(page.link("next"))
    titles = {
        f"第{place}条" for place in range(23) if f"第{place}条" in page.visible or f"第{place}条" in rest.visible
    }
    assert len(titles) == 23
    assert "state=checked" in page.link("next")
    await office.approver.get("/campaigns?state=sent")
    with counted_queries(office.console.records.database) as none:
        await office.approver.get("/campaigns?state=sent")
    assert len(first) - len(none) <= 1, "the list asks as often for many as for none"


async def test_the_campaigns_of_a_period_stand_beside_each_other(office: Office) -> None:
    number = await office.sent(TEXT)
    office.clock.move(timedelta(minutes=5))
    await office.console.records.campaigns.opt_outs.opt_out(office.people[0], source="message")
    with counted_queries(office.console.records.database) as one:
        page = await office.operator.get("/reports/campaigns")
    assert "六月活动" in page.visible
    assert f'href="/campaigns/{number}/results"' in page.text
    figures = re.findall(r'<td class="right num"[^>]*>(\d+)</td>', page.text)
    assert figures == ["3", "0", "0", "1"]
    await office.console.records.campaigns.opt_outs.opt_in(office.people[0])
    await office.sent(NEWS)
    with counted_queries(office.console.records.database) as two:
        await office.operator.get("/reports/campaigns")
    assert len(two) <= len(one), "one more statement where the session was noted"
    await _excel_says_the_same(office)
    assert "没有群发" in (await office.operator.get("/reports/campaigns?from=2025-01-01&to=2025-01-31")).visible
    assert (await office.operator.get("/reports/campaigns?from=2025-13-01")).status == 422


async def _excel_says_the_same(office: Office) -> None:
    days = re.findall(r'name="(?:from|to)" value="([^"]+)"', (await office.operator.get("/reports/campaigns")).text)
    await office.operator.post("/reports/excel", {"from": days[0], "to": days[1]})
    [task] = await office.console.records.tasks.open_of("campaign_operator")
    await office.console.run_tasks("campaign_operator")
    _, content, _ = await office.operator.download(f"/tasks/{task.id}/file")
    _, heads, *rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_name("群发").to_python()
    assert heads[4:] == ["到达", "失败", "之后报名", "之后退订"]
    shown = re.findall(
        r'<td class="right num"[^>]*>(\d+)</td>', (await office.operator.get("/reports/campaigns")).text
    )
    assert [cell for row in rows for cell in row[4:]] == [float(figure) for figure in shown]
    assert len(rows) == 2


async def test_a_campaigns_page_asks_as_often_for_many_as_for_few(office: Office) -> None:
    number = await office.written()
    await office.operator.get(f"/campaigns/{number}")
    with counted_queries(office.console.records.database) as few:
        await office.operator.get(f"/campaigns/{number}")
    for place in range(40):
        await office.console.records.followers.followed(f"o-more-{place}", "", f"more-{place}")
        await office.console.records.campaigns.testers.add(f"o-more-{place}", f"测试{place}", by="wang")
    with counted_queries(office.console.records.database) as many:
        await office.operator.get(f"/campaigns/{number}")
    assert len(many) == len(few)
    assert len(many) <= 24, many

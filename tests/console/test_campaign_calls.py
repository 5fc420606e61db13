"""What the pages of campaigns do at the platform: previews to testers, deleting, sending again."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app.assistant import open_bot
from bot.app.worker import campaign_worker_of
from bot.campaigns.audience import Everyone
from bot.campaigns.batches import Batches
from bot.campaigns.content import Article, Content, News, Picture, Text
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import CampaignState, Outcome, SendChannel
from bot.campaigns.pace import Pace
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.rules import SendingHours
from bot.campaigns.sending import BatchSender
from bot.campaigns.stopping import Stops
from bot.simulator.faults import Fault
from bot.simulator.platform import SimulatedPlatform
from bot.values.clock import MovedClock
from bot.wechat.mass import MassApi
from tests.console.served import Answer, Browser, ServedConsole, counted_queries, serving
from tests.console.test_campaign_form import PNG
from tests.support.assistant import settings_for, simulated_platform

PREVIEW = "/cgi-bin/message/mass/preview"
TEXT = Text("活动开始了")
NEWS = News((Article("六月活动", "<p>您好</p>", "thumb"),))


@dataclass
class Office:
    """A console beside a platform with followers, and an operator and an approver who are signed in."""

    console: ServedConsole
    platform: SimulatedPlatform
    clock: MovedClock
    people: list[str]
    operator: Browser
    approver: Browser

    async def written(self, content: Content = TEXT, channel: str = "mass_list") -> int:
        """Store a campaign and return its number."""
        hours = SendingHours(0, 24 * 60)
        draft = CampaignDraft("六月活动", SendChannel(channel), content, Everyone(), hours=hours)
        service = self.console.records.campaigns.service
        return (await service.create(draft, by="campaign_operator", key=f"{content}{channel}")).id

    async def sent(self, content: Content) -> int:
        """Bring a campaign all the way through the pages, and let a worker send it."""
        number = await self.written(content)
        await self.operator.get(f"/campaigns/{number}")
        assert (await self.operator.post(f"/campaigns/{number}/check", {"version": "1"})).status == 303
        for browser, step in ((self.approver, "approve"), (self.operator, "send")):
            await browser.get(f"/campaigns/{number}/{step}")
            confirmed = {"version": "1", "confirmed": str(len(self.people))}
            answer = await browser.post(f"/campaigns/{number}/{step}", confirmed)
            assert answer.status == 303, answer.visible
        await self.work()
        return number

    async def work(self) -> None:
        """Do what the worker does until nothing is left."""
        bot = self.console.bot
        records, mass = bot.records, MassApi(bot.api.client)
        batches = Batches(records.database, records.clock)
        stops = Stops(records.database, records.clock, records.campaigns.service)
        pictures = CampaignPictures(records.database, records.files, records.clock)
        sender = BatchSender(batches, Pace(bot.redis), stops, mass, bot.api, records.clock, pictures=pictures)
        await records.campaigns.service.start_due()
        for batch_id in await batches.due():
            await sender.run(batch_id)
        await campaign_worker_of(bot).sweep()

    async def tester(self, openid: str, name: str) -> str:
        """Put a follower on the list of testers by the pages; return the tester's number."""
        await self.operator.get("/campaigns/testers")
        found = await self.operator.post("/campaigns/testers/find", {"who": openid})
        reference = found.text.partition('name="person" value="')[2].partition('"')[0]
        answer = await self.operator.post("/campaigns/testers/add", {"person": reference, "name": name})
        assert answer.status == 303, answer.visible
        return next(str(one.id) for one in await self.console.records.campaigns.testers.all() if one.name == name)

    async def previewed(self, number: int, *testers: str, key: str | None = None) -> Answer:
        """Press “send a preview” in the campaign's page."""
        await self.operator.get(f"/campaigns/{number}")
        fields = {"testers": list(testers), **({} if key is None else {"key": key})}
        return await self.operator.post(f"/campaigns/{number}/preview", fields)

    def seen(self, openid: str) -> list[str]:
        """Return what a follower's phone shows of messages."""
        return [one.text for one in self.platform.seen(openid)]


@pytest.fixture
async def office(seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Office]:
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with (
        simulated_platform(settings, clock, tells_of_mass_jobs=False, attempts=1) as platform,
        open_bot(settings, clock) as bot,
        serving(bot) as console,
    ):
        people = [platform.add_follower(f"职工{number}").openid for number in range(3)]
        for openid in people:
            await console.records.followers.followed(openid, "", f"follow-{openid}")
        staff = [await console.staff(f"campaign_{role}") for role in ("operator", "approver")]
        yield Office(console, platform, clock, people, *staff)


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
    asked = await office.operator.get(f"/campaigns/{number}/retry")
    assert "失败的有 3 人" in asked.visible
    assert (await office.operator.post(f"/campaigns/{number}/retry")).status == 303
    twice = await office.operator.post(f"/campaigns/{number}/retry")
    assert twice.status == 409
    await office.work()
    assert office.platform.mass_ledger() == dict.fromkeys(office.people, 1)


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
    assert "没有群发" in (await office.operator.get("/reports/campaigns?from=2025-01-01&to=2025-01-31")).visible
    assert (await office.operator.get("/reports/campaigns?from=2025-13-01")).status == 422


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

"""The platform's tags in the console: seen, updated, read by a worker, and what the platform refuses."""

import pytest

from bot.simulator.faults import Fault
from tests.console.campaign_office import Office
from tests.console.served import ServedConsole, counted_queries
from tests.console.test_campaigns import composed

TAGS = "/campaigns/tags"


def _tagged(office: Office, tag_id: int, name: str, people: int) -> None:
    office.platform.tags[tag_id] = name
    for openid in office.people[:people]:
        office.platform.followers.get(openid).tags[:] = [tag_id]


async def test_tags_are_updated_and_read(office: Office) -> None:
    _tagged(office, 100, "女职工", 2)
    operator = office.operator
    assert "还没有标签" in (await operator.get(TAGS)).visible
    page = await operator.follow(await operator.post(f"{TAGS}/refresh"))
    assert "平台上有 1 个标签" in page.visible
    assert "女职工 #100 2 — 还没有" in page.visible
    started = await operator.post(f"{TAGS}/100/pull")
    assert "在后台读取名单" in (await operator.follow(started)).visible
    await office.console.run_tasks("campaign_operator")
    assert "人数 2" in (await operator.get("/tasks")).visible
    assert "女职工 #100 2 2" in (await operator.get(TAGS)).visible
    _tagged(office, 100, "女职工", 3)
    page = await operator.follow(await operator.post(f"{TAGS}/refresh"))
    assert "女职工 #100 3 2" in page.visible
    assert "人数变了" in page.visible
    form = await operator.get("/campaigns/new")
    assert "女职工（3 人）" in form.visible
    number = await composed(operator, channel="mass_tag", tag_id="100")
    assert "有平台标签“女职工（3 人）”" in (await operator.get(f"/campaigns/{number}")).visible
    events = await office.console.records.audit.events(action="campaigns:tag:pull")
    assert [(one.record.actor, one.record.object_id, one.record.reason) for one in events] == [
        ("campaign_operator", "100", "2")
    ]


@pytest.mark.parametrize(
    ("errcode", "words"),
    [(48001, "公众号没有这个接口的权限"), (45009, "今天的平台调用次数用完了"), (99999, "平台没有接受")],
)
async def test_what_the_platform_refuses_stands_there_in_words(office: Office, errcode: int, words: str) -> None:
    _tagged(office, 100, "女职工", 2)
    operator = office.operator
    await operator.get(TAGS)
    await operator.post(f"{TAGS}/refresh")
    office.platform.faults.add(Fault("/cgi-bin/tags/get", left=1, errcode=errcode))
    refused = await operator.post(f"{TAGS}/refresh")
    assert refused.status == 409
    assert f"没有更新：{words}" in refused.visible
    assert "女职工" in refused.visible
    office.platform.faults.add(Fault("/cgi-bin/user/tag/get", left=1, errcode=errcode))
    await operator.post(f"{TAGS}/100/pull")
    await office.console.run_tasks("campaign_operator")
    tasks = await operator.get("/tasks")
    assert words in tasks.visible
    assert "wechat.api" not in tasks.visible


async def test_a_tag_that_is_gone_is_not_read(office: Office) -> None:
    await office.operator.get(TAGS)
    answer = await office.operator.post(f"{TAGS}/7/pull")
    assert answer.status == 404
    assert "请先更新标签" in answer.visible
    _tagged(office, 100, "女职工", 2)
    await office.operator.get(TAGS)
    await office.operator.post(f"{TAGS}/refresh")
    await office.operator.post(f"{TAGS}/100/pull")
    del office.platform.tags[100]
    await office.operator.post(f"{TAGS}/refresh")
    await office.console.run_tasks("campaign_operator")
    assert "平台上没有这个标签了" in (await office.operator.get("/tasks")).visible


async def test_an_auditor_reads_and_a_hundred_tags_cost_one_query(sqlite_console: ServedConsole) -> None:
    auditor = await sqlite_console.staff("auditor")
    page = await auditor.get(TAGS)
    assert "更新标签</button>" not in page.text
    with counted_queries(sqlite_console.records.database) as queries:
        await auditor.get(TAGS)
    assert len([one for one in queries if "campaign_platform_tags" in one]) == 1

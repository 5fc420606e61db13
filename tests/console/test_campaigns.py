"""Campaigns in the console: written, looked at before sending, approved by a second person, sent, stopped."""

import re

import pytest

from bot.campaigns.models import CampaignState
from tests.console.served import Answer, Browser, ServedConsole

COUNTY = "520628"
FOLLOWERS = 3
TEXT = "今年的免费体检开始报名了。"
FIELDS: dict[str, str | list[str]] = {
    "title": "免费体检",
    "kind": "text",
    "text": TEXT,
    "channel": "mass_list",
    "per_minute": "60",
    "max_failed_percent": "10",
    "attribution_days": "7",
    "open": "00:00",
    "close": "23:59",
    "weekdays": ["1", "2", "3", "4", "5", "6", "7"],
}


async def follow(console: ServedConsole, count: int = FOLLOWERS) -> None:
    for place in range(count):
        await console.records.followers.followed(f"o-follower-{place:04}", "", f"follow-{place}")


async def composed(browser: Browser, **fields: str | list[str]) -> int:
    await browser.get("/campaigns/new")
    answer = await browser.post("/campaigns/new", {**FIELDS, **fields})
    assert answer.status == 303, answer.visible
    return int(answer.location.rpartition("/")[2])


async def submitted(browser: Browser) -> int:
    number = await composed(browser)
    await browser.get(f"/campaigns/{number}")
    answer = await browser.post(f"/campaigns/{number}/check", {"version": "1"})
    assert answer.status == 303, answer.visible
    return number


async def _state(console: ServedConsole, number: int) -> CampaignState:
    return (await console.records.campaigns.service.get(number)).state


async def approved(browser: Browser, number: int, confirmed: int) -> Answer:
    await browser.get(f"/campaigns/{number}/approve")
    return await browser.post(f"/campaigns/{number}/approve", {"version": "1", "confirmed": str(confirmed)})


async def test_an_empty_list_says_what_to_do(sqlite_console: ServedConsole) -> None:
    page = await (await sqlite_console.staff("campaign_operator")).get("/campaigns")
    assert "还没有群发" in page.visible
    assert 'href="/campaigns/new"' in page.text


async def test_what_was_written_is_planned_before_anything_is_sent(console: ServedConsole) -> None:
    await follow(console)
    operator = await console.staff("campaign_operator")
    number = await composed(operator)
    page = await operator.get(f"/campaigns/{number}")
    assert f"现在发能发到 {FOLLOWERS} 人" in page.visible
    assert "发完以后这个月还能收" in page.visible
    assert "o-follower-0001" not in page.text
    assert TEXT in page.visible


async def test_pressing_save_twice_makes_one_campaign(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get("/campaigns/new")
    key = operator.key
    first = await operator.post("/campaigns/new", {**FIELDS, "key": key})
    second = await operator.post("/campaigns/new", {**FIELDS, "key": key})
    assert first.location == second.location


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get("/campaigns/new")
    wrong = {**FIELDS, "title": "", "per_minute": "many", "tag": "重点"}
    answer = await operator.post("/campaigns/new", wrong)
    assert answer.status == 422
    assert 'id="problem-title"' in answer.text
    assert 'id="problem-per_minute"' in answer.text
    assert TEXT in answer.text
    assert 'value="重点"' in answer.text


async def test_the_audience_of_a_stored_campaign_stands_in_its_form(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    number = await composed(operator, counties=[COUNTY], seen_days="30", not_got="4")
    page = await operator.get(f"/campaigns/{number}/edit")
    assert re.search(rf'name="counties" value="{COUNTY}" checked', page.text)
    assert re.search(r'name="seen_days"[^>]*value="30"', page.text)
    assert re.search(r'name="not_got"[^>]*value="4"', page.text)


async def test_a_change_that_a_colleague_made_is_not_overwritten(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    number = await composed(operator)
    await operator.get(f"/campaigns/{number}/edit")
    first = await operator.post(f"/campaigns/{number}/edit", {**FIELDS, "version": "1", "title": "第一个"})
    assert first.status == 303
    second = await operator.post(f"/campaigns/{number}/edit", {**FIELDS, "version": "1", "title": "第二个"})
    assert second.status == 409
    assert "刚被别人改过" in second.visible
    assert 'value="第二个"' in second.text
    assert (await sqlite_console.records.campaigns.service.get(number)).title == "第一个"


async def test_a_second_person_approves_with_the_right_number(console: ServedConsole) -> None:
    await follow(console)
    operator = await console.staff("campaign_operator", name="王芳")
    number = await submitted(operator)
    approver = await console.staff("campaign_approver", name="李文华")
    wrong = await approved(approver, number, FOLLOWERS + 1)
    assert wrong.status == 409
    assert "人数对不上" in wrong.visible
    assert await _state(console, number) is CampaignState.CHECKED
    assert (await approved(approver, number, FOLLOWERS)).status == 303
    assert await _state(console, number) is CampaignState.APPROVED
    shown = (await operator.get(f"/campaigns/{number}")).visible
    assert "经办 王芳" in shown
    assert "审批 李文华" in shown
    assert "王芳" in (await operator.get("/campaigns")).visible


async def test_nobody_approves_what_they_wrote(sqlite_console: ServedConsole) -> None:
    await follow(sqlite_console)
    both = await sqlite_console.staff("campaign_operator", "campaign_approver", username="both")
    number = await submitted(both)
    answer = await approved(both, number, FOLLOWERS)
    assert answer.status == 409
    assert "请换一位审批人" in answer.visible
    assert await _state(sqlite_console, number) is CampaignState.CHECKED


async def test_sending_pausing_and_going_on(console: ServedConsole) -> None:
    await follow(console)
    operator, approver = await console.staff("campaign_operator"), await console.staff("campaign_approver")
    number = await submitted(operator)
    await approved(approver, number, FOLLOWERS)
    asked = await operator.get(f"/campaigns/{number}/send", fragment=True)
    assert "<html" not in asked.text
    assert "收不回来" in asked.visible
    sent = await operator.post(f"/campaigns/{number}/send", {"version": "1", "confirmed": str(FOLLOWERS)})
    page = await operator.follow(sent)
    assert "等待开始" in page.visible
    assert 'hx-trigger="every 2s"' in page.text
    await console.records.campaigns.service.start_due()
    part = await operator.get(f"/campaigns/{number}", fragment=True)
    assert part.text.lstrip().startswith('<div id="progress"')
    assert f"0/{FOLLOWERS}" in part.visible
    await operator.get(f"/campaigns/{number}/pause")
    await operator.post(f"/campaigns/{number}/pause", {"reason": "写错了日期"})
    page = await operator.get(f"/campaigns/{number}")
    assert "写错了日期" in page.visible
    assert "hx-trigger" not in page.text
    await operator.post(f"/campaigns/{number}/resume")
    assert await _state(console, number) is CampaignState.SENDING
    await operator.post(f"/campaigns/{number}/cancel")
    assert await _state(console, number) is CampaignState.CANCELLED


async def test_a_step_that_is_not_possible_says_so(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    number = await composed(operator)
    answer = await operator.post(f"/campaigns/{number}/pause", {"reason": "试试"})
    assert answer.status == 409
    assert "草稿" in answer.visible


@pytest.mark.parametrize("page", ["", "/results"])
async def test_a_campaign_that_is_not_there_is_not_found(sqlite_console: ServedConsole, page: str) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    assert (await operator.get(f"/campaigns/999{page}")).status == 404


async def test_results_before_and_after_sending_and_as_a_workbook(console: ServedConsole) -> None:
    await follow(console)
    operator, approver = await console.staff("campaign_operator"), await console.staff("campaign_approver")
    number = await submitted(operator)
    assert "还没有开始发送" in (await operator.get(f"/campaigns/{number}/results")).visible
    await approved(approver, number, FOLLOWERS)
    await operator.get(f"/campaigns/{number}/send")
    await operator.post(f"/campaigns/{number}/send", {"version": "1", "confirmed": str(FOLLOWERS)})
    await console.records.campaigns.service.start_due()
    page = await operator.get(f"/campaigns/{number}/results")
    assert "待发送" in page.visible
    assert '<svg class="chart"' in page.text
    await operator.post(f"/campaigns/{number}/results/excel")
    await console.run_tasks("campaign_operator")
    tasks = await operator.get("/tasks")
    assert "导出群发效果" in tasks.visible
    assert "已完成" in tasks.visible


async def test_rules_are_rows_that_staff_edit(console: ServedConsole) -> None:
    operator = await console.staff("campaign_operator")
    await operator.get("/campaigns/rules/new")
    rule = {"kind": "appointment", "days": "3", "at": "09:00", "body": "请按时到{地点}。", "is_on": "on"}
    late = await operator.post("/campaigns/rules/new", {**rule, "at": "22:00"})
    assert late.status == 422
    assert "21:00" in late.visible
    wrong = await operator.post("/campaigns/rules/new", {**rule, "choices": "没有去处"})
    assert wrong.status == 422
    buttons = {"choices": "能来=/word:确认到场\n改时间=/flow:change_registration"}
    page = await operator.follow(await operator.post("/campaigns/rules/new", rule | buttons))
    assert "请按时到{地点}。" in page.visible
    stored = (await console.records.campaigns.automatic.rules.all())[-1]
    assert [one.label for one in stored.choices or ()] == ["能来", "改时间"]
    assert "能来=/word:确认到场" in (await operator.get(f"/campaigns/rules/{stored.id}")).text
    await operator.post(f"/campaigns/rules/{stored.id}", {**rule, "days": "1", "is_on": ""})
    changed = (await console.records.campaigns.automatic.rules.all())[-1]
    assert (changed.id, changed.days, changed.is_on) == (stored.id, 1, False)

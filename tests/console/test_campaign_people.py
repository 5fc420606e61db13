"""Opt-outs that staff note and lift, and the list of testers."""

import json
import re

from tests.console.applicants import screened
from tests.console.served import Browser, ServedConsole, counted_queries
from tests.console.test_campaigns import follow

WHO = "o-follower-0001"
OPT_OUTS = "/campaigns/opt-outs"


async def _reference(browser: Browser, where: str, who: str = WHO) -> str:
    await browser.get(where)
    found = await browser.post(f"{where}/find", {"who": who})
    assert found.status == 200, found.visible
    assert who not in found.visible
    return found.text.partition('name="person" value="')[2].partition('"')[0]


async def test_an_opt_out_is_noted_once_and_lifted_with_a_reason(console: ServedConsole) -> None:
    await follow(console)
    operator = await console.staff("campaign_operator", name="王芳")
    person = await _reference(operator, OPT_OUTS)
    hasty = await operator.post(f"{OPT_OUTS}/add", {"person": person, "reason": ""})
    assert hasty.status == 422
    for notice in ("记下了", "已经退订"):
        answer = await operator.post(f"{OPT_OUTS}/add", {"person": person, "reason": "本人来电要求"})
        assert notice in (await operator.follow(answer)).visible
    page = await operator.get(OPT_OUTS)
    assert "有 1 人退订" in page.visible
    assert "王芳" in page.visible
    assert WHO not in page.text
    assert await console.records.campaigns.opt_outs.has_opted_out(WHO)
    [lift] = set(re.findall(r'href="(/campaigns/opt-outs/\d+/lift)"', page.text))
    asked = await operator.get(lift, fragment=True)
    assert "又会收到群发" in asked.visible
    assert (await operator.post(lift, {"reason": "x"})).status == 422
    for notice in ("已恢复", "已经不在了"):
        answer = await operator.post(lift, {"reason": "本人到窗口要求恢复"})
        assert notice in (await operator.follow(answer)).visible
    assert not await console.records.campaigns.opt_outs.has_opted_out(WHO)
    events = [*await console.records.audit.events(action="campaigns:opt_out:lift")]
    events += await console.records.audit.events(action="campaigns:opt_out:add")
    assert [one.record.reason for one in events] == ["本人到窗口要求恢复", "本人来电要求"]
    assert all(WHO not in str(one.record) for one in events)


async def test_who_is_not_there_is_not_found(sqlite_console: ServedConsole) -> None:
    operator = await sqlite_console.staff("campaign_operator")
    await operator.get(OPT_OUTS)
    for who in ("o-nobody-at-all", "", "x" * 100):
        answer = await operator.post(f"{OPT_OUTS}/find", {"who": who})
        assert answer.status == 422, who
        assert 'id="problem-who"' in answer.text
    assert (await operator.post(f"{OPT_OUTS}/add", {"person": "forged", "reason": "本人来电要求"})).status == 404


async def test_whom_a_search_found_is_told_by_a_masked_name(sqlite_console: ServedConsole) -> None:
    await screened(sqlite_console)
    operator = await sqlite_console.staff("campaign_operator")
    for where in (OPT_OUTS, "/campaigns/testers"):
        await operator.get(where)
        found = await operator.post(f"{where}/find", {"who": "龙小芳"})
        assert "龙*芳" in found.visible
        assert "龙小芳" not in found.visible


async def test_the_list_of_opt_outs_is_paged_and_asks_a_constant_number_of_times(console: ServedConsole) -> None:
    opt_outs = console.records.campaigns.opt_outs
    auditor = await console.staff("auditor")
    await opt_outs.opt_out("o-0", source="message")
    await auditor.get(OPT_OUTS)
    with counted_queries(console.records.database) as few:
        await auditor.get(OPT_OUTS)
    for place in range(1, 70):
        await opt_outs.opt_out(f"o-{place}", source="message")
    await opt_outs.opt_in("o-5")
    with counted_queries(console.records.database) as many:
        page = await auditor.get(OPT_OUTS)
    assert len(many) == len(few)
    rest = await auditor.get(page.link("next"))
    rows = [len(re.findall(r'<tr><td class="num">', one.text)) for one in (page, rest)]
    assert rows == [50, 19]
    assert rest.link("next") == ""
    assert "恢复" not in page.visible.replace("恢复订阅”就恢复", "")


async def test_a_tester_is_found_named_and_removed(console: ServedConsole) -> None:
    await follow(console)
    operator = await console.staff("campaign_operator")
    person = await _reference(operator, "/campaigns/testers")
    nameless = await operator.post("/campaigns/testers/add", {"person": person, "name": ""})
    assert nameless.status == 422
    added = await operator.post("/campaigns/testers/add", {"person": person, "name": "王主任"})
    assert "可以选“王主任”" in (await operator.follow(added)).visible
    again = await operator.post("/campaigns/testers/add", {"person": person, "name": "别的名字"})
    assert "已经在名单里" in (await operator.follow(again)).visible
    [tester] = await console.records.campaigns.testers.all()
    assert (tester.name, tester.openid) == ("王主任", WHO)
    assert '"tester": ["王主任"]' in json.dumps(await console.records.privacy.export(WHO), ensure_ascii=False)
    for _ in range(2):
        removed = await operator.post(f"/campaigns/testers/{tester.id}/remove")
        assert "还没有测试人员" in (await operator.follow(removed)).visible
    [event] = await console.records.audit.events(action="campaigns:tester:remove")
    assert event.record.object_id == str(tester.id)

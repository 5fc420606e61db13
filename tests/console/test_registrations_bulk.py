"""Many registrations decided at once: asked with the consequence, run, refused one by one, taken back."""

import re
from collections.abc import Sequence

import pytest

from bot.registrations.statuses import Status
from tests.console.applicants import DEJIANG, SONGTAO, screened, status_of, studied
from tests.console.served import Answer, Browser, ServedConsole

MANAGER = "programme_manager"


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff(MANAGER, name="石晓梅")


async def asked(browser: Browser, step: str, receipts: Sequence[str], **fields: str) -> Answer:
    """Tick receipts in the list and choose a step."""
    await browser.get("/registrations")
    return await browser.post("/registrations/bulk/ask", {"step": step, "receipt": receipts, **fields})


async def begun(browser: Browser, page: Answer, **fields: str | Sequence[str]) -> Answer:
    """Send the form of the page that asks."""
    hidden = dict(re.findall(r'name="(step|receipts)" value="([^"]*)"', page.text))
    return await browser.post("/registrations/bulk", {**hidden, **fields})


async def test_many_are_approved_and_the_one_that_cannot_be_is_named(
    console: ServedConsole, manager: Browser
) -> None:
    receipts = [await screened(console, serial) for serial in (1, 2, 3)]
    await manager.get(f"/registrations/{receipts[2]}/reject")
    await manager.post(f"/registrations/{receipts[2]}/reject", {"reason": "age_rule"})
    page = await asked(manager, "approve", receipts)
    assert "通过 3 份报名？" in page.visible
    assert "占用一个名额，并通知本人" in page.visible
    refused = await begun(manager, page)
    assert refused.status == 422
    answer = await begun(manager, refused, reason="qualified", note="会上定的")
    waiting = await manager.follow(answer)
    assert "批量通过 3 份" in waiting.visible
    assert "石晓梅" in waiting.visible
    assert "进行中" in waiting.visible
    assert 'hx-trigger="every 2s"' in waiting.text
    await console.run_tasks(MANAGER)
    part = await manager.get(answer.location, fragment=True)
    assert "<html" not in part.text
    assert "石晓梅" in part.visible
    assert MANAGER not in part.visible
    assert "hx-trigger" not in part.text
    assert "已办 2 份，没有办 1 份" in part.visible
    assert receipts[2] in part.visible
    assert "现在的状态不能这样办" in part.visible
    assert receipts[0] not in part.visible
    every = await manager.get(f"{answer.location}?rows=all")
    assert all(receipt in every.visible for receipt in receipts)
    statuses = [await status_of(console, receipt, f"openid-{serial}") for serial, receipt in enumerate(receipts, 1)]
    assert statuses == [Status.APPROVED, Status.APPROVED, Status.REJECTED]


async def test_sending_the_form_twice_starts_one_run(console: ServedConsole, manager: Browser) -> None:
    page = await asked(manager, "approve", [await screened(console)])
    key = manager.key
    first, second = [await begun(manager, page, reason="qualified", key=key) for _ in range(2)]
    assert first.location == second.location
    assert len(await console.records.tasks.open_of(MANAGER)) == 1


async def test_everything_that_the_filters_find_is_meant(console: ServedConsole, manager: Browser) -> None:
    mine, other = await screened(console, 1), await screened(console, 2, county=DEJIANG)
    page = await asked(manager, "waitlist", [], all="on", county=DEJIANG)
    assert "候补 1 份报名？" in page.visible
    assert other in page.visible
    assert mine not in page.visible


async def test_many_are_sent_back_with_the_same_list_of_what_is_missing(
    console: ServedConsole, manager: Browser
) -> None:
    receipts = [await studied(console, serial) for serial in (1, 2)]
    page = await asked(manager, "return", receipts)
    assert 'value="student_card"' in page.text
    nothing = await begun(manager, page, reason="materials_missing", until_day="2026-06-22", until_time="18:00")
    assert nothing.status == 422
    assert "请把缺的一次勾全" in nothing.visible
    await begun(
        manager,
        nothing,
        reason="materials_missing",
        items=["student_card", "phone"],
        until_day="2026-06-22",
        until_time="18:00",
    )
    await console.run_tasks(MANAGER)
    for serial, receipt in enumerate(receipts, 1):
        assert await status_of(console, receipt, f"student-{serial}") is Status.RETURNED
        assert "2026-06-22 18:00 前" in (await manager.get(f"/registrations/{receipt}")).visible


async def test_files_are_asked_for_only_where_all_are_of_one_programme(
    console: ServedConsole, manager: Browser
) -> None:
    page = await asked(manager, "return", [await screened(console), await studied(console)])
    assert 'value="student_card"' not in page.text
    assert 'value="phone"' in page.text


@pytest.mark.parametrize(("step", "reason"), [("reject", "age_rule"), ("approve", "qualified")])
async def test_what_was_decided_in_bulk_is_taken_back(
    console: ServedConsole, manager: Browser, step: str, reason: str
) -> None:
    receipts = [await screened(console, serial) for serial in (1, 2)]
    page = await asked(manager, step, receipts)
    answer = await begun(manager, page, reason=reason)
    assert "撤回这一批" not in (await manager.get(answer.location)).visible
    await console.run_tasks(MANAGER)
    page = await manager.get(answer.location)
    assert "撤回这一批" in page.visible
    sure = await manager.get(f"{answer.location}/undo", fragment=True)
    assert "<html" not in sure.text
    assert "2 份？" in sure.visible
    assert "再给本人发一条更正" in sure.visible
    await manager.get(f"{answer.location}/undo")
    undone = await manager.post(f"{answer.location}/undo")
    assert undone.location != answer.location
    await console.run_tasks(MANAGER)
    assert "撤回第 1 批， 2 份" in (await manager.get(undone.location)).visible
    assert await status_of(console, receipts[0]) is Status.PENDING
    again = await manager.get(answer.location)
    assert "已撤回 见 第 2 批" in again.visible
    assert "撤回这一批" not in again.visible
    assert "这一批不能撤回" in (await manager.get(f"{answer.location}/undo")).visible
    assert (await manager.post(f"{answer.location}/undo")).status == 422


async def test_whether_there_is_a_way_back_is_said_before(console: ServedConsole, manager: Browser) -> None:
    receipt = await screened(console)
    assert "可以在这一批的页面上整批撤回" in (await asked(manager, "approve", [receipt])).visible
    assert "办完以后不能整批撤回" in (await asked(manager, "cancel", [receipt])).visible


async def test_runs_are_found_again(console: ServedConsole, manager: Browser) -> None:
    assert "还没有批量处理过" in (await manager.get("/registrations/bulk")).visible
    page = await asked(manager, "approve", [await screened(console)])
    answer = await begun(manager, page, reason="qualified")
    await console.run_tasks(MANAGER)
    assert "看这一批" in (await manager.get("/tasks")).visible
    listed = await manager.get("/registrations/bulk")
    assert "第 1 批 通过 1 0 已结束 石晓梅" in listed.visible
    assert f'href="{answer.location}"' in listed.text
    assert '/registrations/bulk"' in (await manager.get("/registrations")).text
    neighbour = await console.staff("county_reviewer", county=DEJIANG)
    assert "还没有批量处理过" in (await neighbour.get("/registrations/bulk")).visible


async def test_who_forgot_to_tick_is_back_where_they_were(console: ServedConsole, manager: Browser) -> None:
    await screened(console)
    refused = await asked(manager, "approve", [], status="pending", county=SONGTAO)
    assert refused.location == f"/registrations?status=pending&county={SONGTAO}"


async def test_nothing_ticked_or_chosen_is_said(console: ServedConsole, manager: Browser) -> None:
    receipt = await screened(console)
    refused = await manager.follow(await asked(manager, "approve", []))
    assert 'class="notice warn" role="alert">请先勾选要处理的报名' in refused.text
    assert "请先选要做的操作" in (await manager.follow(await asked(manager, "", [receipt]))).visible
    assert "请先选要做的操作" in (await manager.follow(await asked(manager, "assign_post", [receipt]))).visible


async def test_a_county_decides_about_its_own_whatever_receipts_it_sends(console: ServedConsole) -> None:
    mine, other = await screened(console, 1), await screened(console, 2, county=DEJIANG)
    reviewer = await console.staff("county_reviewer", county=SONGTAO)
    page = await asked(reviewer, "approve", [mine, other])
    answer = await begun(reviewer, page, reason="qualified")
    await console.run_tasks(f"county_reviewer.{SONGTAO}")
    run = await reviewer.get(answer.location)
    assert "已办 1 份，没有办 1 份" in run.visible
    assert "不在您负责的区县" in run.visible
    assert await status_of(console, other, "openid-2") is Status.PENDING
    neighbour = await console.staff("county_reviewer", county=DEJIANG)
    assert (await neighbour.get(answer.location)).status == 404
    assert (await neighbour.get(f"{answer.location}/undo")).status == 404
    assert (await neighbour.post(f"{answer.location}/undo")).status == 404


async def test_a_run_that_has_not_ended_stands_among_the_tasks(console: ServedConsole, manager: Browser) -> None:
    await begun(manager, await asked(manager, "approve", [await screened(console)]), reason="qualified")
    listed = await manager.get("/tasks")
    assert listed.status == 200
    assert "批量处理报名" in listed.visible

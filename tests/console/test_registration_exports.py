"""Files with registrations: columns chosen, masked unless for a reason, made in the background, deleted later."""

from datetime import timedelta
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from bot.values.clock import MovedClock
from tests.console.applicants import DEJIANG, SONGTAO, number, screened
from tests.console.served import Browser, ServedConsole

MANAGER = "programme_manager"


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff(MANAGER)


async def made(console: ServedConsole, browser: Browser, owner: str = MANAGER) -> list[list[object]]:
    """Run what was started and return the lines of the newest file."""
    await console.run_tasks(owner)
    page = await browser.get("/tasks")
    address = page.text.partition('href="/tasks/')[2].partition('"')[0]
    status, data, headers = await browser.download(f"/tasks/{address}")
    assert status == 200, page.visible
    assert headers["Cache-Control"] == "no-store"
    [lines] = [CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_index(0).to_python()]
    return [list(cells) for cells in lines]


async def test_chosen_columns_are_exported_masked_with_a_mark(console: ServedConsole, manager: Browser) -> None:
    mine, other = await screened(console, 1), await screened(console, 2, county=DEJIANG)
    asked = await manager.get(f"/registrations/export?county={SONGTAO}")
    assert "导出 1 份报名" in asked.visible
    assert "<html" not in (await manager.get("/registrations/export", fragment=True)).text
    await manager.get(f"/registrations/export?county={SONGTAO}")
    fields = {"county": SONGTAO, "columns": ["receipt", "name", "id_number", "phone", "hs_employer", "status"]}
    answer = await manager.post("/registrations/export", fields)
    assert answer.location == "/tasks"
    [mark, head, *lines] = await made(console, manager)
    assert str(mark[0]).startswith(MANAGER)
    assert "请勿外传" in str(mark[0])
    assert head == ["受理号", "状态", "姓名", "证件号码", "手机号", "工作单位"]
    assert lines == [
        [mine, "待审核", "龙*芳", f"{number(1)[:3]}*************{number(1)[-2:]}", "139****0001", "县环卫所"]
    ]
    assert other not in str(lines)
    [event] = await console.records.audit.events(action="registrations:application:export")
    assert event.record.reason == "1 rows;masked;"


async def test_plain_values_need_a_reason_that_the_trail_keeps(console: ServedConsole, manager: Browser) -> None:
    await screened(console)
    await manager.get("/registrations/export")
    fields = {"columns": ["name", "id_number", "phone"], "open": "on", "reason": "投"}
    refused = await manager.post("/registrations/export", fields)
    assert refused.status == 422
    assert "请用至少 4 个字写明事由" in refused.visible
    assert 'value="投"' in refused.text
    assert not await console.records.tasks.open_of(MANAGER)
    await manager.post("/registrations/export", {**fields, "reason": "给承保公司投保"})
    lines = await made(console, manager)
    assert lines[2] == ["龙小芳", number(1), "13900000001"]
    [event] = await console.records.audit.events(action="registrations:application:export")
    assert event.record.reason == "1 rows;open;给承保公司投保"


async def test_no_column_is_no_file(console: ServedConsole, manager: Browser) -> None:
    await screened(console)
    await manager.get("/registrations/export")
    refused = await manager.post("/registrations/export", {})
    assert refused.status == 422
    assert "请填写要导出的列" in refused.visible
    assert "没有报名可以导出" in (await manager.get("/registrations/export?status=rejected")).visible


async def test_what_was_searched_for_is_what_is_exported(console: ServedConsole, manager: Browser) -> None:
    await screened(console, 1)
    other = await screened(console, 2, name="田桂花")
    await manager.get("/registrations")
    found = await manager.post("/registrations/search", {"q": "田桂花"})
    token = found.location.partition("s=")[2]
    asked = await manager.get(f"/registrations/export?s={token}")
    assert "导出 1 份报名" in asked.visible
    await manager.post("/registrations/export", {"s": token, "columns": ["receipt"]})
    assert (await made(console, manager))[2:] == [[other]]


async def test_a_county_exports_its_own_whatever_it_asks_for(console: ServedConsole) -> None:
    mine, _ = await screened(console, 1), await screened(console, 2, county=DEJIANG)
    reviewer = await console.staff("county_reviewer", county=SONGTAO)
    await reviewer.get("/registrations/export")
    await reviewer.post("/registrations/export", {"county": DEJIANG, "columns": ["receipt"]})
    lines = await made(console, reviewer, f"county_reviewer.{SONGTAO}")
    assert lines[2:] == [[mine]]


async def test_a_cell_that_looks_like_a_formula_is_text(console: ServedConsole, manager: Browser) -> None:
    await screened(console, answers={"hs_employer": "=1+1"})
    await manager.get("/registrations/export")
    await manager.post("/registrations/export", {"columns": ["hs_employer"]})
    assert (await made(console, manager))[2:] == [["=1+1"]]


async def test_a_file_is_gone_after_a_week(console: ServedConsole, manager: Browser, clock: MovedClock) -> None:
    await screened(console)
    await manager.get("/registrations/export")
    await manager.post("/registrations/export", {"columns": ["receipt"]})
    await made(console, manager)
    clock.move(timedelta(days=7, minutes=1))
    await console.records.tasks.purge()
    await manager.sign_in(MANAGER)
    assert "文件已过期" in (await manager.get("/tasks")).visible


async def test_what_a_programme_lets_choose_is_written_in_words(console: ServedConsole, manager: Browser) -> None:
    await screened(console)
    await manager.get("/registrations/export")
    await manager.post("/registrations/export", {"columns": ["receipt", "hs_items"]})
    [_, head, line] = await made(console, manager)
    assert head[1] == "筛查项目"
    assert line[1] == "乳腺超声"

"""Reports in the console: the figures, what they cost, Excel, and what a county sees."""

from io import BytesIO

from python_calamine import CalamineWorkbook

from bot.commands.demo_people import add_workers
from bot.console.charts import columns
from bot.reports.rollups import TurnRollups
from tests.console.served import ServedConsole, counted_queries
from tests.reports.test_reports import _written


async def test_figures_are_shown_and_cost_a_constant_number_of_queries(console: ServedConsole) -> None:
    records = console.records
    await add_workers(records)
    await _written(records.turn_log, records.clock)  # type: ignore[arg-type] # The tests' clock.
    await TurnRollups(records.database, records.clock).renew()
    chief = await console.staff("administrator")
    with counted_queries(records.database) as queries:
        page = await chief.get("/reports")
    assert len(queries) == 12, queries
    assert "60%" in page.visible
    assert "少于 10" in page.visible
    assert '<svg class="chart"' in page.text
    assert "查进度 2" in page.visible


async def test_excel_holds_the_same_and_leaves_a_trace(console: ServedConsole) -> None:
    await add_workers(console.records)
    chief = await console.staff("administrator")
    await chief.get("/reports")
    async with chief.http.post(
        f"{console.base}/reports/excel", data={"csrf": chief.csrf, "from": "2026-06-01", "to": "2026-06-30"}
    ) as response:
        assert response.status == 200
        book = CalamineWorkbook.from_filelike(BytesIO(await response.read()))
    assert book.sheet_names == ["消息", "意图", "报名", "从咨询到报名", "会话"]
    rows = book.get_sheet_by_name("报名").to_python()
    assert any("少于 10" in row for row in rows)
    [event] = await console.records.audit.events(action="reports:figures:export")
    assert event.record.object_id == "2026-06-01 – 2026-06-30"


async def test_a_county_sees_its_own_and_dates_are_checked(console: ServedConsole) -> None:
    await add_workers(console.records)
    reviewer = await console.staff("county_reviewer", county="520628")
    page = await reviewer.get("/reports")
    assert "松桃" in page.visible
    assert "碧江" not in page.visible
    assert "每天的消息" not in page.visible
    assert (await reviewer.get("/reports?from=2026-06-30&to=2026-06-01")).status == 400
    assert (await reviewer.get("/reports?from=gestern")).status == 400
    agent = await console.staff("chat_agent")
    assert (await agent.get("/reports")).status == 403


def test_a_chart_has_whole_numbers_and_escapes_what_it_says() -> None:
    drawn = columns([("<b>", 3), ("二", 17)], "题<目>")
    assert "<b>" not in drawn
    assert ">20<" in drawn
    assert ">10<" in drawn

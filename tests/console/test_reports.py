"""Reports in the console: the figures and their cost, the way down to a day and a county, Excel, whose they are."""

from io import BytesIO

from python_calamine import CalamineWorkbook

from bot.commands.demo_people import add_workers
from bot.console.charts import Series, bars, columns, lines
from bot.reports.rollups import TurnRollups
from tests.console.served import ServedConsole, counted_queries
from tests.reports.turns import written


async def _filled(console: ServedConsole) -> None:
    records = console.records
    await add_workers(records)
    await written(records.turn_log, records.clock)
    await TurnRollups(records.database, records.clock).renew()


async def test_figures_are_shown_and_cost_a_constant_number_of_queries(console: ServedConsole) -> None:
    await _filled(console)
    chief = await console.staff("administrator")
    with counted_queries(console.records.database) as queries:
        page = await chief.get("/reports")
    assert len(queries) <= 24, queries
    assert not any("turn_log" in query for query in queries), "the log itself is not read"
    assert "一次听懂 60%" in page.visible
    assert "消息 6 上期 0" in page.visible
    assert "不显示" in page.visible
    assert '<svg class="chart"' in page.text
    assert "style=" not in page.text


async def test_the_way_leads_from_the_whole_to_a_day_and_an_intent(console: ServedConsole) -> None:
    await _filled(console)
    chief = await console.staff("administrator")
    assert 'href="/reports/messages?from=2026-06-15&amp;to=2026-06-15"' in (await chief.get("/reports")).text
    day = await chief.get("/reports/messages?from=2026-06-15&to=2026-06-15")
    assert "10:00 2 1 1 0 4" in day.visible
    assert "23:00 0 0 0 0 0" in day.visible
    assert "查进度 2" in day.visible
    intent = await chief.get("/reports/messages?from=2026-06-01&to=2026-06-15&intent=greet")
    assert "打招呼" in intent.visible
    assert "2026-06-14(周日) 1 0 0 0 1" in intent.visible
    assert (await chief.get("/reports/messages?intent=nothing")).status == 404


async def test_the_way_leads_from_a_programme_to_a_county_and_its_list(console: ServedConsole) -> None:
    await _filled(console)
    chief = await console.staff("administrator")
    programmes = await console.records.programmes.published()
    studying = next(one for one in programmes if one.kind == "work_study")
    screening = next(one for one in programmes if one.kind == "health_screening")
    assert f'href="/reports/programmes/{studying.id}?' in (await chief.get("/reports")).text
    page = await chief.get(f"/reports/programmes/{studying.id}?from=2026-06-01&to=2026-06-30")
    assert "松桃" in page.visible
    assert f'href="/registrations?programme_id={studying.id}&amp;county=520628&amp;first_day=2026-06-01' in page.text
    hidden = await chief.get(f"/reports/programmes/{screening.id}?from=2026-06-15&to=2026-06-15")
    assert "不足 10 人的分组" in hidden.visible
    assert "每天的报名" not in hidden.visible
    assert (await chief.get("/reports/programmes/nothing")).status == 404
    operator = await console.staff("campaign_operator")
    assert "/registrations" not in (await operator.get(f"/reports/programmes/{studying.id}")).text


async def test_excel_is_written_in_the_background_and_holds_the_same(console: ServedConsole) -> None:
    await _filled(console)
    chief = await console.staff("administrator")
    await chief.get("/reports")
    wanted = {"from": "2026-06-01", "to": "2026-06-30"}
    answer = await chief.post("/reports/excel", wanted)
    assert answer.location == "/tasks"
    assert (await chief.post("/reports/excel", wanted)).location == "/tasks"
    [task] = await console.records.tasks.open_of("administrator")
    assert "导出报表" in (await chief.follow(answer)).visible
    await console.run_tasks("administrator")
    status, content, headers = await chief.download(f"/tasks/{task.id}/file")
    assert status == 200
    assert headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E6%8A%A5%E8%A1%A8")
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    assert any("不显示" in row for row in book.get_sheet_by_name("报名").to_python())
    assert book.sheet_names[-1] == "群发"
    [event] = await console.records.audit.events(action="staff:task:fetch")
    assert (event.record.actor, event.record.reason) == ("administrator", "reports_export")


async def test_a_county_sees_its_own(console: ServedConsole) -> None:
    await _filled(console)
    reviewer = await console.staff("county_reviewer", county="520628")
    page = await reviewer.get("/reports")
    assert "松桃" in page.visible
    assert "每天的消息" not in page.visible
    studying = next(one for one in await console.records.programmes.published() if one.kind == "work_study")
    closer = await reviewer.get(f"/reports/programmes/{studying.id}?from=2026-06-01&to=2026-06-30")
    assert "松桃" in closer.visible
    assert "碧江" not in closer.visible
    await reviewer.post("/reports/excel", {"from": "2026-06-01", "to": "2026-06-30"})
    await console.run_tasks("county_reviewer.520628")
    [task] = await console.records.tasks.of("county_reviewer.520628")
    _, content, _ = await reviewer.download(f"/tasks/{task.id}/file")
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    assert "群发" not in book.sheet_names
    rows = book.get_sheet_by_name("报名").to_python()
    assert {row[3] for row in rows if row[2] == "区县"} == {"松桃"}


async def test_dates_that_cannot_be_are_explained_and_kept(sqlite_console: ServedConsole) -> None:
    chief = await sqlite_console.staff("administrator")
    page = await chief.get("/reports?from=2026-06-30&to=2026-06-01")
    assert page.status == 422
    assert "结束日期在开始日期之前" in page.visible
    assert 'value="2026-06-30"' in page.text
    assert "开始日期要填日期" in (await chief.get("/reports?from=gestern")).visible
    assert "最多看 1,100 天" in (await chief.get("/reports/chats?from=2020-01-01&to=2026-06-01")).visible
    assert (await chief.post("/reports/excel", {"from": "2026-06-30", "to": "2026-06-01"})).location == "/reports"
    assert await sqlite_console.records.tasks.of("administrator") == []


async def test_an_empty_period_says_so(sqlite_console: ServedConsole) -> None:
    chief = await sqlite_console.staff("administrator")
    span = "from=2020-01-01&to=2020-01-31"
    assert "这段时间没有报名" in (await chief.get(f"/reports?{span}")).visible
    assert "这段时间没有消息" in (await chief.get(f"/reports/messages?{span}")).visible
    assert "没有转人工的会话" in (await chief.get(f"/reports/chats?{span}")).visible


def test_charts_have_whole_numbers_and_escape_what_they_say() -> None:
    labels, series = ["<b>", "二"], [Series("<i>", "c1", [3, 17]), Series("其他", "c2", [0, 1])]
    for draw in (columns, lines, bars):
        drawn = draw(labels, series, "题<目>")
        assert [f'viewBox="0 0 {width} ' in drawn for width in (860, 360)] == [True, True]
        assert "<b>" not in drawn
        assert "<i>" not in drawn
        assert "题&lt;目&gt;" in drawn
        assert "style" not in drawn
        assert 'class="legend"' in drawn
    assert ">20<" in columns(labels, series, "题")
    assert ">10<" in columns(labels, series, "题")
    assert ">18<" in bars(labels, series, "题")
    assert "<svg" in columns([], [Series("无", "c1", [])], "空")

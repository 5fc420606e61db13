"""One's own long work in the console: seen, fetched and stopped by its owner alone."""

from datetime import timedelta

from bot.staff.tasks.models import TaskState
from bot.staff.tasks.service import RESULT_KEPT_FOR
from bot.values.clock import MovedClock
from tests.console.served import Browser, ServedConsole, counted_queries

OWNER = "administrator"


async def _started(console: ServedConsole, key: str = "k1", kind: str = "reports_export") -> int:
    params = {"first": "2026-06-01", "last": "2026-06-30", "county": None}
    return (await console.records.tasks.start(kind, owner=OWNER, params=params, key=key)).id


async def _chief(console: ServedConsole) -> Browser:
    return await console.staff(OWNER)


async def test_nothing_yet_is_explained(sqlite_console: ServedConsole) -> None:
    page = await (await _chief(sqlite_console)).get("/tasks")
    assert "还没有后台任务" in page.visible
    assert "hx-trigger" not in page.text


async def test_progress_is_a_part_that_renews_itself_until_all_is_over(console: ServedConsole) -> None:
    chief = await _chief(console)
    task_id = await _started(console)
    page = await chief.get("/tasks")
    assert "导出报表" in page.visible
    assert "排队中" in page.visible
    assert 'hx-trigger="every 2s"' in page.text
    part = await chief.get("/tasks", fragment=True)
    assert part.text.lstrip().startswith('<div id="tasks"')
    assert "<html" not in part.text
    await console.run_tasks(OWNER)
    part = await chief.get("/tasks", fragment=True)
    assert "已完成" in part.visible
    assert "报表 2026-06-01 至 2026-06-30.xlsx" in part.visible
    assert "hx-trigger" not in part.text
    assert f'href="/tasks/{task_id}/file"' in part.text


async def test_what_went_wrong_is_a_sentence(sqlite_console: ServedConsole) -> None:
    chief = await _chief(sqlite_console)
    await _started(sqlite_console, kind="<script>")
    await sqlite_console.run_tasks(OWNER)
    page = await chief.get("/tasks")
    assert "没有完成" in page.visible
    assert "后台程序还不认识这种任务(<script>)" in page.visible
    assert "<script>(" not in page.text


async def test_stopping_asks_first_and_says_what_it_means(console: ServedConsole) -> None:
    chief = await _chief(console)
    task_id = await _started(console)
    asked = await chief.get(f"/tasks/{task_id}/cancel")
    assert "它还没有开始" in asked.visible
    assert "<html" not in (await chief.get(f"/tasks/{task_id}/cancel", fragment=True)).text
    answer = await chief.post(f"/tasks/{task_id}/cancel")
    assert "已停止" in (await chief.follow(answer)).visible
    assert (await console.records.tasks.get(task_id, owner=OWNER)).state is TaskState.CANCELLED
    assert "已经结束" in (await chief.get(f"/tasks/{task_id}/cancel")).visible


async def test_nobody_else_sees_stops_or_fetches_it(console: ServedConsole) -> None:
    await _chief(console)
    task_id = await _started(console)
    await console.run_tasks(OWNER)
    other = await console.staff("auditor")
    assert "导出报表" not in (await other.get("/tasks")).visible
    assert (await other.get(f"/tasks/{task_id}/file")).status == 404
    assert (await other.get(f"/tasks/{task_id}/cancel")).status == 404
    assert (await other.post(f"/tasks/{task_id}/cancel")).status == 404


async def test_an_expired_result_is_said_to_be_gone(sqlite_console: ServedConsole, clock: MovedClock) -> None:
    chief = await _chief(sqlite_console)
    task_id = await _started(sqlite_console)
    await sqlite_console.run_tasks(OWNER)
    clock.move(RESULT_KEPT_FOR + timedelta(minutes=1))
    await sqlite_console.records.tasks.purge()
    await chief.sign_in(OWNER)
    assert "文件已过期" in (await chief.get("/tasks")).visible
    assert (await chief.get(f"/tasks/{task_id}/file")).status == 404


async def test_long_lists_page_by_seek_in_one_query(console: ServedConsole) -> None:
    chief = await _chief(console)
    ids = [await _started(console, f"k{number}") for number in range(45)]
    seen: list[int] = []
    address = "/tasks"
    for _ in range(3):
        with counted_queries(console.records.database) as queries:
            page = await chief.get(address)
        assert sum("staff_tasks" in query for query in queries) == 1
        seen += [task_id for task_id in ids if f'id="task-{task_id}"' in page.text]
        address = page.link("next")
    assert address == ""
    assert sorted(seen) == ids


async def test_the_start_page_tells_of_work_under_way(sqlite_console: ServedConsole) -> None:
    chief = await _chief(sqlite_console)
    assert "进行中的后台任务" not in (await chief.get("/")).visible
    await _started(sqlite_console)
    assert "进行中的后台任务" in (await chief.get("/")).visible

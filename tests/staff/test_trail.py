"""Looking through the trail, taking it away as a table, and checking it each day."""

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from python_calamine import CalamineWorkbook

from bot.staff.audit import AuditTrail
from bot.staff.checks import CHECK_EVERY, SYSTEM, TRAIL_CHECK, TrailChecks
from bot.staff.models import AuditRecord, AuditView
from bot.staff.tasks.models import TaskState, TaskView
from bot.staff.tasks.service import TaskBook
from bot.staff.trail import TrailFilter, TrailSearch
from bot.staff.trail_export import BOM, HEAD, TRAIL_EXPORT, TrailExport
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.staff.doing import Workshop
from tests.staff.test_audit import unguarded as unguarded  # noqa: PLC0414 - A fixture of that file.

READ, UNMASK = "registrations:application:read", "registrations:application:unmask"


@pytest.fixture
def search(database: Database) -> TrailSearch:
    return TrailSearch(database, scanned_rows=5)


@pytest.fixture
def checks(database: Database, clock: MovedClock, trail: AuditTrail) -> TrailChecks:
    return TrailChecks(database, clock, trail)


async def _day(trail: AuditTrail, clock: MovedClock) -> None:
    """Write seven rows: three people, two actions, and the next day begins."""
    for number in range(6):
        actor, action = ("li", "yang", "shen")[number % 3], (READ, UNMASK)[number % 2]
        await trail.record(AuditRecord(actor, action, "registration", f"R-{number}", f"核实材料{number}", "10.0.0.8"))
    await trail.record(AuditRecord("li", "staff:session:login", "staff_account", "li", "", "10.0.0.9"))
    clock.move(timedelta(days=1))


def _positions(events: Sequence[AuditView]) -> list[int]:
    return [event.position for event in events]


async def _found(search: TrailSearch, wanted: TrailFilter) -> list[int]:
    return [event.position async for piece in search.stream(wanted) for event in piece]


@pytest.mark.parametrize(
    ("wanted", "positions"),
    [
        (TrailFilter(), [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (TrailFilter(actor="yang"), [12, 9, 5, 2]),
        (TrailFilter(action="staff:session:login"), [14, 7]),
        (TrailFilter(object_id="R-3"), [11, 4]),
        (TrailFilter(object_kind="registration", object_id="R-3"), [11, 4]),
        (TrailFilter(object_kind="staff_account", object_id="R-3"), []),
        (TrailFilter(object_kind="staff_account"), [14, 7]),
        (TrailFilter(actor="yang", action=UNMASK), [9, 2]),
        (TrailFilter(reason="材料4"), [12, 5]),
        (TrailFilter(reason="%"), []),
        (TrailFilter(source="10.0.0.9"), [14, 7]),
        (TrailFilter(first=date(2026, 6, 16)), [14, 13, 12, 11, 10, 9, 8]),
        (TrailFilter(last=date(2026, 6, 15)), [7, 6, 5, 4, 3, 2, 1]),
        (TrailFilter(first=date(2026, 6, 16), last=date(2026, 6, 16), actor="li"), [14, 11, 8]),
        (TrailFilter(first=date(2026, 6, 17)), []),
        (TrailFilter(last=date(2026, 6, 14)), []),
        (TrailFilter(actor="nobody"), []),
    ],
)
async def test_what_is_looked_for_is_found(
    trail: AuditTrail, search: TrailSearch, clock: MovedClock, wanted: TrailFilter, positions: list[int]
) -> None:
    for _ in range(2):
        await _day(trail, clock)
    assert await _found(search, wanted) == positions


async def test_pages_follow_each_other(trail: AuditTrail, search: TrailSearch, clock: MovedClock) -> None:
    for _ in range(2):
        await _day(trail, clock)
    first = await search.page(TrailFilter(actor="li"), limit=4)
    assert (_positions(first.events), first.before, first.searched_to) == ([14, 11, 8, 7], 7, None)
    rest = await search.page(TrailFilter(actor="li"), limit=4, before=first.before)
    assert (_positions(rest.events), rest.before) == ([4, 1], None)


async def test_a_rare_word_is_looked_for_a_piece_at_a_time(
    trail: AuditTrail, search: TrailSearch, clock: MovedClock
) -> None:
    began = clock.now()
    for _ in range(2):
        await _day(trail, clock)
    page = await search.page(TrailFilter(reason="材料0"))
    assert (page.events, page.before) == ((), 10), "five rows were looked at"
    assert page.searched_to == began + timedelta(days=1)
    page = await search.page(TrailFilter(reason="材料0"), before=page.before)
    assert (_positions(page.events), page.before) == ([8], 5)


async def test_what_is_added_meanwhile_does_not_shift_a_page(
    trail: AuditTrail, search: TrailSearch, clock: MovedClock
) -> None:
    await _day(trail, clock)
    first = await search.page(TrailFilter(), limit=3)
    await _day(trail, clock)
    rest = await search.page(TrailFilter(), limit=9, before=first.before)
    assert _positions((*first.events, *rest.events)) == [7, 6, 5, 4, 3, 2, 1]


async def test_who_and_what_are_listed(trail: AuditTrail, search: TrailSearch, clock: MovedClock) -> None:
    assert await search.actions() == []
    await _day(trail, clock)
    assert await search.actions() == [READ, UNMASK, "staff:session:login"]
    assert await search.actors() == ["li", "shen", "yang"]


def test_a_search_survives_being_written_down() -> None:
    wanted = TrailFilter(actor="li", reason="材料", first=date(2026, 6, 15))
    assert TrailFilter.from_params({**wanted.as_params(), "format": "csv"}) == wanted
    assert TrailFilter.from_params({}) == TrailFilter()


# Export


async def _export(
    book: TaskBook, workshop: Workshop, export: TrailExport, wanted: TrailFilter, form: str
) -> TaskView:
    params = {**wanted.as_params(), "format": form}
    task = await book.start(TRAIL_EXPORT, owner="shen", params=params, key=f"{form}{params}")
    await workshop.runner({TRAIL_EXPORT: export}).run(task.id)
    return await book.get(task.id, owner="shen")


@pytest.fixture
def export(
    database: Database, clock: MovedClock, files: PrivateFiles, trail: AuditTrail, search: TrailSearch
) -> TrailExport:
    return TrailExport(database, clock, search, files, trail=trail, max_rows=10)


async def test_a_search_is_taken_away_as_a_workbook_and_the_trail_knows(
    trail: AuditTrail,
    book: TaskBook,
    workshop: Workshop,
    export: TrailExport,
    files: PrivateFiles,
    clock: MovedClock,
) -> None:
    await _day(trail, clock)
    view = await _export(book, workshop, export, TrailFilter(actor="yang"), "xlsx")
    assert (view.state, view.summary) == (TaskState.DONE, {"rows": 2})
    assert view.file_name == "审计日志-20260616-1000.xlsx"
    stored = await files.read(view.file_id or "")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(stored.data)).get_sheet_by_index(0).to_python()
    assert rows[0] == list(HEAD)
    assert [row[5] for row in rows[1:3]] == ["R-4", "R-1"]
    assert "shen" in str(rows[3][0])
    [event] = await trail.events(action="staff:trail:export")
    assert (event.record.actor, event.record.reason) == ("shen", "2 条;actor=yang")


async def test_a_reason_that_looks_like_a_formula_stays_a_text(
    trail: AuditTrail, book: TaskBook, workshop: Workshop, export: TrailExport, files: PrivateFiles
) -> None:
    evil = '=HYPERLINK("http://evil.example","点我")'
    await trail.record(AuditRecord("li", READ, "registration", "R-1", evil))
    view = await _export(book, workshop, export, TrailFilter(actor="li"), "csv")
    text = (await files.read(view.file_id or "")).data.decode()
    assert text.startswith(BOM)
    assert list(csv.reader(io.StringIO(text.removeprefix(BOM))))[1][6] == f"'{evil}"
    view = await _export(book, workshop, export, TrailFilter(actor="li"), "xlsx")
    stored = await files.read(view.file_id or "")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(stored.data)).get_sheet_by_index(0)
    assert sheet.to_python()[1][6] == evil


async def test_too_much_for_one_table_is_refused(
    trail: AuditTrail, book: TaskBook, workshop: Workshop, export: TrailExport, clock: MovedClock
) -> None:
    for _ in range(2):
        await _day(trail, clock)
    view = await _export(book, workshop, export, TrailFilter(), "xlsx")
    assert (view.state, view.message, view.message_fields) == (
        TaskState.FAILED,
        "staff.too_many_rows",
        {"max_rows": 10},
    )


# The daily check


async def test_the_chain_is_checked_once_a_day(trail: AuditTrail, checks: TrailChecks, clock: MovedClock) -> None:
    assert await checks.latest() is None
    await _day(trail, clock)
    assert await checks.check_if_due() == 1
    assert await checks.check_if_due() == 0
    latest = await checks.latest()
    assert latest is not None
    assert (latest.rows, latest.broken_at, latest.asked_by) == (7, None, SYSTEM)
    clock.move(CHECK_EVERY)
    assert await checks.check_if_due() == 1
    latest = await checks.latest()
    assert latest is not None
    assert latest.rows == 8, "the first check is in the trail itself"


async def test_a_broken_chain_is_told(
    trail: AuditTrail,
    checks: TrailChecks,
    unguarded: Database,
    book: TaskBook,
    workshop: Workshop,
    clock: MovedClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await _day(trail, clock)
    async with unguarded.connection() as connection:
        await connection.exec_driver_sql("UPDATE audit_events SET actor = 'somebody' WHERE position = 4")
    task = await book.start(TRAIL_CHECK, owner="shen", params={}, key="k1")
    await workshop.runner({TRAIL_CHECK: checks}).run(task.id)
    view = await book.get(task.id, owner="shen")
    assert (view.state, view.summary) == (TaskState.DONE, {"rows": 3, "broken_at": 4})
    latest = await checks.latest()
    assert latest is not None
    assert (latest.rows, latest.broken_at, latest.asked_by) == (3, 4, "shen")
    assert "audit chain broken" in capsys.readouterr().out
    [event] = await trail.events(action="staff:trail:verify")
    assert event.record.reason == "第 4 条起对不上"

"""The workbook: the same figures as on the page, and what people typed is never a formula."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from bot.campaigns.figures import CampaignComparison
from bot.campaigns.progress import CampaignLists
from bot.console.texts import Texts
from bot.programmes.service import ProgrammeService
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.reports.export import KIND, ReportExport, params_of
from bot.reports.overview import Overview
from bot.reports.rollups import TurnRollups
from bot.reports.workbook import HIDDEN, NOT_WRITTEN, county_name
from bot.staff.audit import AuditTrail
from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.models import TaskState
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.service import NoTaskQueue, TaskBook
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.turns.log import TurnLog
from bot.values.clock import MovedClock
from tests.registrations.factories import application, receipt_of, stage_screening, stage_work_study
from tests.reports.turns import JUNE, written

OWNER, SONGTAO, BIJIANG = "wang", "520628", "520602"


@pytest.fixture
def files(tmp_path: Path, cipher: FieldCipher) -> PrivateFiles:
    return PrivateFiles(tmp_path / "task-files", cipher)


@pytest.fixture
def tasks(database: Database, cipher: FieldCipher, clock: MovedClock, files: PrivateFiles) -> TaskBook:
    trail = AuditTrail(database, cipher, clock)
    return TaskBook(database, cipher, clock, trail=trail, queue=NoTaskQueue(), files=files)


async def _registered(database: Database, cipher: FieldCipher, clock: MovedClock, title: str) -> None:
    programmes = ProgrammeService(database, clock)
    service = RegistrationService(database, cipher, clock, RowPlaceLock())
    screening = await stage_screening(programmes, 30)
    studying = await stage_work_study(programmes, {"松桃": 5}, title=title)
    for serial in range(12):
        county = SONGTAO if serial < 11 else BIJIANG
        made = application(serial, screening.programme, county=county, slot_id=screening.slots[0].id)
        receipt_of(await service.submit(made))
    made = application(20, studying.programme, county=SONGTAO, post_id=studying.posts[0].id)
    receipt_of(await service.submit(made))


async def _workbook(
    tasks: TaskBook,
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    files: PrivateFiles,
    county: str | None = None,
) -> bytes:
    task = await tasks.start(
        KIND, owner=OWNER, params=params_of(JUNE, county, campaigns=county is None), key=f"{county}"
    )
    handler = ReportExport(
        Overview(database),
        CampaignComparison(database, CampaignLists(database, clock)),
        files,
        clock,
        Texts.load().label,
    )
    await TaskRunner(TaskLeases(database, cipher, clock), {KIND: handler}).run(task.id)
    view, file = await tasks.fetch(task.id, owner=OWNER)
    assert (view.state, view.file_name) == (TaskState.DONE, "报表 2026-06-01 至 2026-06-30.xlsx")
    return file.data


async def test_the_workbook_holds_every_figure(
    database: Database, cipher: FieldCipher, clock: MovedClock, tasks: TaskBook, files: PrivateFiles
) -> None:
    await written(TurnLog(database, cipher), clock)
    await TurnRollups(database, clock).renew()
    await _registered(database, cipher, clock, "暑期勤工俭学")
    book = CalamineWorkbook.from_filelike(BytesIO(await _workbook(tasks, database, cipher, clock, files)))
    assert book.sheet_names == [
        "总览",
        "消息（按天）",
        "消息（按时段）",
        "意图",
        "从咨询到报名",
        "报名",
        "会话",
        "群发",
    ]
    overview = {row[0]: row[1:] for row in book.get_sheet_by_name("总览").to_python()}
    assert overview["消息"] == [6.0, 0.0]
    assert overview["听懂的比例"] == ["60%", "—"]
    assert overview["报名（不含健康筛查）"] == [1.0, 0.0]
    days = {row[0]: row[1:] for row in book.get_sheet_by_name("消息（按天）").to_python()}
    assert days["2026-06-15"] == [2.0, 1.0, 1.0, 1.0, 5.0]
    assert ["查进度", 2.0] in book.get_sheet_by_name("意图").to_python()
    rows = book.get_sheet_by_name("报名").to_python()
    assert ["女职工健康筛查", "整期", "合计", "", 12.0] in rows
    assert ["女职工健康筛查", "整期", "区县", "碧江", HIDDEN] in rows
    assert ["女职工健康筛查", "整期", "区县", "松桃", HIDDEN] in rows
    assert ["暑期勤工俭学", "本期", "区县", "松桃", 1.0] in rows


async def test_a_county_gets_its_own(
    database: Database, cipher: FieldCipher, clock: MovedClock, tasks: TaskBook, files: PrivateFiles
) -> None:
    await _registered(database, cipher, clock, "暑期勤工俭学")
    content = await _workbook(tasks, database, cipher, clock, files, BIJIANG)
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    assert book.sheet_names == ["总览", "报名", "会话"]
    rows = book.get_sheet_by_name("报名").to_python()
    assert [row[4] for row in rows if row[0] == "女职工健康筛查"] == [HIDDEN, HIDDEN, HIDDEN]
    assert not [row for row in rows if row[0] == "暑期勤工俭学"]


async def test_a_title_is_not_a_formula(
    database: Database, cipher: FieldCipher, clock: MovedClock, tasks: TaskBook, files: PrivateFiles
) -> None:
    title = '=HYPERLINK("http://example.org","点我")'
    await _registered(database, cipher, clock, title)
    content = await _workbook(tasks, database, cipher, clock, files)
    rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_name("报名").to_python()
    assert title in {row[0] for row in rows}
    with ZipFile(BytesIO(content)) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
    assert not any(b"<f>" in sheet for sheet in sheets)


def test_whoever_wrote_no_county_is_named_as_such() -> None:
    assert [county_name(code) for code in (SONGTAO, "", "别处")] == ["松桃", NOT_WRITTEN, "别处"]

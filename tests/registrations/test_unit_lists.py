"""Lists that a unit hands in: every fault of every line, then stored once, whoever is there already only named."""

import asyncio
import csv
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from io import BytesIO, StringIO

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from bot.dialogue.catalog import Slot
from bot.dialogue.events import Option
from bot.programmes.models import Choice, ProgrammeKind
from bot.programmes.service import ProgrammeService
from bot.registrations.answers import AnswerSheet
from bot.registrations.errors import ListIsOver, UnknownUnitList
from bot.registrations.filters import Filter
from bot.registrations.listing import RegistrationList
from bot.registrations.notices import NoticeBook
from bot.registrations.places import RowPlaceLock
from bot.registrations.records import RegistrationRecords
from bot.registrations.review import ReviewService
from bot.registrations.sealing import Sealer
from bot.registrations.service import RegistrationService
from bot.registrations.sheets import Sheet, read_sheet
from bot.registrations.statuses import Status
from bot.registrations.unit_lists import Authority, ListState, ListView, UnitLists, Upload
from bot.registrations.unit_reading import LineOutcome, ListReading
from bot.registrations.unit_template import template_of
from bot.registrations.unit_work import KIND, UnitListTask
from bot.staff.audit import AuditTrail
from bot.staff.tasks.models import TaskState
from bot.storage.encryption import FieldCipher
from bot.storage.files import FileMissing, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem
from tests.registrations.factories import (
    Stage,
    application,
    by_staff,
    number,
    receipt_of,
    stage_screening,
    stage_work_study,
)
from tests.registrations.running import Worker

SLOTS = {
    "hs_category": Slot(
        "hs_category", "categorical", "职工类别", options=(Option("outdoor", "环卫等户外劳动者", ("环卫",)),)
    ),
    "hs_employer": Slot("hs_employer", label="工作单位"),
}
HEAD = ("姓名", "证件号码", "手机号", "区县", "点位", "日期", "开始时间", "职工类别", "筛查项目")
ITEMS = {"items": (Choice("breast", "乳腺超声"), Choice("cervical", "宫颈筛查"))}


@pytest.fixture
def sheet() -> AnswerSheet:
    return AnswerSheet(SLOTS)


@pytest.fixture
def lists(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    audit: AuditTrail,
    files: PrivateFiles,
    sheet: AnswerSheet,
) -> UnitLists:
    return UnitLists(database, cipher, clock, audit=audit, files=files, sheet=sheet)


@pytest.fixture
def task(
    database: Database, cipher: FieldCipher, clock: MovedClock, files: PrivateFiles, sheet: AnswerSheet
) -> UnitListTask:
    reading = ListReading(Sealer(cipher), clock, sheet)
    return UnitListTask(database, cipher, clock, RowPlaceLock(), files=files, reading=reading)


@pytest.fixture
def worker(
    database: Database, cipher: FieldCipher, clock: MovedClock, audit: AuditTrail, files: PrivateFiles
) -> Worker:
    return Worker(database, cipher, clock, audit, files)


def line(serial: int, **changes: object) -> list[object]:
    """A line that is in order."""
    values: dict[str, object] = {
        "姓名": "杨小芳",
        "证件号码": number(serial),
        "手机号": f"1390000{serial:04d}",
        "区县": "松桃",
        "点位": "县妇幼",
        "日期": date(2026, 6, 20),
        "开始时间": time(8),
        "职工类别": "环卫",
        "筛查项目": "乳腺超声，宫颈筛查",
    }
    return list((values | changes).values())


def workbook(*lines: Sequence[object], head: Sequence[str] = HEAD) -> bytes:
    """An Excel file with these lines."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd"}) as book:
        table = book.add_worksheet()
        table.write_row(0, 0, head)
        for place, cells in enumerate(lines, 1):
            table.write_row(place, 0, cells)
    return file.getvalue()


def comma_separated(*lines: Sequence[object], encoding: str) -> bytes:
    text = StringIO()
    csv.writer(text).writerows([HEAD, *lines])
    return text.getvalue().encode(encoding)


def upload(data: bytes, *, key: str = "key-1", name: str = "名单.xlsx", programme: str = "screening") -> Upload:
    return Upload(
        programme_id=programme,
        unit="碧江区环卫所",
        authority=Authority.SIGNED,
        file_name=name,
        data=data,
        by="liu",
        source="10.0.0.1",
        key=key,
    )


async def checked(lists: UnitLists, data: bytes, *, key: str = "key-1", name: str = "名单.xlsx") -> ListView:
    found = await lists.check(upload(data, key=key, name=name))
    assert isinstance(found, ListView), found
    return found


async def stored(
    lists: UnitLists, worker: Worker, task: UnitListTask, data: bytes, *, key: str = "key-1"
) -> ListView:
    found = await checked(lists, data, key=key)
    await lists.begin(found.id, by="liu", source="")
    done = await worker.run(KIND, task, {"list": found.id})
    assert done.state is TaskState.DONE, done.message
    return await lists.get(found.id)


async def stage(programmes: ProgrammeService, *capacities: int) -> Stage:
    return await stage_screening(programmes, *capacities, choices=ITEMS)


@pytest.mark.parametrize("kind", ["xlsx", "utf-8-sig", "gb18030"])
async def test_a_list_is_checked_and_stored_as_pending_with_places(
    programmes: ProgrammeService,
    lists: UnitLists,
    worker: Worker,
    task: UnitListTask,
    records: RegistrationRecords,
    database: Database,
    clock: MovedClock,
    files: PrivateFiles,
    kind: str,
) -> None:
    await stage(programmes, 1, 5)
    people = [line(1), line(2), line(3, 开始时间="10:00-11:00", 日期="6月20日", 区县="德江县")]
    if kind == "xlsx":
        found = await checked(lists, workbook(*people))
    else:
        plain = [[str(cell) for cell in cells] for cells in people]
        found = await checked(lists, comma_separated(*plain, encoding=kind), name="名单.csv")
    assert found.counts == {LineOutcome.READY: 3}
    await lists.begin(found.id, by="liu", source="")
    done = await worker.run(KIND, task, {"list": found.id})
    assert done.summary == {"list": found.id, "ready": 0, "faulty": 0, "already": 0, "stored": 3, "refused": 0}
    kept = await lists.lines(found.id)
    views = [await records.get(one.receipt or "") for one in kept]
    assert [view.status for view in views] == [Status.PENDING, Status.WAITLISTED, Status.PENDING]
    assert [view.county for view in views] == ["520628", "520628", "520626"]
    assert {(view.relation, view.openid) for view in views} == {("union", f"unit:{found.id}")}
    [first, *_] = await records.history(views[0].receipt)
    assert (first.reason, first.actor_id, first.note) == ("registered_by_unit", "liu", f"list {found.id}: signed")
    [listed] = (await RegistrationList(database, clock).page(Filter(county="520626"))).lines
    assert (listed.by_unit, listed.category) == (True, "outdoor")
    finished = await lists.get(found.id)
    assert (finished.state, finished.finished_at) == (ListState.DONE, clock.now())
    assert await files.older_than(datetime.max.replace(tzinfo=clock.now().tzinfo)) == []


async def test_every_faulty_line_is_named_with_all_its_columns_and_reasons(
    programmes: ProgrammeService, lists: UnitLists
) -> None:
    await stage(programmes, 5)
    wrong_digit = number(2)[:-1] + ("1" if number(2)[-1] != "1" else "2")
    found = await checked(
        lists,
        workbook(
            line(1),
            line(2, 姓名="", 证件号码=wrong_digit, 手机号="1390000"),
            line(3, 区县="贵阳", 点位="省医院"),
            line(4, 日期=date(2026, 6, 21)),
            line(5, 开始时间="9点半"),
            line(6, 开始时间="09:30", 职工类别="外星人", 筛查项目="头发"),
            line(1),
            line(8, 证件号码=520602199003079980),
            ["", "", ""],
            line(10, 证件号码="520602201512310028"),
        ),
    )
    assert found.counts == {LineOutcome.READY: 1, LineOutcome.FAULTY: 8}
    faulty = await lists.lines(found.id, outcome=LineOutcome.FAULTY)
    told = {one.number: [(column, problem.code) for column, problem in one.problems] for one in faulty}
    assert told[3] == [
        ("姓名", "unit_list.empty"),
        ("证件号码", "identity.check_digit"),
        ("手机号", "mobile.too_short"),
    ]
    assert told[4] == [("区县", "county.unknown"), ("点位", "unit_list.no_such_site")]
    assert told[5] == [("日期", "unit_list.no_such_day")]
    assert told[6] == [("开始时间", "unit_list.not_a_time")]
    assert told[7] == [
        ("职工类别", "unit_list.not_an_option"),
        ("筛查项目", "unit_list.not_an_option"),
        ("开始时间", "unit_list.no_such_time"),
    ]
    assert told[8] == [("证件号码", "unit_list.twice")]
    assert told[9] == [("证件号码", "unit_list.digits_lost")]
    assert [one.number for one in await lists.lines(found.id, outcome=LineOutcome.FAULTY, after=8)] == [9, 11]
    assert told[11][0][0] == "证件号码"


async def test_hints_are_shown_and_hold_nobody_up(programmes: ProgrammeService, lists: UnitLists) -> None:
    await stage(programmes, 5)
    young = number(1, born=date(2000, 1, 1))
    found = await checked(lists, workbook(line(1, 证件号码=young)))
    [one] = await lists.lines(found.id)
    assert one.outcome is LineOutcome.READY
    assert [problem.code for _, problem in one.problems] == ["finding.age.too_young"]


async def test_who_is_there_already_is_named_and_not_doubled(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    lists: UnitLists,
    worker: Worker,
    task: UnitListTask,
    listing_total: "Total",
) -> None:
    made = await stage(programmes, 9)
    receipt = receipt_of(await registrations.submit(application(1, made.programme, slot_id=made.slots[0].id)))
    first = await stored(lists, worker, task, workbook(line(1), line(2)))
    assert first.counts == {LineOutcome.ALREADY: 1, LineOutcome.STORED: 1}
    [already] = await lists.lines(first.id, outcome=LineOutcome.ALREADY)
    assert (already.number, already.receipt) == (2, receipt)
    again = await stored(lists, worker, task, workbook(line(1), line(2), line(3)), key="key-2")
    assert again.counts == {LineOutcome.ALREADY: 2, LineOutcome.STORED: 1}
    assert await listing_total() == 3


class Total:
    def __init__(self, listing: RegistrationList) -> None:
        self._listing = listing

    async def __call__(self) -> int:
        return len((await self._listing.page(Filter())).lines)


@pytest.fixture
def listing_total(database: Database, clock: MovedClock) -> Total:
    return Total(RegistrationList(database, clock))


async def test_who_registers_between_the_check_and_the_storing_is_not_doubled(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    lists: UnitLists,
    worker: Worker,
    task: UnitListTask,
) -> None:
    made = await stage(programmes, 9)
    found = await checked(lists, workbook(line(1), line(2)))
    receipt = receipt_of(await registrations.submit(application(2, made.programme, slot_id=made.slots[0].id)))
    await lists.begin(found.id, by="liu", source="")
    await worker.run(KIND, task, {"list": found.id})
    kept = await lists.lines(found.id)
    assert [(one.outcome, one.receipt == receipt) for one in kept] == [
        (LineOutcome.STORED, False),
        (LineOutcome.ALREADY, True),
    ]


async def test_a_worker_that_dies_in_the_middle_leaves_nobody_out_and_nobody_twice(
    programmes: ProgrammeService,
    lists: UnitLists,
    worker: Worker,
    task: UnitListTask,
    listing_total: Total,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await stage(programmes, 9)
    found = await checked(lists, workbook(*(line(serial) for serial in range(1, 5))))
    await lists.begin(found.id, by="liu", source="")
    original = UnitListTask._became

    async def dying(self: UnitListTask, *arguments: object) -> object:
        # The registration is stored; what became of the line is not noted any more.
        if arguments[1].number == 3:  # type: ignore[attr-defined]
            raise asyncio.CancelledError
        return await original(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(UnitListTask, "_became", dying)
        await worker.run(KIND, task, {"list": found.id})
    assert await listing_total() == 2
    await worker.run(KIND, task, {"list": found.id})
    assert await listing_total() == 4
    assert (await lists.get(found.id)).counts == {LineOutcome.STORED: 4}


async def test_what_finds_no_place_is_refused_by_line(
    programmes: ProgrammeService, lists: UnitLists, worker: Worker, task: UnitListTask
) -> None:
    await stage_screening(programmes, 1, choices=ITEMS, waitlist_size=0)
    found = await stored(lists, worker, task, workbook(line(1), line(2)))
    [refused] = await lists.lines(found.id, outcome=LineOutcome.REFUSED)
    assert (refused.number, refused.problems[0][1].code) == (3, "unit_list.full")


async def test_a_list_is_stored_or_given_up_once(
    programmes: ProgrammeService,
    lists: UnitLists,
    worker: Worker,
    task: UnitListTask,
    audit: AuditTrail,
    files: PrivateFiles,
) -> None:
    await stage(programmes, 5)
    found = await checked(lists, workbook(line(1)))
    assert (await checked(lists, workbook(line(1)))).id == found.id
    withdrawn = await lists.withdraw(found.id, by="liu", source="")
    assert withdrawn.state is ListState.WITHDRAWN
    with pytest.raises(ListIsOver):
        await lists.begin(found.id, by="liu", source="")
    done = await stored(lists, worker, task, workbook(line(1)), key="key-2")
    for call in (lists.withdraw, lists.begin):
        with pytest.raises(ListIsOver):
            await call(done.id, by="liu", source="")
    assert [view.id for view in await lists.latest()] == [done.id, found.id]
    assert [view.id for view in await lists.latest(before=done.id)] == [found.id]
    with pytest.raises(UnknownUnitList):
        await lists.get(99)
    steps = [event.record.action for event in await audit.events(object_kind="unit_list")]
    assert steps == [f"registrations:unit_list:{step}" for step in ("store", "check", "withdraw", "check")]
    with pytest.raises(FileMissing):
        await files.read("0" * 32)


async def test_a_registration_without_a_follower_is_announced_to_nobody(
    programmes: ProgrammeService,
    lists: UnitLists,
    worker: Worker,
    task: UnitListTask,
    review: ReviewService,
    database: Database,
    clock: MovedClock,
) -> None:
    await stage(programmes, 5)
    found = await stored(lists, worker, task, workbook(line(1)))
    [one] = await lists.lines(found.id)
    await review.approve(by_staff(one.receipt or "", "qualified"))
    assert await NoticeBook(database, clock).lease_due() == ()


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.csv", "sheet.empty"),
        (b"\xd0\xcf\x11\xe0" + b"0" * 100, "a.xls", "sheet.old_or_locked"),
        (b"PK\x03\x04 nothing", "a.xlsx", "sheet.unreadable"),
        (b"plain text", "a.xlsx", "sheet.unreadable"),
        (b"\x00\x01\x02", "a.csv", "sheet.unreadable"),
        (b"a,b\n\xff\xff\xff", "a.csv", "sheet.encoding"),
        ("姓名,手机号\n".encode(), "a.csv", "sheet.no_lines"),
        ("请把我们单位的人报上".encode(), "名单.txt", "sheet.no_table"),
        (("姓名\n" + "杨小芳\n" * 5_001).encode(), "a.csv", "sheet.too_many_lines"),
        ((",".join(f"列{n}" for n in range(61)) + "\n1\n").encode(), "a.csv", "sheet.too_many_columns"),
    ],
)
def test_a_file_that_is_no_table_is_told_what_to_do(data: bytes, name: str, code: str) -> None:
    problem = read_sheet(data, name)
    assert isinstance(problem, Problem)
    assert problem.code == code


def test_a_file_that_would_swell_is_not_unpacked() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (101 * 1024 * 1024))
    problem = read_sheet(file.getvalue(), "a.xlsx")
    assert problem == Problem("sheet.too_large")


@pytest.mark.parametrize(
    ("head", "code", "fields"),
    [
        (("姓名", "手机号"), "unit_list.titles_missing", {"titles": "证件号码、区县、点位、日期、开始时间"}),
        ((*HEAD, "血型"), "unit_list.titles_unknown", {"titles": "血型"}),
        ((*HEAD, "电话"), "unit_list.title_twice", {"title": "电话"}),
    ],
)
async def test_titles_that_do_not_fit_are_named(
    programmes: ProgrammeService, lists: UnitLists, head: Sequence[str], code: str, fields: dict[str, str]
) -> None:
    await stage(programmes, 5)
    problem = await lists.check(upload(workbook(line(1), head=head)))
    assert problem == Problem(code, fields)


async def test_a_unit_has_a_name(programmes: ProgrammeService, lists: UnitLists) -> None:
    await stage(programmes, 5)
    given = upload(workbook(line(1)))
    problem = await lists.check(Upload(**{**{name: getattr(given, name) for name in given.__slots__}, "unit": " "}))
    assert isinstance(problem, Problem)
    assert problem.code == "unit_list.unit_length"


async def test_the_template_can_be_filled_in_and_read(programmes: ProgrammeService, sheet: AnswerSheet) -> None:
    made = await stage(programmes, 5)
    data = await template_of(made.programme, await programmes.sites("screening"), sheet)
    read = read_sheet(data, "模板.xlsx")
    assert read == Problem("sheet.no_lines")
    book = CalamineWorkbook.from_filelike(BytesIO(data))
    titles, *_ = book.get_sheet_by_index(0).to_python()
    assert set(HEAD) <= set(titles)
    guide = {row[0]: row for row in book.get_sheet_by_name("怎么填").to_python()}
    assert guide["点位"][3] == "县妇幼"
    assert guide["筛查项目"][3] == "乳腺超声、宫颈筛查"
    assert guide["职工类别"][3] == "环卫等户外劳动者"


async def test_students_are_registered_by_their_parents_unit(
    programmes: ProgrammeService,
    lists: UnitLists,
    worker: Worker,
    task: UnitListTask,
    records: RegistrationRecords,
) -> None:
    await stage_work_study(programmes, {"520628": 3})
    head = ("学生姓名", "身份证号", "电话", "意向区县", "学校", "家长姓名")
    student = ["杨小妹", number(1, born=date(2006, 1, 1)), "13900000001", "松桃", "铜仁学院", "杨大山"]
    child = ["杨小小", number(2, born=date(2011, 1, 1)), "13900000002", "松桃", "民中", "杨大山"]
    found = await lists.check(upload(workbook(student, child, head=head), programme="work-study"))
    assert isinstance(found, ListView)
    assert found.counts == {LineOutcome.READY: 1, LineOutcome.FAULTY: 1}
    [faulty] = await lists.lines(found.id, outcome=LineOutcome.FAULTY)
    assert [problem.code for _, problem in faulty.problems] == ["finding.minor.under_16"]
    await lists.begin(found.id, by="liu", source="")
    await worker.run(KIND, task, {"list": found.id})
    [one] = await lists.lines(found.id, outcome=LineOutcome.STORED)
    view = await records.get(one.receipt or "")
    assert (view.kind, view.status) == (ProgrammeKind.WORK_STUDY, Status.PENDING)


def test_cells_are_read_as_people_see_them() -> None:
    cells = [1.5, 12, time(8, 30), datetime(2026, 6, 20), True]  # noqa: DTZ001 - Cells of Excel know no zone.
    read = read_sheet(workbook(cells, head=["数", "整", "时", "日", "真"]), "a.xlsx")
    assert isinstance(read, Sheet)
    assert [cell.text for cell in read.lines[0].cells] == ["1.5", "12", "08:30", "2026-06-20", "是"]
    lost = read_sheet("号\n5.20602E+17\n".encode(), "a.csv")
    assert isinstance(lost, Sheet)
    assert lost.lines[0].cells[0].is_cut

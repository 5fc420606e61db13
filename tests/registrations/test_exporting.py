"""Lists as workbooks: the chosen columns, masked unless permitted, marked with who and when, and in the trail."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from bot.dialogue.catalog import Slot
from bot.dialogue.events import Option
from bot.programmes.service import ProgrammeService
from bot.registrations import exporting
from bot.registrations.answers import AnswerSheet
from bot.registrations.export_columns import CellWriter, columns_of
from bot.registrations.exporting import KIND, ExportOrder, ExportTask
from bot.registrations.filters import Filter
from bot.registrations.listing import RegistrationList
from bot.registrations.sealing import Sealer
from bot.registrations.searching import Search, SearchKey
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.staff.audit import AuditTrail
from bot.staff.tasks.models import TaskState, TaskView
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import application, number, receipt_of, stage_screening
from tests.registrations.running import Worker

SLOTS: Mapping[str, Slot] = {
    "hs_needs": Slot("hs_needs", "list", "需要的帮助", options=(Option("miao", "苗语"),)),
    "ws_parent_name": Slot("ws_parent_name", label="家长姓名", validator="person_name"),
}
ALL = ("receipt", "name", "id_number", "phone", "day", "time", "site", "hs_needs", "ws_parent_name")


class Exporter:
    """Exports as a member of staff would, and reads what came out."""

    def __init__(self, worker: Worker, task: ExportTask, search: Search) -> None:
        self._worker = worker
        self._task = task
        self._search = search

    async def run(self, order: ExportOrder) -> TaskView:
        return await self._worker.run(KIND, self._task, order.params(self._search))

    async def rows(self, order: ExportOrder) -> tuple[str, list[list[str]]]:
        """Return the mark in the first line, and the table below it."""
        done = await self.run(order)
        assert done.state is TaskState.DONE, done.message
        _, file = await self._worker.book.fetch(done.id, owner="liu")
        table = CalamineWorkbook.from_filelike(BytesIO(file.data)).get_sheet_by_index(0).to_python()
        [mark, *rest] = [[str(cell) for cell in row] for row in table]
        return mark[0], rest


@pytest.fixture
def search(cipher: FieldCipher) -> Search:
    return Search(cipher)


@pytest.fixture
def exporter(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    audit: AuditTrail,
    files: PrivateFiles,
    search: Search,
    tmp_path: Path,
) -> Exporter:
    writer = CellWriter(Sealer(cipher), AnswerSheet(SLOTS), lambda code, kind: f"{kind}:{code}" if code else "")
    task = ExportTask(
        database,
        clock,
        listing=RegistrationList(database, clock),
        search=search,
        writer=writer,
        files=files,
        audit=audit,
        scratch=tmp_path / "scratch",
        rows_max=8,
    )
    return Exporter(Worker(database, cipher, clock, audit, files), task, search)


async def applied(
    registrations: RegistrationService, programmes: ProgrammeService, names: Sequence[str]
) -> list[str]:
    stage = await stage_screening(programmes, 20)
    answers = {"hs_needs": ["miao"], "ws_parent_name": "杨大山"}
    return [
        receipt_of(
            await registrations.submit(
                application(serial, stage.programme, slot_id=stage.slots[0].id, name=name, answers=answers)
            )
        )
        for serial, name in enumerate(names, 1)
    ]


async def test_the_chosen_columns_are_written_masked_with_a_mark(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    exporter: Exporter,
    audit: AuditTrail,
    tmp_path: Path,
) -> None:
    receipts = await applied(registrations, programmes, ["杨小芳", "张芳"])
    mark, [head, *rows] = await exporter.rows(ExportOrder(wanted=Filter(), columns=ALL, source="10.0.0.1"))
    assert mark == "liu 2026-06-15 10:00 导出，仅供工会办理使用，请勿外传"
    assert head == ["受理号", "姓名", "证件号码", "手机号", "日期", "时段", "点位", "需要的帮助", "家长姓名"]
    assert rows[0] == [
        receipts[1],
        "张*",
        f"520*************{number(2)[-2:]}".replace("520", number(2)[:3]),
        "138****0000",
        "2026-06-20",
        "08:00-09:00",
        "县妇幼",
        "苗语",
        "••••",
    ]
    assert [row[0] for row in rows] == receipts[::-1]
    [event] = await audit.events(action="registrations:application:export")
    assert (event.record.actor, event.record.reason, event.record.source) == ("liu", "2 rows;masked;", "10.0.0.1")
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_an_open_export_holds_plain_values_and_says_why(
    programmes: ProgrammeService, registrations: RegistrationService, exporter: Exporter, audit: AuditTrail
) -> None:
    await applied(registrations, programmes, ["杨小芳"])
    order = ExportOrder(wanted=Filter(), columns=ALL, open_=True, reason="给保险公司投保")
    _, [_, row] = await exporter.rows(order)
    assert row[1:4] == ["杨小芳", number(1), "13800000000"]
    assert row[-1] == "杨大山"
    [event] = await audit.events(action="registrations:application:export")
    assert event.record.reason == "1 rows;open;给保险公司投保"


async def test_it_holds_what_the_list_holds(
    programmes: ProgrammeService,
    registrations: RegistrationService,
    exporter: Exporter,
    search: Search,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "BATCH_ROWS", 2)
    receipts = await applied(registrations, programmes, ["杨小芳", "张芳", "张芳", "张芳", "张芳"])
    key = search.read("张芳", clock.now().date())
    assert isinstance(key, SearchKey)
    _, [_, *rows] = await exporter.rows(ExportOrder(wanted=Filter(), columns=["receipt"], key=key))
    assert [row[0] for row in rows] == receipts[:0:-1]
    _, [_, *rows] = await exporter.rows(ExportOrder(wanted=Filter(status=Status.APPROVED), columns=["receipt"]))
    assert len(rows) == 5


async def test_a_name_that_looks_like_a_formula_stays_a_text(
    programmes: ProgrammeService, registrations: RegistrationService, exporter: Exporter
) -> None:
    await applied(registrations, programmes, ["=1+1", "http://example.org", "<script>"])
    order = ExportOrder(wanted=Filter(), columns=["name"], open_=True, reason="核对")
    _, [_, *rows] = await exporter.rows(order)
    assert [row[0] for row in rows] == ["<script>", "http://example.org", "=1+1"]


async def test_nothing_and_too_much_are_told(
    programmes: ProgrammeService, registrations: RegistrationService, exporter: Exporter
) -> None:
    done = await exporter.run(ExportOrder(wanted=Filter(), columns=["receipt"]))
    assert (done.state, done.message) == (TaskState.FAILED, "registration.nothing_to_export")
    await applied(registrations, programmes, ["杨小芳"] * 9)
    done = await exporter.run(ExportOrder(wanted=Filter(), columns=["receipt"]))
    assert (done.message, done.message_fields) == ("registration.export_too_large", {"rows": 9, "most": 8})


def test_columns_know_which_are_personal() -> None:
    personal = {column.code for column in columns_of(AnswerSheet(SLOTS)) if column.is_personal}
    assert {"name", "id_number", "phone", "ws_parent_name", "ws_hardship"} <= personal
    assert "hs_needs" not in personal
    assert len({column.code for column in columns_of(AnswerSheet(SLOTS))}) == len(columns_of(AnswerSheet(SLOTS)))

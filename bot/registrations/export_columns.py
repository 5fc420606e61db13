"""The columns that an export can have, and what stands in each cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.programmes.snapshots import JsonValue
from bot.registrations.answers import HIDDEN, AnswerSheet
from bot.registrations.listing import Listed
from bot.registrations.models import Registration
from bot.registrations.sealing import Sealer
from bot.values.counties import County

ANSWERS: tuple[str, ...] = (
    "hs_employer",
    "hs_items",
    "hs_second_time",
    "hs_needs",
    "ws_student_school",
    "ws_student_stage",
    "ws_student_grade",
    "ws_student_major",
    "ws_parent_name",
    "ws_parent_mobile",
    "ws_parent_employer",
    "ws_hardship",
    "ws_archive_number",
    "ws_available",
    "ws_skills",
    "ws_adjust",
)
"""The answers that can be exported; what somebody told of their hardship in own words is read one by one."""

Label = Callable[[str | None, str], str]
"""Gives what a code of a kind is called."""


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column to choose. A personal one is masked unless the export is an open one."""

    code: str
    title: str
    is_personal: bool = False


PLAIN: tuple[ExportColumn, ...] = (
    ExportColumn("receipt", "受理号"),
    ExportColumn("programme", "活动"),
    ExportColumn("status", "状态"),
    ExportColumn("name", "姓名", is_personal=True),
    ExportColumn("id_number", "证件号码", is_personal=True),
    ExportColumn("phone", "手机号", is_personal=True),
    ExportColumn("county", "区县"),
    ExportColumn("category", "职工类别"),
    ExportColumn("day", "日期"),
    ExportColumn("time", "时段"),
    ExportColumn("site", "点位"),
    ExportColumn("post", "岗位"),
    ExportColumn("priority", "优先分"),
    ExportColumn("marks", "提示"),
    ExportColumn("by_unit", "单位代报"),
    ExportColumn("checked_in", "到场时间"),
    ExportColumn("returned_until", "补交截止"),
    ExportColumn("created", "报名时间"),
    ExportColumn("updated", "更新时间"),
)
USUAL: tuple[str, ...] = ("receipt", "status", "name", "phone", "county", "category", "day", "time", "site", "post")
"""What is ticked at first."""


def columns_of(sheet: AnswerSheet) -> tuple[ExportColumn, ...]:
    """Return every column there is to choose from, in the order of the file."""
    answers = (ExportColumn(name, sheet.label(name), is_personal=not sheet.is_open(name)) for name in ANSWERS)
    return (*PLAIN, *answers)


@dataclass(frozen=True, slots=True)
class CellWriter:
    """Puts a registration into cells, all of them text."""

    sealer: Sealer
    sheet: AnswerSheet
    label: Label

    def cells(self, row: Registration, line: Listed, columns: Sequence[ExportColumn], *, open_: bool) -> list[str]:
        """Return the cells of one registration; raises SealBroken."""
        needs_answers = any(column.code in ANSWERS for column in columns)
        answers = self.sealer.open_answers(row) if needs_answers else {}
        return [self._cell(row, line, answers, column, open_=open_) for column in columns]

    def _cell(
        self, row: Registration, line: Listed, answers: Mapping[str, JsonValue], column: ExportColumn, *, open_: bool
    ) -> str:
        if column.code in ANSWERS:
            value = answers.get(column.code)
            if value in (None, "", [], {}):
                return ""
            return HIDDEN if column.is_personal and not open_ else self.sheet.text(column.code, value, line.choices)
        if column.is_personal and open_:
            return self.sealer.open_field(row, column.code) or ""
        return self._plain(row, line, column.code)

    def _plain(self, row: Registration, line: Listed, code: str) -> str:
        slot = line.slot
        values: Mapping[str, str] = {
            "receipt": line.receipt,
            "programme": line.programme_title,
            "status": self.label(line.status.value, "registration_status"),
            "name": line.name_masked,
            "id_number": row.id_number_masked,
            "phone": line.phone_masked,
            "county": _county(line.county),
            "category": self.label(line.category, "worker_category"),
            "day": "" if slot is None else slot.day.isoformat(),
            "time": "" if slot is None else f"{slot.start:%H:%M}-{slot.end:%H:%M}",
            "site": "" if line.site is None else line.site.name,
            "post": "" if line.post is None else f"{line.post.unit} {line.post.title}",
            "priority": str(line.priority),
            "marks": "、".join(self.label(mark.value, "registration_mark") for mark in line.marks),
            "by_unit": "是" if line.by_unit else "",
            "checked_in": _moment(row.checked_in_at),
            "returned_until": _moment(line.returned_until),
            "created": _moment(line.created_at),
            "updated": _moment(line.updated_at),
        }
        return values[code]


def _moment(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def _county(code: str | None) -> str:
    try:
        return County.by_code(code or "").short
    except ValueError:
        return code or ""

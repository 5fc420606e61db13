"""The columns of a unit's list: their titles, which are needed, and how each cell is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time

from bot.programmes.models import ProgrammeKind
from bot.registrations.answers import AnswerSheet
from bot.registrations.sheets import Cell
from bot.values.counties import County, parse_county
from bot.values.dates import parse_date
from bot.values.documents import Document, DocumentKind, parse_document, parse_document_kind
from bot.values.names import parse_name
from bot.values.phones import parse_phone
from bot.values.problem import Problem
from bot.values.texts import parse_free_text

ANSWER_MAX_CHARS = 60
_SCREENING, _WORK_STUDY = ProgrammeKind.HEALTH_SCREENING, ProgrammeKind.WORK_STUDY


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``aliases`` are titles that people write instead; ``example`` stands in the template's guide."""

    code: str
    title: str
    needed: bool
    kinds: tuple[ProgrammeKind, ...]
    example: str
    aliases: tuple[str, ...] = ()


_BOTH = (_SCREENING, _WORK_STUDY)
COLUMNS: tuple[Column, ...] = (
    Column("name", "姓名", True, _BOTH, "杨小芳", ("学生姓名", "职工姓名", "名字")),
    Column("document", "证件类型", False, _BOTH, "居民身份证（不填就按身份证）", ("证件种类",)),
    Column(
        "id_number", "证件号码", True, _BOTH, "整列设为“文本”再填", ("身份证号", "身份证号码", "证件号", "学生证件号")
    ),
    Column("phone", "手机号", True, _BOTH, "13800000000", ("手机", "手机号码", "联系电话", "电话", "学生手机")),
    Column("county", "区县", True, _BOTH, "松桃", ("工作所在区县", "所在区县", "意向区县")),
    Column("hs_employer", "工作单位", False, (_SCREENING,), "××环卫所", ("单位", "工作单位全称")),
    Column("hs_category", "职工类别", False, (_SCREENING,), "环卫等户外劳动者", ("类别",)),
    Column("hs_items", "筛查项目", False, (_SCREENING,), "乳腺超声、宫颈筛查", ("项目",)),
    Column("site", "点位", True, (_SCREENING,), "和活动里的点位名称一致", ("医院", "筛查点位", "体检医院")),
    Column("day", "日期", True, (_SCREENING,), "2026-06-20", ("筛查日期", "预约日期")),
    Column("start", "开始时间", True, (_SCREENING,), "08:30", ("时间", "时段", "开始")),
    Column("ws_student_school", "学校", False, (_WORK_STUDY,), "铜仁学院", ("学校全称",)),
    Column("ws_student_grade", "年级", False, (_WORK_STUDY,), "大二"),
    Column("ws_student_major", "专业", False, (_WORK_STUDY,), "护理"),
    Column("ws_parent_name", "家长姓名", False, (_WORK_STUDY,), "杨大山", ("家长",)),
    Column("ws_parent_employer", "家长单位", False, (_WORK_STUDY,), "××公司"),
    Column("ws_parent_category", "职工类别", False, (_WORK_STUDY,), "农民工", ("家长类别",)),
)


def columns_for(kind: ProgrammeKind) -> tuple[Column, ...]:
    """Return the columns that a list for such a programme has, in the order of its template."""
    return tuple(column for column in COLUMNS if kind in column.kinds)


def places_of(titles: Sequence[str], kind: ProgrammeKind) -> Mapping[str, int] | Problem:
    """Return where each column stands, by its code; a Problem names what is missing, unknown or there twice."""
    by_title = {
        _plain(title): column.code for column in columns_for(kind) for title in (column.title, *column.aliases)
    }
    found: dict[str, int] = {}
    unknown: list[str] = []
    for place, title in enumerate(titles):
        code = by_title.get(_plain(title))
        if code is None:
            unknown += [title] if title else []
        elif code in found:
            return Problem("unit_list.title_twice", {"title": title})
        else:
            found[code] = place
    missing = [column.title for column in columns_for(kind) if column.needed and column.code not in found]
    if missing:
        return Problem("unit_list.titles_missing", {"titles": "、".join(missing)})
    if unknown:
        return Problem("unit_list.titles_unknown", {"titles": "、".join(unknown)})
    return found


Value = str | list[str] | date | time | Document | County


class CellReader:
    """Reads single cells; ``sheet`` knows the options of answers, ``items`` are the programme's own."""

    def __init__(self, sheet: AnswerSheet, items: Mapping[str, str], today: date) -> None:
        self._sheet = sheet
        self._items = {_plain(label): code for code, label in items.items()}
        self._today = today
        self._own: Mapping[str, Callable[[Cell], Value | Problem]] = {
            "name": self._name,
            "phone": self._phone,
            "county": lambda cell: parse_county(cell.text),
            "day": lambda cell: parse_date(cell.text, today),
            "start": _start,
            "hs_items": self._chosen_items,
            "ws_parent_name": self._name,
        }

    def read(self, code: str, cell: Cell, *, document: Cell = Cell()) -> Value | Problem:  # noqa: B008 - Frozen.
        """Return what the cell means; ``document`` is the cell that says what kind of number an ``id_number`` is."""
        if cell.is_cut:
            return Problem("unit_list.digits_lost")
        if code == "id_number":
            return self._document(cell, document)
        own = self._own.get(code)
        if own is not None:
            return own(cell)
        options = self._sheet.options(code)
        if options:
            return self._option(cell, options)
        return parse_free_text(cell.text, max_chars=ANSWER_MAX_CHARS)

    def _name(self, cell: Cell) -> str | Problem:
        name = parse_name(cell.text)
        return name if isinstance(name, Problem) else name.text

    def _phone(self, cell: Cell) -> str | Problem:
        phone = parse_phone(cell.text)
        return phone if isinstance(phone, Problem) else phone.text

    def _document(self, cell: Cell, document: Cell) -> Document | Problem:
        kind = parse_document_kind(document.text) if document.text else DocumentKind.IDENTITY_CARD
        return kind if isinstance(kind, Problem) else parse_document(cell.text, kind, self._today)

    def _chosen_items(self, cell: Cell) -> list[str] | Problem:
        names = [part for part in _parted(cell.text) if part]
        unknown = [name for name in names if _plain(name) not in self._items]
        if unknown:
            return Problem("unit_list.not_an_option", {"options": "、".join(self._labels())})
        return list(dict.fromkeys(self._items[_plain(name)] for name in names))

    def _labels(self) -> Sequence[str]:
        return list(self._items)

    def _option(self, cell: Cell, options: Mapping[str, Sequence[str]]) -> str | Problem:
        wanted = _plain(cell.text)
        for value, names in options.items():
            if wanted in {_plain(name) for name in (value, *names)}:
                return value
        labels = "、".join(names[0] for names in options.values())
        return Problem("unit_list.not_an_option", {"options": labels})


def _start(cell: Cell) -> time | Problem:
    text = cell.text.replace("：", ":").partition("-")[0].partition("—")[0].strip()
    parts = text.split(":")
    if len(parts) >= 2 and all(part.isdigit() for part in parts):
        try:
            return time(int(parts[0]), int(parts[1]))
        except ValueError:
            pass
    return Problem("unit_list.not_a_time")


def _parted(text: str) -> Sequence[str]:
    for mark in ",，;；/ ":
        text = text.replace(mark, "、")
    return [part.strip() for part in text.split("、")]


def _plain(title: str) -> str:
    return "".join(char for char in title.casefold() if char.isalnum())

"""Reading a table that somebody uploads, .xlsx or .csv: lines of cells, and what is wrong with the file itself.

A spreadsheet is not trusted: it is measured before it is unpacked, and a cell that lost digits is known as such.
"""

import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO

from python_calamine import CalamineError, CalamineWorkbook

from bot.registrations.sheet_extent import stray_corner
from bot.values.problem import Problem
from bot.values.texts import tidy

LINES_MAX = 5_000
COLUMNS_MAX = 60
UNPACKED_MAX_BYTES = 100 * 1024 * 1024
CELL_MAX_CHARS = 500
EXACT_BELOW = 10**15
"""Excel keeps fifteen digits of a number; a longer one has lost its end."""
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_WORKBOOK = "xl/workbook.xml"
_ENCODINGS = ("utf-8-sig", "gb18030")

CellValue = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell as text; ``is_cut`` says that Excel took a long number for a quantity and lost digits."""

    text: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line below the head; ``number`` is the one that Excel shows."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: titles, and every line that is not empty."""

    titles: tuple[str, ...]
    lines: tuple[Line, ...]


def read_sheet(data: bytes, file_name: str) -> Sheet | Problem:
    """Return the first sheet of a workbook, or a CSV file; a Problem says what to do about a file that is neither.

    It computes for up to some seconds: call it beside the event loop.
    """
    if not data:
        return Problem("sheet.empty")
    if data.startswith(_OLE):
        return Problem("sheet.old_or_locked")
    if data.startswith(_ZIP):
        return _checked(_workbook_rows(data))
    if file_name.lower().endswith((".xlsx", ".xls")) or b"\x00" in data[:4096]:
        return Problem("sheet.unreadable")
    if not file_name.lower().endswith(".csv"):
        return Problem("sheet.no_table")
    return _checked(_csv_rows(data))


def _workbook_rows(data: bytes) -> Sequence[Sequence[CellValue]] | Problem:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_MAX_BYTES:
                return Problem("sheet.too_large")
            if _WORKBOOK not in {name.lower() for name in archive.namelist()}:
                return Problem("sheet.unreadable")
            corner = stray_corner(archive)
            if corner is not None:
                return Problem("sheet.stray_cell", {"row": corner.row, "column": corner.column})
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, zlib.error, EOFError, IndexError, OSError, RuntimeError, ValueError):
        return Problem("sheet.unreadable")


def _csv_rows(data: bytes) -> Sequence[Sequence[CellValue]] | Problem:
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        separator = "\t" if "\t" in text.partition("\n")[0] else ","
        try:
            return list(csv.reader(StringIO(text, newline=""), delimiter=separator))
        except csv.Error:
            return Problem("sheet.unreadable")
    return Problem("sheet.encoding")


def _checked(rows: Sequence[Sequence[CellValue]] | Problem) -> Sheet | Problem:
    if isinstance(rows, Problem):
        return rows
    lines = list(_lines(rows))
    if not lines:
        return Problem("sheet.empty")
    head, *rest = lines
    titles = [cell.text for cell in head.cells]
    while titles and not titles[-1]:
        titles.pop()
    if len(titles) > COLUMNS_MAX:
        return Problem("sheet.too_many_columns", {"most": COLUMNS_MAX})
    if not rest:
        return Problem("sheet.no_lines")
    if len(rest) > LINES_MAX:
        return Problem("sheet.too_many_lines", {"most": LINES_MAX, "lines": len(rest)})
    return Sheet(tuple(titles), tuple(rest))


def _lines(rows: Sequence[Sequence[CellValue]]) -> Iterator[Line]:
    for number, row in enumerate(rows, 1):
        cells = tuple(_cell(value) for value in row[: COLUMNS_MAX + 1])
        if any(cell.text for cell in cells):
            yield Line(number, cells)


def _cell(value: CellValue) -> Cell:
    match value:
        case None:
            return Cell()
        case bool():
            return Cell("是" if value else "否")
        case int() | float():
            whole = int(value) if float(value).is_integer() else value
            return Cell(str(whole), is_cut=abs(value) >= EXACT_BELOW)
        case datetime():
            return Cell(value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes"))
        case date():
            return Cell(value.isoformat())
        case time():
            return Cell(f"{value:%H:%M}")
        case timedelta():
            minutes = int(value.total_seconds()) // 60
            return Cell(f"{minutes // 60:02d}:{minutes % 60:02d}")
        case str():
            text = tidy(value)[:CELL_MAX_CHARS]
            return Cell(text, is_cut=_is_scientific(text))


def _is_scientific(text: str) -> bool:
    # 5.22222E+17: a CSV that Excel wrote after it had taken the number for a quantity.
    head, mark, tail = text.upper().partition("E+")
    return bool(mark) and tail.isdigit() and head.replace(".", "", 1).isdigit()

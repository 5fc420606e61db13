"""Workbooks whose cells lie far apart, which a reader would lay out in more memory than there is."""

import zipfile
from io import BytesIO

import pytest
import xlsxwriter

from bot.registrations.sheet_extent import Corner, stray_corner
from bot.registrations.sheets import Sheet, read_sheet
from bot.values.problem import Problem

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


def workbook(*cells: tuple[int, int, str], blank_to: int = 0) -> bytes:
    """A workbook with these cells, and formatted cells without content in the first column down to a row."""
    file = BytesIO()
    with xlsxwriter.Workbook(file) as book:
        table = book.add_worksheet()
        shaded = book.add_format({"bg_color": "#eeeeee"})
        for row in range(blank_to):
            table.write_blank(row, 5, None, shaded)
        for row, column, text in cells:
            table.write_string(row - 1, column - 1, text)
    return file.getvalue()


def part(xml: str) -> zipfile.ZipFile:
    """An archive with one sheet, written by hand."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", xml)
    return zipfile.ZipFile(file)


@pytest.mark.parametrize("cell", [(LAST_ROW, LAST_COLUMN), (LAST_ROW, 3), (200, LAST_COLUMN)])
def test_a_stray_cell_is_named_before_the_sheet_is_laid_out(cell: tuple[int, int]) -> None:
    row, column = cell
    data = workbook((1, 1, "姓名"), (2, 1, "龙小芳"), (row, column, " "))
    assert read_sheet(data, "名单.xlsx") == Problem("sheet.stray_cell", {"row": row, "column": column})


def test_a_list_that_is_shaded_further_down_is_read() -> None:
    read = read_sheet(workbook((1, 1, "姓名"), (2, 1, "龙小芳"), blank_to=20_000), "名单.xlsx")
    assert isinstance(read, Sheet)
    assert [line.cells[0].text for line in read.lines] == ["龙小芳"]


@pytest.mark.parametrize(
    ("xml", "corner"),
    [
        ("<row r='1048576'><c><v>1</v></c><c r='XFD1048576'><v>2</v></c></row>", Corner(LAST_ROW, LAST_COLUMN)),
        ('<x:row r="1048576"><x:c/><x:c/><x:c><x:v>1</x:v></x:c></x:row>', Corner(LAST_ROW, 3)),
        ('<row><c t="s" r = "xfd200"><v>1</v></c></row>', Corner(200, LAST_COLUMN)),
        ('<row r="1048576"><c r="XFD1048576" s="1"/></row>', None),
        ("<row><c><v>1</v></c></row>" * 1_000, None),
    ],
)
def test_places_are_read_however_they_are_written(xml: str, corner: Corner | None) -> None:
    assert stray_corner(part(f"<worksheet><sheetData>{xml}</sheetData></worksheet>")) == corner


@pytest.mark.parametrize("before", range(1024 * 1024 - 60, 1024 * 1024, 7))
def test_a_tag_across_two_chunks_is_one(before: int) -> None:
    lead = "<worksheet>" + " " * (before - len("<worksheet>"))
    xml = f'{lead}<row r="1048576"><c r="XFD1048576" t="s"><v>1</v></c></row>'
    assert stray_corner(part(xml)) == Corner(LAST_ROW, LAST_COLUMN)


def test_another_kind_of_archive_is_no_workbook() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("content.xml", "<table:table-cell table:number-columns-repeated='9999999'/>")
    assert read_sheet(file.getvalue(), "名单.ods") == Problem("sheet.unreadable")

"""How far the cells of a workbook reach, measured before anything is laid out in memory.

A reader lays a sheet out as a rectangle. One stray cell in the last row and column makes that rectangle larger than
any memory, so the place of every cell that holds something is looked up in the file first.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

AREA_MAX = 2_000_000
"""Cells of the largest rectangle that is read: far more than the lines and columns of any list."""
_CHUNK_BYTES = 1024 * 1024
_TAG = re.compile(rb"<(?:\w+:)?(row|c)(\s[^<>]*?)?(/?)>")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)(\d{1,7})["']""")


@dataclass(frozen=True, slots=True)
class Corner:
    """The last row and the last column that hold something, both from one."""

    row: int
    column: int

    @property
    def area(self) -> int:
        return self.row * self.column


def stray_corner(archive: zipfile.ZipFile) -> Corner | None:
    """Return how far a part of the workbook reaches that is too large to be read, ``None`` when all are in order.

    Every part is looked at, whatever it is called: which of them is the first sheet is for the reader to say. Raises
    what ``zipfile`` raises for a broken archive.
    """
    for entry in archive.infolist():
        corner = Corner(0, 0)
        for row, column in _filled(_tags(archive, entry)):
            corner = Corner(max(corner.row, row), max(corner.column, column))
            if corner.area > AREA_MAX:
                return corner
    return None


def _filled(tags: Iterator[re.Match[bytes]]) -> Iterator[tuple[int, int]]:
    """Yield the place of each cell with something in it; one that does not say where it is follows the last one."""
    row = column = 0
    for tag in tags:
        kind, attributes, closing = tag.groups()
        place = _PLACE.search(attributes or b"")
        if kind == b"row":
            row, column = int(place[2]) if place else row + 1, 0
            continue
        column = _column(place[1]) if place and place[1] else column + 1
        row = int(place[2]) if place else row
        if not closing:
            yield row, column


def _tags(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[re.Match[bytes]]:
    left = b""
    with archive.open(entry) as part:
        while chunk := part.read(_CHUNK_BYTES):
            text = left + chunk
            whole = text.rfind(b"<")
            # A tag may go on in the next chunk; what is no tag for so long is not kept.
            left = text[whole:] if whole >= 0 and len(text) - whole < _CHUNK_BYTES else b""
            yield from _TAG.finditer(text, 0, len(text) - len(left))
    yield from _TAG.finditer(left)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number

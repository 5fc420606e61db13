"""What lies on a page of a PDF beside its own content: filled-in fields, stamps, signatures, remarks."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NullObject,
    NumberObject,
    PdfObject,
    StreamObject,
)

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in the page's own units."""

HIDDEN, NOT_SHOWN = 1 << 1, 1 << 5
UNSEEN = frozenset(("/Link", "/Popup"))
LARGEST = 1e7


@dataclass(frozen=True, slots=True)
class DrawnNote:
    """How one of them looks, and the matrix that puts it in its place."""

    appearance: PdfObject
    matrix: bytes


def drawn_notes(page: DictionaryObject) -> Iterator[DrawnNote]:
    """Give what is seen on the page; what has no look of its own or is hidden is left out."""
    notes = page.get("/Annots", NullObject()).get_object()
    for raw in list(notes) if isinstance(notes, ArrayObject) else []:
        note = raw.get_object()
        if isinstance(note, DictionaryObject) and _is_seen(note):
            drawn = _drawn(note)
            if drawn is not None:
                yield drawn


def numbers_of(value: PdfObject | None, count: int) -> tuple[float, ...] | None:
    """Return an array of ``count`` finite numbers; ``None`` for anything else."""
    found = None if value is None else value.get_object()
    if not isinstance(found, ArrayObject) or len(found) != count:
        return None
    numbers = tuple(one.get_object() for one in list(found))
    if not all(isinstance(one, (NumberObject, FloatObject)) for one in numbers):
        return None
    floats = tuple(float(one) for one in numbers)
    return floats if all(isfinite(one) and abs(one) < LARGEST for one in floats) else None


def matrix_text(*numbers: float) -> bytes:
    """Return six numbers as the operator ``cm`` takes them."""
    return b" ".join(b"%.5f" % number for number in numbers)


def _is_seen(note: DictionaryObject) -> bool:
    flags = note.get("/F", NullObject()).get_object()
    hidden = isinstance(flags, NumberObject) and int(flags) & (HIDDEN | NOT_SHOWN)
    return not hidden and note.get("/Subtype") not in UNSEEN


def _drawn(note: DictionaryObject) -> DrawnNote | None:
    looks = note.get("/AP", NullObject()).get_object()
    if not isinstance(looks, DictionaryObject) or "/N" not in looks:
        return None
    raw = looks.raw_get("/N")
    found = raw.get_object()
    state = note.get("/AS")
    if not isinstance(found, StreamObject) and isinstance(found, DictionaryObject) and state in found:
        raw = found.raw_get(state)  # A box to tick has one look for each state.
        found = raw.get_object()
    place = numbers_of(note.get("/Rect"), 4)
    if not isinstance(found, StreamObject) or place is None:
        return None
    # Some writers leave out that it is a drawing, and viewers would not draw it as one.
    found[NameObject("/Subtype")] = NameObject("/Form")
    matrix = _fitted(found, place)
    return None if matrix is None else DrawnNote(raw, matrix)


def _fitted(look: StreamObject, place: tuple[float, ...]) -> bytes | None:
    """Return what moves and stretches the turned box of a look onto its place (PDF 32000-1, 12.5.5)."""
    box = numbers_of(look.get("/BBox"), 4)
    if box is None:
        return None
    a, b, c, d, e, f = numbers_of(look.get("/Matrix"), 6) or (1, 0, 0, 1, 0, 0)
    corners = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    across = [a * x + c * y + e for x, y in corners]
    up = [b * x + d * y + f for x, y in corners]
    width, height = max(across) - min(across), max(up) - min(up)
    if width <= 0 or height <= 0:
        return None
    stretch_x, stretch_y = abs(place[2] - place[0]) / width, abs(place[3] - place[1]) / height
    left, bottom = min(place[0], place[2]), min(place[1], place[3])
    return matrix_text(stretch_x, 0, 0, stretch_y, left - min(across) * stretch_x, bottom - min(up) * stretch_y)

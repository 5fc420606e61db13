"""The pages of a PDF in their order, with what each takes from the nodes above it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NullObject,
    NumberObject,
    PdfObject,
)

from bot.storage.pdf.limits import Budget
from bot.storage.pdf.notes import Box, numbers_of
from bot.storage.pictures import FileRefused

INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
TURNS_DEG = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page as it stands in the file, and what it takes from the nodes above it."""

    node: DictionaryObject
    inherited: Mapping[str, PdfObject]


def pages_of(reader: PdfReader, budget: Budget) -> Iterator[SourcePage]:
    """Give the pages in their order; raises FileRefused for too many, for none, and for a tree that is none."""
    waiting: list[tuple[PdfObject, Mapping[str, PdfObject]]] = [(reader.root_object.raw_get("/Pages"), {})]
    seen: set[tuple[int, int]] = set()
    pages = 0
    while waiting:
        raw, above = waiting.pop()
        budget.take_object()
        if isinstance(raw, IndirectObject):
            key = (raw.idnum, raw.generation)
            if key in seen:
                raise FileRefused(reason="unreadable")
            seen.add(key)
        node = raw.get_object()
        if not isinstance(node, DictionaryObject):
            continue
        inherited = {**above, **{name: node.raw_get(name) for name in INHERITED if name in node}}
        kids = node.get("/Kids", NullObject()).get_object()
        if isinstance(kids, ArrayObject):
            waiting.extend((kid, inherited) for kid in reversed(list(kids)))
            continue
        pages += 1
        if pages > budget.limits.max_pages:
            raise FileRefused(reason="too_many_pages", max_pages=budget.limits.max_pages)
        yield SourcePage(node, inherited)
    if pages == 0:
        raise FileRefused(reason="unreadable")


def visible_box(page: SourcePage) -> Box:
    boxes = (numbers_of(page.inherited.get(name), 4) for name in ("/CropBox", "/MediaBox"))
    for found in boxes:
        if found is not None:
            left, right = sorted((found[0], found[2]))
            bottom, top = sorted((found[1], found[3]))
            if right - left >= 1 and top - bottom >= 1:
                return left, bottom, right, top
    raise FileRefused(reason="unreadable")


def turn_of(page: SourcePage) -> int:
    found = page.inherited.get("/Rotate", NullObject()).get_object()
    turn_deg = int(found) % 360 if isinstance(found, (NumberObject, FloatObject)) else 0
    return turn_deg if turn_deg in TURNS_DEG else 0

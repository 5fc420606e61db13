"""Copies pages into a new PDF: each becomes one drawing, so that nothing in it reaches outside."""

from collections.abc import Mapping
from typing import Protocol

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NameObject,
    NullObject,
    NumberObject,
    PdfObject,
    StreamObject,
)

from bot.storage.pdf.jpeg import without_metadata
from bot.storage.pdf.limits import Budget
from bot.storage.pdf.notes import Box, drawn_notes
from bot.storage.pdf.pages import SourcePage, turn_of, visible_box
from bot.storage.pdf.sheaf import Sheaf, dictionary

JPEG = "/DCTDecode"
NAMED = frozenset(
    (
        *("/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/Properties"),
        *("/CharProcs", "/Colorants"),
    )
)
"""Dictionaries whose keys are names that the page has chosen."""
LEFT_BEHIND = frozenset(
    (
        *("/Metadata", "/PieceInfo", "/LastModified", "/Info", "/Thumb"),
        *("/StructParent", "/StructParents", "/Parent"),
        *("/A", "/AA", "/OpenAction", "/JS", "/JavaScript", "/Next", "/PA", "/URI"),
        *("/AF", "/EF", "/EmbeddedFiles", "/F", "/FFilter", "/FDecodeParms", "/Ref", "/OPI"),
    )
)
"""Who made it; the tree that it stood in; what runs or leads elsewhere; files inside it or beside it."""


class Overlay(Protocol):
    """What is laid over each page."""

    def over(self, box: Box, turn_deg: int) -> tuple[IndirectObject, bytes]:
        """Return a picture, and the matrix that lays it over ``box`` of a page turned clockwise by ``turn_deg``."""
        ...


class PageCopier:
    """Builds the new PDF page by page: each old page becomes one drawing, so that nothing in it reaches outside."""

    def __init__(self, reader: PdfReader, budget: Budget) -> None:
        self.sheaf = Sheaf(reader, budget)
        self._budget = budget
        self._copied: dict[tuple[int, int], IndirectObject] = {}
        self._tree = self.sheaf.reserve()
        self._pages: list[IndirectObject] = []

    def add(self, page: SourcePage, overlay: Overlay | None) -> None:
        """Add a page with what is laid over it; raises FileRefused."""
        box, turn_deg = visible_box(page), turn_of(page)
        resources = self.copied(page.inherited.get("/Resources", DictionaryObject()))
        sheet = self.sheaf.add_stream(
            self._content_of(page.node),
            Type=NameObject("/XObject"),
            Subtype=NameObject("/Form"),
            BBox=_array(box),
            Resources=resources,
        )
        drawings: dict[str, PdfObject] = {"/Sheet": sheet}
        steps = [b"q /Sheet Do Q"]
        for number, note in enumerate(drawn_notes(page.node)):
            drawings[f"/Note{number}"] = self._reference_to(note.appearance)
            steps.append(b"q %s cm /Note%d Do Q" % (note.matrix, number))
        if overlay is not None:
            drawings["/Mark"], matrix = overlay.over(box, turn_deg)
            steps.append(b"q %s cm /Mark Do Q" % matrix)
        self._add_page(page, box, turn_deg, drawings, b"\n".join(steps))

    def written(self) -> bytes:
        """Return the new PDF; raises FileRefused when it is too large."""
        tree: dict[str, PdfObject] = {
            "/Type": NameObject("/Pages"),
            "/Kids": ArrayObject(self._pages),
            "/Count": NumberObject(len(self._pages)),
        }
        self.sheaf.put(self._tree, dictionary(tree))
        return self.sheaf.written(self.sheaf.add(dictionary({"/Type": NameObject("/Catalog"), "/Pages": self._tree})))

    def copied(self, value: PdfObject, key: str = "") -> PdfObject:
        """Return the value for the new file, without what is left behind; ``key`` is the name it stands under."""
        if isinstance(value, IndirectObject):
            return self._reference_to(value, key)
        if isinstance(value, StreamObject):
            return self._copied_stream(value)
        if isinstance(value, DictionaryObject):
            return self._copied_dictionary(value, key)
        if isinstance(value, ArrayObject):
            self._budget.take_object()
            return ArrayObject(self.copied(one) for one in list(value))
        return value

    def _reference_to(self, value: PdfObject, key: str = "") -> IndirectObject:
        if not isinstance(value, IndirectObject):
            return self.sheaf.add(self.copied(value, key))
        number = (value.idnum, value.generation)
        if number not in self._copied:
            self._budget.take_object()
            # Its number is known before its content, which may lead back to it.
            self._copied[number] = self.sheaf.reserve()
            target = value.get_object()
            self.sheaf.put(self._copied[number], NullObject() if target is None else self.copied(target, key))
        return self._copied[number]

    def _copied_dictionary(self, value: DictionaryObject, key: str = "") -> DictionaryObject:
        self._budget.take_object()
        left_behind = frozenset[str]() if key in NAMED else LEFT_BEHIND
        return DictionaryObject(
            {name: self.copied(value.raw_get(name), name) for name in value if name not in left_behind}
        )

    def _copied_stream(self, value: StreamObject) -> StreamObject:
        entries = self._copied_dictionary(value)
        filters = value.get("/Filter", NullObject()).get_object()
        names = list(filters) if isinstance(filters, ArrayObject) else [filters]
        if names[-1:] == [JPEG]:
            photo = DecodedStreamObject()
            photo.set_data(without_metadata(value.get_data()))
            self._budget.take_unpacked(len(photo.get_data()))
            photo.update(entries)
            if len(names) > 1:
                # What it was packed in besides is gone, and so is what was said about that.
                photo[NameObject("/Filter")] = NameObject(JPEG)
                photo.pop("/DecodeParms", None)
            return photo
        # The packed content stays as it is: unpacking pictures and fonts would cost time and gain nothing.
        value.clear()
        value.update(entries)
        return value

    def _content_of(self, page: DictionaryObject) -> bytes:
        contents = page.get("/Contents", NullObject()).get_object()
        parts = []
        for one in list(contents) if isinstance(contents, ArrayObject) else [contents]:
            stream = one.get_object()
            if isinstance(stream, StreamObject):
                parts.append(stream.get_data())
                self._budget.take_unpacked(len(parts[-1]))
        return b"\n".join(parts)

    def _add_page(
        self, page: SourcePage, box: Box, turn_deg: int, drawings: Mapping[str, PdfObject], content: bytes
    ) -> None:
        entries: dict[str, PdfObject] = {
            "/Type": NameObject("/Page"),
            "/Parent": self._tree,
            "/MediaBox": _array(box),
            "/Rotate": NumberObject(turn_deg),
            "/Resources": dictionary({"/XObject": dictionary(drawings)}),
            "/Contents": self.sheaf.add_stream(content),
        }
        for name in ("/Group", "/UserUnit"):
            if name in page.node:
                entries[name] = self.copied(page.node.raw_get(name), name)
        self._pages.append(self.sheaf.add(dictionary(entries)))


def _array(values: tuple[float, ...]) -> ArrayObject:
    return ArrayObject(FloatObject(value) for value in values)

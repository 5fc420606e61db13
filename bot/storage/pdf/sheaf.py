"""A new PDF: its objects, numbered as they come, and how the file is written."""

import zlib
from collections.abc import Mapping
from io import BytesIO

from pypdf import PdfReader
from pypdf.generic import DecodedStreamObject, DictionaryObject, IndirectObject, NameObject, NullObject, PdfObject

from bot.storage.pdf.limits import Budget
from bot.storage.pictures import FileRefused


class Sheaf:
    """The objects of a new PDF, numbered as they come."""

    def __init__(self, reader: PdfReader, budget: Budget) -> None:
        self._reader = reader
        self._budget = budget
        self._objects: list[PdfObject] = []

    def reserve(self) -> IndirectObject:
        """Return a number for an object that is put there later."""
        self._objects.append(NullObject())
        return IndirectObject(len(self._objects), 0, self._reader)

    def put(self, place: IndirectObject, value: PdfObject) -> None:
        """Put an object where its number was reserved."""
        self._objects[place.idnum - 1] = value

    def add(self, value: PdfObject) -> IndirectObject:
        """Add an object and return its number."""
        place = self.reserve()
        self.put(place, value)
        return place

    def add_stream(self, content: bytes, **entries: PdfObject) -> IndirectObject:
        """Add packed content with the dictionary ``entries`` and return its number."""
        stream = DecodedStreamObject()
        stream.set_data(zlib.compress(content))
        stream.update({NameObject(f"/{name}"): value for name, value in entries.items()})
        stream[NameObject("/Filter")] = NameObject("/FlateDecode")
        return self.add(stream)

    def written(self, root: IndirectObject) -> bytes:
        """Return the whole file; raises FileRefused when it is too large."""
        target = BytesIO()
        target.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, value in enumerate(self._objects, 1):
            self._budget.look()
            places.append(target.tell())
            target.write(b"%d 0 obj\n" % number)
            value.write_to_stream(target)
            target.write(b"\nendobj\n")
            if target.tell() > self._budget.limits.max_written_bytes:
                raise FileRefused(reason="too_complex")
        table = target.tell()
        target.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
        target.writelines(b"%010d 00000 n \n" % place for place in places)
        target.write(b"trailer\n<< /Size %d /Root %d 0 R >>\n" % (len(places) + 1, root.idnum))
        target.write(b"startxref\n%d\n%%%%EOF\n" % table)
        return target.getvalue()


def dictionary(entries: Mapping[str, PdfObject]) -> DictionaryObject:
    """Return a dictionary of the file."""
    return DictionaryObject({NameObject(name): value for name, value in entries.items()})

"""PDFs as scanners, offices and attackers make them."""

import zlib
from io import BytesIO
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

from tests.storage.pictures import phone_photo, portrait

SECRETS = (b"Zhang San", b"STARTSCRIPT", b"EVILHOST", b"XMPNAME", b"hidden.exe", b"Phone maker", b"secret place")
"""What stands in ``office_pdf`` beside its pages."""


def written(writer: PdfWriter) -> bytes:
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def scanned_pdf(pages: int = 2, size: tuple[int, int] = (300, 420)) -> bytes:
    """Photos as pages, as a phone's scanner writes them."""
    target = BytesIO()
    first, *others = (portrait(size) for _ in range(pages))
    first.save(target, "PDF", save_all=True, append_images=others, author="Zhang San", title="Zhang San")
    return target.getvalue()


def blank_pdf(pages: int, *, width: float = 595, height: float = 842) -> bytes:
    """Empty pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width, height)
    return written(writer)


def inside(value: DictionaryObject, *names: str) -> Any:
    """Return what stands under the first name, in that under the second, and so on."""
    found: Any = value
    for name in names:
        found = found[name]
    return found


def dictionary(**entries: object) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in entries.items()})


def stream(content: bytes, **entries: object) -> DecodedStreamObject:
    made = DecodedStreamObject()
    made.set_data(content)
    made.update(dictionary(**entries))
    return made


def numbers(*values: float) -> ArrayObject:
    return ArrayObject(FloatObject(value) for value in values)


def office_pdf(turn_deg: int = 0) -> bytes:
    """A page with text and a photo, a filled-in field, and everything beside it that a PDF can carry."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    font = dictionary(Type=NameObject("/Font"), Subtype=NameObject("/Type1"), BaseFont=NameObject("/Helvetica"))
    photo = stream(
        phone_photo(),
        Type=NameObject("/XObject"),
        Subtype=NameObject("/Image"),
        Width=NumberObject(60),
        Height=NumberObject(40),
        ColorSpace=NameObject("/DeviceRGB"),
        BitsPerComponent=NumberObject(8),
        Filter=NameObject("/DCTDecode"),
    )
    # The names that a page chooses may be those of entries that are left out elsewhere.
    fonts, drawings = dictionary(F=writer._add_object(font)), dictionary(A=writer._add_object(photo))
    page[NameObject("/Resources")] = dictionary(Font=fonts, XObject=drawings)
    parts = [b"BT /F 24 Tf 72 700 Td (Certificate", b") Tj ET q 60 0 0 40 72 600 cm /A Do Q q"]
    page[NameObject("/Contents")] = ArrayObject(writer._add_object(stream(part)) for part in parts)
    page[NameObject("/Rotate")] = NumberObject(turn_deg)
    page[NameObject("/AA")] = dictionary(O=action("STARTSCRIPT(1)"))
    field = stream(
        b"BT /F 12 Tf (Filled in) Tj ET",
        Subtype=NameObject("/Form"),
        BBox=numbers(0, 0, 100, 20),
        Resources=dictionary(Font=fonts),
    )
    page[NameObject("/Annots")] = ArrayObject(
        (
            dictionary(
                Subtype=NameObject("/Widget"),
                Rect=numbers(72, 500, 272, 520),
                AP=dictionary(N=writer._add_object(field)),
                A=action("STARTSCRIPT(2)"),
            ),
            dictionary(
                Subtype=NameObject("/Link"),
                Rect=numbers(0, 0, 9, 9),
                A=dictionary(S=NameObject("/URI"), URI=TextStringObject("http://EVILHOST")),
            ),
        )
    )
    writer.add_metadata({"/Author": "Zhang San"})
    scripts = dictionary(Names=ArrayObject((TextStringObject("start"), action("STARTSCRIPT(3)"))))
    writer.add_attachment("hidden.exe", b"MZ hidden.exe")
    inside(writer.root_object, "/Names")[NameObject("/JavaScript")] = scripts
    launch = dictionary(S=NameObject("/Launch"), F=TextStringObject("EVILHOST"))
    writer.root_object[NameObject("/OpenAction")] = launch
    writer.root_object[NameObject("/Metadata")] = writer._add_object(stream(b"<x>XMPNAME</x>"))
    return written(writer)


def action(script: str) -> DictionaryObject:
    return dictionary(S=NameObject("/JavaScript"), JS=TextStringObject(script))


def locked_pdf(password: str) -> bytes:
    """A PDF that asks for a password."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(blank_pdf(1))))
    writer.encrypt(password, algorithm="AES-256")
    return written(writer)


def packed_bomb(size_bytes: int) -> bytes:
    """A page whose content unpacks to ``size_bytes``."""
    writer = PdfWriter()
    page = writer.add_blank_page(100, 100)
    content = stream(zlib.compress(bytes(size_bytes)), Filter=NameObject("/FlateDecode"))
    page[NameObject("/Contents")] = writer._add_object(content)
    return written(writer)


def object_stream_bomb(size_bytes: int) -> bytes:
    """A PDF whose catalog lies in a packed stream of ``size_bytes``."""
    inside = b"1 0 <</Type /Catalog /Pages 3 0 R>>".ljust(size_bytes)
    return raw_pdf(
        {2: b"<</Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d>>" % len(zlib.compress(inside))},
        streams={2: zlib.compress(inside)},
        packed={1: 2},
    )


def endless_tree() -> bytes:
    """A page tree that leads back to itself."""
    return raw_pdf(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Count 1 /Kids [3 0 R]>>",
            3: b"<</Type /Pages /Count 1 /Kids [2 0 R 2 0 R]>>",
        }
    )


def multiplied_tree(levels: int = 40) -> bytes:
    """A page tree of a few lines that has 2 to the power of ``levels`` pages."""
    nodes = {
        number: b"<</Type /Pages /Count 2 /Kids [%d 0 R %d 0 R]>>" % (number + 1, number + 1)
        for number in range(2, 2 + levels)
    }
    leaf = {2 + levels: b"<</Type /Page /MediaBox [0 0 100 100]>>"}
    return raw_pdf({1: b"<</Type /Catalog /Pages 2 0 R>>", **nodes, **leaf})


def nested_pdf(depth: int) -> bytes:
    """A page whose resources lie ``depth`` objects deep, each inside another."""
    nested = {number: b"[%d 0 R]" % (number + 1) for number in range(4, 4 + depth)}
    return raw_pdf(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Count 1 /Kids [3 0 R]>>",
            3: b"<</Type /Page /MediaBox [0 0 100 100] /Resources <</Font 4 0 R>>>>",
            **nested,
            4 + depth: b"null",
        }
    )


def raw_pdf(
    objects: dict[int, bytes], *, streams: dict[int, bytes] | None = None, packed: dict[int, int] | None = None
) -> bytes:
    """A file from its objects; with ``packed`` the table is a stream, which says what lies in which object stream."""
    body, places = b"%PDF-1.7\n", {}
    for number, value in objects.items():
        places[number] = len(body)
        content = (streams or {}).get(number)
        inside = b"" if content is None else b"\nstream\n" + content + b"\nendstream"
        body += b"%d 0 obj\n" % number + value + inside + b"\nendobj\n"
    last = max([*objects, *(packed or {})]) + 1
    if packed is None:
        lines = [b"0000000000 65535 f \n"]
        lines += [
            b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
            for number in range(1, last)
        ]
        table = b"xref\n0 %d\n" % last + b"".join(lines) + b"trailer\n<</Size %d /Root 1 0 R>>\n" % last
    else:
        rows = b"\x00\x00\x00\x00\x00"
        for number in range(1, last):
            kind, place = (2, packed[number]) if number in packed else (1, places.get(number, 0))
            rows += bytes([kind]) + place.to_bytes(3) + b"\x00"
        head = b"<</Type /XRef /Size %d /W [1 3 1] /Root 1 0 R /Length %d>>" % (last, len(rows))
        table = b"%d 0 obj\n" % last + head + b"\nstream\n" + rows + b"\nendstream\nendobj\n"
    return body + table + b"startxref\n%d\n%%%%EOF\n" % len(body)


def marks_of(data: bytes) -> int:
    """Return how many pages carry a mark; a file that is not well formed fails."""
    pages = PdfReader(BytesIO(data), strict=True).pages
    return sum("/Mark" in inside(page, "/Resources", "/XObject") for page in pages)

"""PDFs: the pages are kept, nothing else is, and whoever looks is written over each of them."""

import subprocess
import sys
from io import BytesIO
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject, StreamObject

from bot.storage.documents import cleaned_document, watermarked_document
from bot.storage.encryption import FieldCipher
from bot.storage.files import Mark, PrivateFiles, ReadFile, StoredFile
from bot.storage.pdf.limits import DocumentLimits
from bot.storage.pdf.pages import TURNS_DEG
from bot.storage.pictures import FileRefused, find_chinese_font, watermarked
from tests.storage.pdfs import (
    SECRETS,
    blank_pdf,
    endless_tree,
    inside,
    locked_pdf,
    multiplied_tree,
    nested_pdf,
    object_stream_bomb,
    office_pdf,
    packed_bomb,
    scanned_pdf,
)

MARK = "liu 2026-06-15 10:00"
FORBIDDEN = ("/JavaScript", "/JS", "/OpenAction", "/AA", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/Metadata")
LIMIT_S = 5.0
"""Far above what any of these files takes, far below what an unbounded one would."""


def pages(data: bytes) -> list[PageObject]:
    """Return the pages; a file that is not well formed fails."""
    return list(PdfReader(BytesIO(data), strict=True).pages)


def drawings(page: PageObject) -> DictionaryObject:
    found = inside(page, "/Resources", "/XObject")
    assert isinstance(found, DictionaryObject)
    return found


def everything(data: bytes) -> bytes:
    """Return the file and what is packed in it."""
    reader = PdfReader(BytesIO(data))
    parts = [data]
    for number in range(1, inside(reader.trailer, "/Size")):
        value = reader.get_object(number)
        if isinstance(value, StreamObject):
            parts.append(value.get_data())
    return b"\n".join(parts)


def test_the_file_carries_what_it_should_lose() -> None:
    """The control for the next test."""
    before = everything(office_pdf())
    assert [secret for secret in SECRETS if secret not in before] == []


def test_what_stands_beside_the_pages_is_gone() -> None:
    after = cleaned_document(office_pdf())
    whole = everything(after)
    assert [secret for secret in SECRETS if secret in whole] == []
    assert [name for name in FORBIDDEN if name.encode() in whole] == []
    reader = PdfReader(BytesIO(after), strict=True)
    assert reader.metadata is None
    assert reader.xmp_metadata is None
    assert reader.attachments == {}
    assert set(reader.root_object) == {"/Type", "/Pages"}
    assert set(reader.trailer) == {"/Size", "/Root"}
    assert all("/Annots" not in page for page in reader.pages)


def test_what_a_page_shows_is_kept() -> None:
    [page] = pages(cleaned_document(office_pdf()))
    assert "Certificate" in page.extract_text()
    assert "Filled in" in page.extract_text()
    photo = inside(drawings(page), "/Sheet", "/Resources", "/XObject", "/A")
    with Image.open(BytesIO(photo.get_data())) as image:
        assert image.size == (60, 40)
        assert dict(image.getexif()) == {}
    content = page.get_contents()
    assert content is not None
    assert b"q 2.00000 0.00000 0.00000 1.00000 72.00000 500.00000 cm /Note0 Do Q" in content.get_data()


@pytest.mark.parametrize("turn_deg", TURNS_DEG)
def test_the_mark_lies_over_each_page_as_it_is_seen(turn_deg: int) -> None:
    [page] = pages(watermarked_document(office_pdf(turn_deg), MARK))
    assert page.rotation == turn_deg
    mark = inside(drawings(page), "/Mark")
    upright = mark["/Height"] > mark["/Width"]
    assert upright == (turn_deg in (0, 180))
    opacity = mark["/SMask"].get_data()
    assert 0 in opacity
    assert max(opacity) > 60
    content = page.get_contents()
    assert content is not None
    *_, last = content.get_data().splitlines()
    a, b, c, d, e, f = (float(part) for part in last.split()[1:7])
    corners = {(round(a * x + c * y + e), round(b * x + d * y + f)) for x in (0, 1) for y in (0, 1)}
    assert corners == {(0, 0), (595, 0), (0, 842), (595, 842)}
    # Where the picture's upper left corner comes to lie is the upper left corner of what is seen.
    seen_first = {0: (0, 842), 90: (0, 0), 180: (595, 0), 270: (595, 842)}[turn_deg]
    assert (round(c + e), round(d + f)) == seen_first


def test_pages_of_one_size_share_the_mark() -> None:
    marked = watermarked_document(scanned_pdf(pages=6), MARK)
    found = pages(marked)
    assert len(found) == 6
    assert len({drawings(page).raw_get("/Mark").idnum for page in found}) == 1
    assert len(marked) < 200_000


def test_the_mark_is_written_in_chinese_too() -> None:
    font = find_chinese_font()
    first, other = (watermarked(blank_pdf(1), text, font=font)[0] for text in ("仅供使用", "他人勿动"))
    assert first != other


@settings(max_examples=10, deadline=None)
@given(count=st.integers(1, 6), width=st.floats(20, 3000), height=st.floats(20, 3000), office=st.booleans())
def test_every_page_keeps_its_size_and_gets_its_mark(count: int, width: float, height: float, office: bool) -> None:
    source = office_pdf() if office else blank_pdf(count, width=width, height=height)
    before, after = pages(source), pages(watermarked_document(cleaned_document(source), MARK))
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert [float(new.mediabox.width), float(new.mediabox.height)] == pytest.approx(
            [float(old.mediabox.width), float(old.mediabox.height)], abs=0.01
        )
        assert inside(drawings(new), "/Mark", "/Subtype") == "/Image"


def test_cleaning_twice_changes_nothing_that_is_seen() -> None:
    once = cleaned_document(office_pdf())
    again = cleaned_document(once)
    assert [page.extract_text() for page in pages(again)] == [page.extract_text() for page in pages(once)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (locked_pdf("1234"), "encrypted"),
        (locked_pdf(""), "encrypted"),
        (office_pdf()[:-40], "unreadable"),
        (office_pdf()[:2000] + b"\n%%EOF\n", "unreadable"),
        (b"%PDF-1.4\n%%EOF\n", "unreadable"),
        (blank_pdf(2000), "too_many_pages"),
        (endless_tree(), "unreadable"),
        (multiplied_tree(), "unreadable"),
        (nested_pdf(5_000), "too_complex"),
        (packed_bomb(200_000_000), "too_complex"),
        (object_stream_bomb(200_000_000), "too_complex"),
    ],
    ids=["password", "lock", "cut", "torn", "empty", "pages", "loop", "tree", "nest", "bomb", "packed"],
)
def test_what_cannot_be_taken_apart_is_refused_in_time(data: bytes, reason: str) -> None:
    began = monotonic()
    with pytest.raises(FileRefused) as refused:
        cleaned_document(data)
    assert refused.value.fields["reason"] == reason
    assert monotonic() - began < LIMIT_S


def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(FileRefused, match="too_complex"):
        cleaned_document(scanned_pdf(), DocumentLimits(max_s=0))


@pytest.mark.parametrize(
    "limits",
    [DocumentLimits(max_objects=3), DocumentLimits(max_written_bytes=200), DocumentLimits(max_unpacked_bytes=10)],
)
def test_every_limit_counts(limits: DocumentLimits) -> None:
    with pytest.raises(FileRefused, match="too_complex"):
        cleaned_document(office_pdf(), limits)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_pdfs_are_cleaned_or_refused_but_never_a_surprise(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from([office_pdf(), scanned_pdf(1)])))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        after = cleaned_document(bytes(damaged))
    except FileRefused:
        return
    assert PdfReader(BytesIO(after), strict=True).metadata is None


async def test_an_old_file_that_was_stored_as_it_was_still_opens(files: PrivateFiles) -> None:
    for old, is_marked in ((office_pdf(), True), (locked_pdf("1234"), False)):
        stored = StoredFile("0" * 32, "", len(old), "application/pdf")
        data, media_type = await files.marked(ReadFile(stored, "oABC", "student_card", old), Mark("仅供办理", MARK))
        assert media_type == "application/pdf"
        assert (data != old) == is_marked


def test_processes_that_see_no_pdf_do_not_load_the_library() -> None:
    script = "import sys, bot.storage.files, actions.materials; sys.exit('pypdf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory, cipher: FieldCipher) -> PrivateFiles:
    return PrivateFiles(tmp_path_factory.mktemp("files"), cipher)

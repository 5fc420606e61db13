"""Private files: nothing but the picture is kept, and nobody reads it from the disk."""

import os
import stat
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from math import cos, radians
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import IFD

from bot.storage.encryption import FieldCipher, SealBroken
from bot.storage.files import FileMissing, FileRefused, Mark, PrivateFiles
from bot.storage.pictures import (
    WATERMARK_ANGLE_DEG,
    FontMissing,
    cleaned,
    find_chinese_font,
    letters_for,
    watermarked,
)
from tests.storage.pictures import PDF, annotated_png, bomb, encoded, phone_photo, portrait, text_bomb

OWNER, PURPOSE = "oABC", "student_card"
PHOTO = phone_photo()


@pytest.fixture
def files(tmp_path: Path, cipher: FieldCipher) -> PrivateFiles:
    return PrivateFiles(tmp_path / "files", cipher)


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("data", "media_type"),
    [(PHOTO, "image/jpeg"), (annotated_png(), "image/png"), (PDF, "application/pdf")],
)
async def test_what_is_stored_can_be_read_again(files: PrivateFiles, data: bytes, media_type: str) -> None:
    stored = await files.save(data, owner=OWNER, purpose=PURPOSE)
    found = await files.read(stored.id)
    assert (found.file, found.owner, found.purpose) == (stored, OWNER, PURPOSE)
    assert stored.media_type == media_type
    assert (stored.sha256, stored.size_bytes) == (sha256(found.data).hexdigest(), len(found.data))


async def test_a_photo_loses_place_device_and_comment_but_not_its_upright_picture(files: PrivateFiles) -> None:
    before = opened(PHOTO)
    assert before.getexif().get_ifd(IFD.GPSInfo)
    assert before.size == (60, 40)

    stored = await files.save(PHOTO, owner=OWNER, purpose=PURPOSE)
    data = (await files.read(stored.id)).data
    after = opened(data)
    assert dict(after.getexif()) == {}
    assert set(after.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"secret" not in data
    assert b"maker" not in data
    assert after.size == (40, 60)
    red, green, _ = after.getpixel((38, 2))  # type: ignore[misc]  # An RGB pixel has three values.
    assert red > 200
    assert green < 60


def test_a_png_loses_its_texts_and_keeps_its_transparency() -> None:
    data, _ = cleaned(annotated_png())
    assert opened(data).info == {}
    glass, _ = cleaned(encoded(Image.new("RGBA", (4, 4), (0, 0, 255, 10)), "PNG"))
    assert opened(glass).getpixel((1, 1)) == (0, 0, 255, 10)


def test_what_hides_behind_the_picture_is_gone() -> None:
    data, _ = cleaned(encoded(portrait(), "JPEG") + b"PK\x03\x04<script>alert(1)</script>")
    assert b"script" not in data


def test_a_large_photo_is_reduced() -> None:
    data, _ = cleaned(encoded(portrait((6000, 3000)), "JPEG"))
    assert opened(data).size == (4000, 2000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "type"),
        (b"MZ\x90\x00" + bytes(100), "type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type"),
        (encoded(portrait(), "GIF"), "type"),
        (PHOTO[: len(PHOTO) // 2], "unreadable"),
        (PHOTO[:3] + bytes(1000), "unreadable"),
        (PDF[:-20], "unreadable"),
        (bomb(), "too_many_pixels"),
        (encoded(Image.new("L", (7000, 6000)), "PNG"), "too_many_pixels"),
        (text_bomb(), "unreadable"),
    ],
)
async def test_what_is_not_a_sound_photo_or_pdf_is_refused(
    files: PrivateFiles, tmp_path: Path, data: bytes, reason: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        await files.save(data, owner=OWNER, purpose=PURPOSE)
    assert refused.value.fields["reason"] == reason
    assert stored_paths(tmp_path) == []


def stored_paths(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_that_is_too_large_is_refused(tmp_path: Path, cipher: FieldCipher) -> None:
    files = PrivateFiles(tmp_path, cipher, max_bytes=len(PHOTO))
    await files.save(PHOTO, owner=OWNER, purpose=PURPOSE)
    with pytest.raises(FileRefused, match="too_large"):
        await files.save(PHOTO + b"x", owner=OWNER, purpose=PURPOSE)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of damaged EXIF and goes on.
@given(st.data())
def test_damaged_photos_are_stored_or_refused_but_never_a_surprise(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from([PHOTO, annotated_png()])))
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        content, _ = cleaned(bytes(damaged))
    except FileRefused:
        return
    assert dict(opened(content).getexif()) == {}


async def test_the_disk_shows_nothing(files: PrivateFiles, tmp_path: Path) -> None:
    stored = await files.save(PDF, owner=OWNER, purpose=PURPOSE)
    (path,) = stored_paths(tmp_path)
    assert path.name == stored.id
    content = path.read_bytes()
    for secret in (b"PDF", OWNER.encode(), PURPOSE.encode()):
        assert secret not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_file_put_in_place_of_another_does_not_open(files: PrivateFiles, tmp_path: Path) -> None:
    first = await files.save(PDF, owner=OWNER, purpose=PURPOSE)
    second = await files.save(PDF, owner="oXYZ", purpose=PURPOSE)
    paths = {path.name: path for path in stored_paths(tmp_path)}
    paths[first.id].write_bytes(paths[second.id].read_bytes())
    with pytest.raises(SealBroken):
        await files.read(first.id)


async def test_a_deleted_file_is_gone(files: PrivateFiles) -> None:
    stored = await files.save(PDF, owner=OWNER, purpose=PURPOSE)
    await files.delete(stored.id)
    await files.delete(stored.id)
    with pytest.raises(FileMissing):
        await files.read(stored.id)


@pytest.mark.parametrize("file_id", ["", "../secrets.json", "0" * 31, "A" * 32, "0" * 32 + "\n", "/etc/passwd"])
async def test_an_id_leads_nowhere_else(files: PrivateFiles, file_id: str) -> None:
    with pytest.raises(FileMissing):
        await files.read(file_id)
    with pytest.raises(FileMissing):
        await files.delete(file_id)


async def test_retention_finds_what_is_old_and_what_a_crash_left(files: PrivateFiles, tmp_path: Path) -> None:
    old = await files.save(PDF, owner=OWNER, purpose=PURPOSE)
    crashed = await files.save(PDF, owner=OWNER, purpose=PURPOSE)
    new = await files.save(PDF, owner=OWNER, purpose=PURPOSE)
    for path in stored_paths(tmp_path):
        if path.name == new.id:
            continue
        os.utime(path, (0, 0))
        if path.name == crashed.id:
            path.rename(path.with_suffix(".part"))
    found = await files.older_than(datetime.now(UTC) - timedelta(days=1))
    assert sorted(found) == sorted([old.id, crashed.id])
    for file_id in found:
        await files.delete(file_id)
    assert [path.name for path in stored_paths(tmp_path)] == [new.id]


@pytest.fixture(scope="session")
def font() -> Path:
    try:
        return find_chinese_font()
    except FontMissing:
        pytest.skip("no font with Chinese characters is installed")


def test_a_watermark_covers_every_part_of_the_photo(font: Path) -> None:
    plain = Image.new("RGB", (800, 500), "white")
    marked = opened(watermarked(encoded(plain, "JPEG"), "仅供工会勤工俭学办理使用", font=font)[0])
    assert marked.size == plain.size
    for left in range(0, 800, 200):
        for top in range(0, 500, 125):
            part = marked.crop((left, top, left + 200, top + 125)).convert("L")
            assert any(part.histogram()[:220])


def test_a_watermark_is_written_in_characters_not_boxes(font: Path) -> None:
    plain = encoded(Image.new("RGB", (300, 300), "white"), "JPEG")
    assert watermarked(plain, "仅供使用", font=font) != watermarked(plain, "他人勿动", font=font)


def test_a_long_mark_is_whole_somewhere_on_an_upright_page(font: Path) -> None:
    long = "仅供2026年困难职工家庭子女暑期勤工俭学岗位实践活动办理"
    size = (600, 800)
    seen_px = size[0] / cos(radians(WATERMARK_ANGLE_DEG))
    assert letters_for(size, long, font).getlength(long) < seen_px * 0.7
    short = "仅供办理"
    assert letters_for(size, short, font).getlength(short) > letters_for(size, long, font).getlength(short)


async def test_a_file_is_shown_with_what_it_is_for_and_with_who_looks(
    tmp_path: Path, cipher: FieldCipher, font: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mark = Mark("仅供勤工俭学办理", "liu 2026-06-15 10:00")
    asked: list[bool] = []

    def no_font() -> Path:
        asked.append(True)
        raise FontMissing(remedy="install one")

    files = PrivateFiles(tmp_path, cipher, find_font=lambda: font)
    found = await files.read((await files.save(PHOTO, owner="oABC", purpose="student_card")).id)
    both = watermarked(found.data, "仅供勤工俭学办理\nliu 2026-06-15 10:00", font=font)
    assert await files.marked(found, mark) == both
    bare = PrivateFiles(tmp_path, cipher, find_font=no_font)
    for _ in range(2):
        assert await bare.marked(found, mark) == watermarked(found.data, mark.viewer)
    assert asked == [True]
    assert "install one" in caplog.text


def test_only_photos_and_pdfs_get_a_watermark(font: Path) -> None:
    with pytest.raises(FileRefused, match="type"):
        watermarked(encoded(portrait(), "GIF"), "仅供使用", font=font)

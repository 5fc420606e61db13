"""Photos and PDFs that people send: told apart by content, and freed of what they say beside the picture."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bot.values.errors import BotError

if TYPE_CHECKING:
    # Pillow is loaded by the first picture: it takes 4 MB in processes that mostly see none.
    from PIL import Image, ImageFont

MediaType = Literal["image/jpeg", "image/png", "application/pdf"]

MAX_PIXELS = 40_000_000
"""More would take some hundred megabytes to decode, however small the file is."""
LONGEST_SIDE_PX = 4_000
JPEG_QUALITY = 88

_SIGNATURES: tuple[tuple[bytes, MediaType], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
# What Pillow's readers raise on damaged or malicious files; each format has its own habits.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError, struct.error, zlib.error)

FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
)
FONT_NAMES = (
    "NotoSansCJK-Regular.*",
    "NotoSansSC-Regular.*",
    "SourceHanSans*Regular.*",
    "wqy-microhei.*",
    "wqy-zenhei.*",
    "PingFang.*",
    "STHeiti Light.*",
)

WATERMARK_COLOUR = (200, 30, 30, 110)
WATERMARK_ANGLE_DEG = 30
SMALLEST_LETTERS_PX = 12
WIDEST_MARK = 0.45
"""Of the diagonal: a mark that is wider would nowhere be whole on an upright page. Its letters become smaller."""


class FileRefused(BotError):
    """A file is not accepted.

    ``reason``: ``type``, ``too_large``, ``too_many_pixels`` or ``unreadable``; of a PDF also ``encrypted``,
    ``too_many_pages`` or ``too_complex``.
    """

    code: ClassVar[str] = "file.refused"


class FontMissing(BotError):
    """No font with Chinese characters is installed."""

    code: ClassVar[str] = "font.missing"


def media_type_of(data: bytes) -> MediaType:
    """Return what the content is, whatever its name says; raises FileRefused."""
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return media_type
    raise FileRefused(reason="type")


def cleaned(data: bytes) -> tuple[bytes, MediaType]:
    """Return the file without metadata, and its type; raises FileRefused.

    Photos are decoded, turned upright, reduced to 4,000 pixels a side and encoded anew, so that place, time and
    device are gone and nothing hides behind the picture. Of a PDF the pages are written anew, without what runs.
    """
    media_type = media_type_of(data)
    if media_type == "application/pdf":
        from bot.storage.documents import cleaned_document

        return cleaned_document(data), media_type
    with _decoded(data) as image:
        return _encoded(image, media_type), media_type


def watermarked(data: bytes, text: str, *, font: Path | None = None) -> tuple[bytes, MediaType]:
    """Return the photo as JPEG, or the PDF, with ``text`` in slanted lines all over, so that a copy tells its way.

    The text may have several lines. Without ``font`` it must be plain ASCII. Raises FileRefused.
    """
    if media_type_of(data) == "application/pdf":
        from bot.storage.documents import watermarked_document

        return watermarked_document(data, text, font=font), "application/pdf"
    with _decoded(data) as image:
        picture = image.convert("RGBA")
    picture.alpha_composite(pattern(picture.size, text, font))
    return _encoded(picture, "image/jpeg"), "image/jpeg"


def find_chinese_font() -> Path:
    """Return a font file of this machine that has Chinese characters; raises FontMissing."""
    for name in FONT_NAMES:
        for folder in FONT_FOLDERS:
            for found in sorted(Path(folder).rglob(name)):
                return found
    raise FontMissing(remedy="install a Chinese font, for instance the system package fonts-wqy-microhei")


@contextmanager
def _decoded(data: bytes) -> "Iterator[Image.Image]":
    """Give the picture, upright; raises FileRefused."""
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise FileRefused(reason="too_many_pixels")
            image.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
            upright = ImageOps.exif_transpose(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise FileRefused(reason="too_many_pixels") from error
    except _UNREADABLE as error:
        raise FileRefused(reason="unreadable") from error
    yield upright


def _encoded(image: "Image.Image", media_type: MediaType) -> bytes:
    """Return the bare pixels as a file; whatever the old file carried beside them stays behind."""
    from PIL import Image

    mode = "RGBA" if media_type == "image/png" and image.has_transparency_data else "RGB"
    bare = Image.new(mode, image.size)
    bare.paste(image.convert(mode))
    bare.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    target = BytesIO()
    if media_type == "image/png":
        bare.save(target, "PNG")
    else:
        bare.save(target, "JPEG", quality=JPEG_QUALITY)
    return target.getvalue()


def pattern(size: tuple[int, int], text: str, font: Path | None) -> "Image.Image":
    """Return a transparent picture of ``size`` covered with slanted lines of ``text``."""
    from PIL import Image, ImageDraw

    side = _diagonal(size)
    letters = letters_for(size, text, font)
    canvas = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(canvas)
    _, _, width, height = (int(edge) for edge in draw.textbbox((0, 0), text, letters))
    *_, line_height = (int(edge) for edge in draw.textbbox((0, 0), text.partition("\n")[0], letters))
    step_x, step_y = int(width * 1.3) + 1, height + 3 * line_height + 1
    for row, y in enumerate(range(0, side, step_y)):
        for x in range(-(row % 2) * step_x // 2, side, step_x):
            draw.text((x, y), text, WATERMARK_COLOUR, letters)
    turned = canvas.rotate(WATERMARK_ANGLE_DEG)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))


def letters_for(
    size: tuple[int, int], text: str, font: Path | None
) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    """Return the letters in which ``text`` is written over a picture of ``size``, smaller where it is long."""
    from PIL import ImageFont

    def letters(height_px: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
        return ImageFont.load_default(height_px) if font is None else ImageFont.truetype(str(font), height_px)

    height_px = max(SMALLEST_LETTERS_PX, _diagonal(size) // 40)
    usual = letters(height_px)
    width_px = max(usual.getlength(line) for line in text.split("\n"))
    widest_px = _diagonal(size) * WIDEST_MARK
    if width_px <= widest_px:
        return usual
    return letters(max(SMALLEST_LETTERS_PX, int(height_px * widest_px / width_px)))


def _diagonal(size: tuple[int, int]) -> int:
    return int(sum(side**2 for side in size) ** 0.5)

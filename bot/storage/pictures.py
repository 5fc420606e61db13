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
    from PIL import Image

MediaType = Literal["image/jpeg", "image/png", "application/pdf"]

MAX_PIXELS = 40_000_000
"""More would take some hundred megabytes to decode, however small the file is."""
LONGEST_SIDE_PX = 4_000
JPEG_QUALITY = 88
PDF_END_BYTES = 1_024
"""A PDF ends with its end mark and perhaps a few bytes that a transfer has added."""

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


class FileRefused(BotError):
    """A file is not accepted. ``reason``: ``type``, ``too_large``, ``too_many_pixels`` or ``unreadable``."""

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
    device are gone and nothing hides behind the picture. A PDF is checked for its ends and stays as it is.
    """
    media_type = media_type_of(data)
    if media_type == "application/pdf":
        if b"%%EOF" not in data[-PDF_END_BYTES:]:
            raise FileRefused(reason="unreadable")
        return data, media_type
    with _decoded(data) as image:
        return _encoded(image, media_type), media_type


def watermarked(data: bytes, text: str, *, font: Path | None = None) -> bytes:
    """Return the photo as JPEG with ``text`` in slanted lines all over it, so that a copy tells what it was for.

    Without ``font`` the text must be plain ASCII. Raises FileRefused for anything but a photo.
    """
    if media_type_of(data) == "application/pdf":
        raise FileRefused(reason="type")
    with _decoded(data) as image:
        picture = image.convert("RGBA")
    picture.alpha_composite(_pattern(picture.size, text, font))
    return _encoded(picture, "image/jpeg")


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


def _pattern(size: tuple[int, int], text: str, font: Path | None) -> "Image.Image":
    """Return a transparent picture of ``size`` covered with slanted lines of ``text``."""
    from PIL import Image, ImageDraw, ImageFont

    side = int(sum(side**2 for side in size) ** 0.5)
    height_px = max(12, side // 40)
    letters = ImageFont.load_default(height_px) if font is None else ImageFont.truetype(str(font), height_px)
    canvas = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(canvas)
    left, top, right, bottom = (int(edge) for edge in draw.textbbox((0, 0), text, letters))
    step_x, step_y = int((right - left) * 1.3) + 1, (bottom - top) * 4 + 1
    for row, y in enumerate(range(0, side, step_y)):
        for x in range(-(row % 2) * step_x // 2, side, step_x):
            draw.text((x, y), text, WATERMARK_COLOUR, letters)
    turned = canvas.rotate(WATERMARK_ANGLE_DEG)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))

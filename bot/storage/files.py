"""Private files: what workers hand in as photos and PDFs, cleaned, encrypted and findable by its id alone.

What the system writes itself, such as a table to download, is kept in the same way.
"""

import asyncio
import json
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

from bot.storage.encryption import FieldCipher
from bot.storage.pictures import FileRefused, FontMissing, MediaType, cleaned, find_chinese_font, watermarked
from bot.values.errors import BotError

__all__ = ["FileMissing", "FileRefused", "Mark", "PrivateFiles", "ReadFile", "StoredFile"]

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

MAX_BYTES = 10 * 1024 * 1024
ID_BYTES = 16
UNFINISHED = ".part"
MadeType = Literal["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv", "application/zip"]
"""What the system itself writes."""
AT_A_TIME = 2
"""How many photos and PDFs are worked on at once; each may take a hundred megabytes."""

_ID = re.compile(rf"[0-9a-f]{{{ID_BYTES * 2}}}")


class FileMissing(BotError):
    """No file has this id: it was deleted, or never stored."""

    code: ClassVar[str] = "file.missing"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file. ``id`` cannot be guessed; hash and size are those of the content, once it is cleaned."""

    id: str
    sha256: str
    size_bytes: int
    media_type: MediaType | MadeType


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file read back, with whom it belongs to and what it was handed in for."""

    file: StoredFile
    owner: str
    purpose: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands over a file that is shown: what alone it was handed in for, and below it who looks and when.

    ``viewer`` is plain ASCII, so that it can be written on any machine.
    """

    purpose: str
    viewer: str


class PrivateFiles:
    """Keeps files under ``root``, one sealed file each; the folders are open to this account only.

    ``find_font`` returns a font with Chinese characters for marks, or raises FontMissing; it is asked once.
    """

    def __init__(
        self,
        root: Path,
        cipher: FieldCipher,
        *,
        max_bytes: int = MAX_BYTES,
        find_font: Callable[[], Path] = find_chinese_font,
    ) -> None:
        self._root = root
        self._cipher = cipher
        self._max_bytes = max_bytes
        self._find_font = find_font
        self._fonts: tuple[Path | None, ...] = ()
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def save(self, data: bytes, *, owner: str, purpose: str) -> StoredFile:
        """Clean and store a JPEG, PNG or PDF of at most ``max_bytes``. Raises FileRefused.

        ``owner`` (an OpenID) and ``purpose`` (a code) are sealed with it, so that a file without a row still tells
        whose it is.
        """
        if len(data) > self._max_bytes:
            raise FileRefused(reason="too_large", max_bytes=self._max_bytes)
        return await self.in_turn(lambda: self._save(*cleaned(data), owner, purpose))

    async def save_made(self, data: bytes, media_type: MadeType, *, owner: str, purpose: str) -> StoredFile:
        """Store, of any size, what the system itself has written: a table to download. ``owner`` is a username."""
        return await self.in_turn(lambda: self._save(data, media_type, owner, purpose))

    async def read(self, file_id: str) -> ReadFile:
        """Return a stored file. Raises FileMissing, and SealBroken when it was changed or moved."""
        return await self.in_turn(lambda: self._read(file_id))

    async def marked(self, found: ReadFile, mark: Mark) -> tuple[bytes, str]:
        """Return a photo or PDF with ``mark`` all over it, and its media type.

        Without a Chinese font on this machine the mark is the viewer alone, and a warning says so. A PDF
        from before PDFs were written anew, which cannot be taken apart, comes back as it was handed in.
        """
        try:
            return await self.in_turn(lambda: self._marked(found.data, mark))
        except FileRefused:
            if found.file.media_type != "application/pdf":
                raise
            return found.data, found.file.media_type

    async def delete(self, file_id: str) -> None:
        """Remove a file; it is no error when it is gone already."""
        path = self._path(file_id)
        for found in (path, path.with_suffix(UNFINISHED)):
            await asyncio.to_thread(found.unlink, missing_ok=True)

    async def older_than(self, moment: datetime) -> list[str]:
        """Return the ids of what was stored before ``moment``; retention compares them with the rows.

        What a crash left unfinished is among them.
        """
        return await asyncio.to_thread(lambda: list(self._older_than(moment)))

    async def in_turn(self, work: Callable[[], Answer]) -> Answer:
        """Do work on a photo or PDF beside the event loop, ``AT_A_TIME`` of it at once, and return its answer."""
        async with self._turns:
            return await asyncio.to_thread(work)

    def _marked(self, data: bytes, mark: Mark) -> tuple[bytes, MediaType]:
        font = self._font()
        text = mark.viewer if font is None else f"{mark.purpose}\n{mark.viewer}"
        return watermarked(data, text, font=font)

    def _font(self) -> Path | None:
        if not self._fonts:
            try:
                self._fonts = (self._find_font(),)
            except FontMissing as error:
                log.warning("files are shown without what they are for: %s", error)
                self._fonts = (None,)
        return self._fonts[0]

    def _save(self, content: bytes, media_type: MediaType | MadeType, owner: str, purpose: str) -> StoredFile:
        file_id = secrets.token_hex(ID_BYTES)
        stored = StoredFile(file_id, sha256(content).hexdigest(), len(content), media_type)
        label = json.dumps({**asdict(stored), "owner": owner, "purpose": purpose}).encode()
        sealed = self._cipher.seal_bytes(label + b"\n" + content, _context(file_id))
        _write(self._path(file_id), sealed)
        return stored

    def _read(self, file_id: str) -> ReadFile:
        try:
            sealed = self._path(file_id).read_bytes()
        except FileNotFoundError as error:
            raise FileMissing(file_id=file_id) from error
        label, _, content = self._cipher.open_bytes(sealed, _context(file_id)).partition(b"\n")
        values = json.loads(label)
        owner, purpose = values.pop("owner"), values.pop("purpose")
        return ReadFile(StoredFile(**values), owner, purpose, content)

    def _older_than(self, moment: datetime) -> Iterator[str]:
        for path in self._root.glob("??/*"):
            with suppress(FileNotFoundError):  # Somebody else deletes at the same time.
                if _ID.fullmatch(path.stem) and datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment:
                    yield path.stem

    def _path(self, file_id: str) -> Path:
        # An id comes from a row or an address in the console, and must not lead anywhere else.
        if not _ID.fullmatch(file_id):
            raise FileMissing(file_id="malformed")
        return self._root / file_id[:2] / file_id


def _context(file_id: str) -> str:
    return f"file.{file_id}"


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or none, and return when it is on the disk."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    unfinished = path.with_suffix(UNFINISHED)
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    folder_fd = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)

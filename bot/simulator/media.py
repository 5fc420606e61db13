"""The media store: temporary media with their three days, permanent material, and what each kind may hold."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.simulator.errors import ApiFault

KIB, MIB = 1024, 1024 * 1024
MAX_BYTES = {"image": 10 * MIB, "voice": 2 * MIB, "video": 10 * MIB, "thumb": 64 * KIB, "file": 10 * MIB}
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"GIF8", "image/gif", "gif"),
    (b"#!AMR", "audio/amr", "amr"),
    (b"ID3", "audio/mpeg", "mp3"),
    (b"\xff\xfb", "audio/mpeg", "mp3"),
)
_KINDS = {
    "image": {"image/jpeg", "image/png", "image/gif"},
    "voice": {"audio/amr", "audio/mpeg"},
    "video": {"video/mp4"},
    "thumb": {"image/jpeg"},
}


@dataclass(frozen=True, slots=True)
class Media:
    """One stored file; ``expires_at`` is None for permanent material."""

    media_id: str
    kind: str
    data: bytes
    content_type: str
    extension: str
    created_at: datetime
    expires_at: datetime | None


def sniff(data: bytes) -> tuple[str, str]:
    """Return content type and extension by the first bytes; unknown data is application/octet-stream."""
    for magic, content_type, extension in _MAGIC:
        if data.startswith(magic):
            return content_type, extension
    if data[4:8] == b"ftyp":
        return "video/mp4", "mp4"
    return "application/octet-stream", "bin"


class MediaStore:
    """Media by id, for one account."""

    def __init__(self, life_s: int) -> None:
        self._life = timedelta(seconds=life_s)
        self._items: dict[str, Media] = {}

    def upload(self, kind: str, data: bytes, now: datetime, *, permanent: bool = False) -> Media:
        """Store what the account uploads; raises ApiFault for a wrong kind, type or size."""
        if kind not in _KINDS:
            raise ApiFault(40004)
        if not data:
            raise ApiFault(41005)
        if len(data) > MAX_BYTES[kind]:
            raise ApiFault(45001)
        if sniff(data)[0] not in _KINDS[kind]:
            raise ApiFault(40005)
        return self.keep(kind, data, now, permanent=permanent)

    def keep(self, kind: str, data: bytes, now: datetime, *, permanent: bool = False) -> Media:
        """Store what a follower sends, unchecked."""
        content_type, extension = sniff(data)
        expires_at = None if permanent else now + self._life
        media = Media(secrets.token_urlsafe(48), kind, data, content_type, extension, now, expires_at)
        self._items[media.media_id] = media
        return media

    def get(self, media_id: str, now: datetime) -> Media:
        """Return the media; raises ApiFault 40007 when it is unknown or its three days are over."""
        media = self._items.get(media_id)
        if media is None or (media.expires_at is not None and now >= media.expires_at):
            raise ApiFault(40007)
        return media

    def drop(self, media_id: str, now: datetime) -> None:
        """Take permanent material from the account; raises ApiFault 40007 for anything else."""
        media = self.get(media_id, now)
        if media.expires_at is not None:
            raise ApiFault(40007)
        self._items[media_id] = replace(media, expires_at=now)

    def seen(self, media_id: str) -> Media | None:
        """Return the media even when it has expired: the follower's phone keeps what it once showed."""
        return self._items.get(media_id)

    def has(self, media_id: str, now: datetime) -> bool:
        """Say whether the account may still use the id."""
        media = self._items.get(media_id)
        return media is not None and (media.expires_at is None or now < media.expires_at)

"""Field encryption: AES-256-GCM with rotating keys, and a keyed hash to look a value up without reading it."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.values.errors import BotError

NONCE_BYTES = 12
KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9]{1,8}")


class SealBroken(BotError):
    """A sealed value does not open: wrong key, wrong context, or it was changed."""

    code: ClassVar[str] = "storage.seal_broken"


class FieldCipher:
    """Seals single values for SQL columns and Redis.

    ``keys`` maps a short key id to 32 bytes; ``current`` names the one that new values are sealed with, the others
    only open old values. ``hash_key`` (32 bytes) is never rotated silently, because look-ups depend on it.

    A sealed value is ``b"<key id>:" + nonce (12 bytes) + ciphertext + tag``. ``context`` (for instance
    ``"registration.id_number"``) is authenticated with it, so that a value cannot be moved to another column.
    """

    def __init__(self, keys: Mapping[str, bytes], *, current: str, hash_key: bytes) -> None:
        if current not in keys:
            raise ValueError(f"the current key {current!r} is not among {sorted(keys)}")
        for key_id, key in (*keys.items(), ("hash", hash_key)):
            if not _KEY_ID.fullmatch(key_id):
                raise ValueError("the id of a key is one to eight letters and digits")
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {key_id!r} must be {KEY_BYTES} bytes, not {len(key)}")
        self._ciphers = {key_id.encode(): AESGCM(key) for key_id, key in keys.items()}
        self._current = current.encode()
        self._hash_key = hash_key

    @classmethod
    def from_setting(cls, setting: str) -> "FieldCipher":
        """Build from ``BOT_FIELD_KEYS``: ``hash=<base64>,k2=<base64>,k1=<base64>``; the first ``k…`` is current.

        Raises ValueError that names the faulty entry, never its value.
        """
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in setting.split(","))):
            name, _, value = (part.strip() for part in entry.partition("="))
            if not _KEY_ID.fullmatch(name):
                # What stands there may be the key itself, so it is not repeated.
                raise ValueError("BOT_FIELD_KEYS: an entry does not begin with a short name such as k1=")
            if name in keys:
                raise ValueError(f"BOT_FIELD_KEYS: the key {name!r} is given twice")
            try:
                keys[name] = base64.b64decode(value, validate=True)
            except binascii.Error:
                raise ValueError(f"BOT_FIELD_KEYS: the key {name!r} is not valid base64") from None
        hash_key = keys.pop("hash", None)
        if hash_key is None or not keys:
            raise ValueError("BOT_FIELD_KEYS needs hash=… and at least one encryption key such as k1=…")
        return cls(keys, current=next(iter(keys)), hash_key=hash_key)

    @staticmethod
    def new_setting() -> str:
        """Return a fresh random value for ``BOT_FIELD_KEYS``."""
        return ",".join(
            f"{name}={base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}" for name in ("hash", "k1")
        )

    def seal(self, text: str, context: str) -> bytes:
        """Return ``text`` encrypted with the current key."""
        return self.seal_bytes(text.encode(), context)

    def seal_bytes(self, data: bytes, context: str) -> bytes:
        """Return ``data`` encrypted with the current key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self._current + b":" + nonce + self._ciphers[self._current].encrypt(nonce, data, context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Return the text inside; raises SealBroken."""
        return self.open_bytes(sealed, context).decode()

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """Return the bytes inside; raises SealBroken."""
        key_id, _, rest = sealed.partition(b":")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken(context=context, reason="unknown key")
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(context=context, reason="does not authenticate") from error

    def needs_resealing(self, sealed: bytes) -> bool:
        """Say whether ``sealed`` still uses an old key."""
        return not sealed.startswith(self._current + b":")

    def lookup_hash(self, value: str, context: str) -> str:
        """Return a keyed hash (hex, 64 characters) that is equal for equal values of one context."""
        return hmac.new(self._hash_key, f"{context}\0{value}".encode(), hashlib.sha256).hexdigest()

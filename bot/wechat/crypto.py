"""Signatures and the encrypted envelope (AES-256-CBC, PKCS#7 in blocks of 32, AppID behind the message).

One cipher object a key is kept for the life of the process; wechatpy schedules the key anew for every message and
strips the padding unchecked. Its crypto stays the oracle in the tests.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.wechat.errors import ForeignApp, Undecipherable

AES_KEY_CHARS = 43
KEY_BYTES = 32
SALT_BYTES = 16
LENGTH_BYTES = 4
HEAD_BYTES = SALT_BYTES + LENGTH_BYTES
PAD_BLOCK_BYTES = 32
CIPHER_BLOCK_BYTES = 16

_PADDINGS = tuple(bytes([count]) * count for count in range(PAD_BLOCK_BYTES + 1))


def signature(*parts: str) -> str:
    """Return the SHA-1 (hex) of the sorted and joined parts, as the platform signs."""
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def signature_fits(given: str, *parts: str) -> bool:
    """Compare ``given`` with the signature of ``parts`` in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), signature(*parts).encode())


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that opened: its bytes, and which of the keys did it."""

    content: bytes
    key_index: int


class Envelope:
    """Seals and opens the platform's envelopes for one AppID.

    ``aes_keys`` are EncodingAESKeys of 43 characters, the current one first, then the previous ones. Raises
    ValueError that names the faulty key by its place, never by its value.
    """

    def __init__(self, app_id: str, aes_keys: Sequence[str]) -> None:
        self._app_id = app_id.encode()
        self._ciphers = tuple(_cipher(place, key) for place, key in enumerate(aes_keys))

    def open(self, encrypted: str) -> Opened:
        """Return the message inside the Base64 text ``encrypted``.

        Raises ForeignApp when it is whole but addressed to another AppID, Undecipherable when no key opens it.
        """
        try:
            sealed = base64.b64decode(encrypted.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise Undecipherable from None
        if not sealed or len(sealed) % CIPHER_BLOCK_BYTES:
            raise Undecipherable
        foreign = False
        for key_index, cipher in enumerate(self._ciphers):
            decryptor = cipher.decryptor()
            parts = _split(decryptor.update(sealed) + decryptor.finalize())
            if parts is None:
                continue
            content, app_id = parts
            if hmac.compare_digest(app_id, self._app_id):
                return Opened(content, key_index)
            foreign = True
        raise ForeignApp if foreign else Undecipherable

    def seal(self, content: bytes, key_index: int) -> str:
        """Return ``content`` encrypted with the key ``key_index``, in Base64."""
        head = secrets.token_bytes(SALT_BYTES) + len(content).to_bytes(LENGTH_BYTES, "big")
        plain = head + content + self._app_id
        encryptor = self._ciphers[key_index].encryptor()
        padded = plain + _PADDINGS[PAD_BLOCK_BYTES - len(plain) % PAD_BLOCK_BYTES]
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def _cipher(place: int, key: str) -> Cipher[modes.CBC]:
    try:
        raw = base64.b64decode(key + "=", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(key) != AES_KEY_CHARS or len(raw) != KEY_BYTES:
        raise ValueError(f"AES key {place + 1} is not an EncodingAESKey of {AES_KEY_CHARS} characters")
    return Cipher(algorithms.AES(raw), modes.CBC(raw[:CIPHER_BLOCK_BYTES]))


def _split(plain: bytes) -> tuple[bytes, bytes] | None:
    """Return message and AppID, or None where padding or length cannot be right: it was another key."""
    pad_bytes = plain[-1]
    if not 1 <= pad_bytes <= PAD_BLOCK_BYTES or not plain.endswith(_PADDINGS[pad_bytes]):
        return None
    end = HEAD_BYTES + int.from_bytes(plain[SALT_BYTES:HEAD_BYTES], "big")
    app_id_end = len(plain) - pad_bytes
    if end >= app_id_end:
        return None
    return plain[HEAD_BYTES:end], plain[end:app_id_end]

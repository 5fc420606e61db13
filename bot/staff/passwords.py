"""Hashing passwords, off the event loop, and making one-time ones."""

import asyncio
import base64
import secrets
from datetime import timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import ARGON2_VERSION

from bot.staff.rules import PASSWORD_MAX_CHARS

ONE_TIME_VALID_FOR = timedelta(days=3)
ONE_TIME_GROUPS, ONE_TIME_GROUP_CHARS = 4, 4
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is mistaken for something else when it is read out."""


class Passwords:
    """argon2id. Each call takes a tenth of a second on purpose, in a thread of its own."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        # Checked when the username is unknown, so that the answer takes as long as for a known one.
        self._decoy_hash = _never_right(self._hasher)

    async def hashed(self, password: str) -> str:
        """Return what is stored of a password."""
        return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Say whether a password is the stored one; ``None`` takes as long and is never right."""
        return await asyncio.to_thread(self._matches, stored or self._decoy_hash, password) and stored is not None

    def _matches(self, stored: str, password: str) -> bool:
        if len(password) > PASSWORD_MAX_CHARS:
            return False
        try:
            return self._hasher.verify(stored, password)
        except VerificationError:
            return False


def _never_right(hasher: PasswordHasher) -> str:
    """Return a hash of nothing that takes as long to check as one of ``hasher``'s.

    To make a real one takes 64 MB, in every process that opens the records.
    """
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def one_time_password() -> str:
    """Return a fresh password that is read out to its owner, such as ``kx7m-2hqd-9wpz-tr4n`` (79 bits)."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(ONE_TIME_GROUP_CHARS)) for _ in range(ONE_TIME_GROUPS))
    return "-".join(groups)

"""What staff type into the search: a receipt, a name, an identity number or a phone, told apart and made a key.

Names and numbers are found by their keyed hash, whole or not at all. What was typed never stands in an address: a
search is carried on as a sealed token.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement

from bot.registrations.models import Registration
from bot.registrations.sealing import Sealer
from bot.storage.encryption import FieldCipher, SealBroken
from bot.values.identity import parse_identity_number
from bot.values.names import PersonName
from bot.values.phones import Mobile, parse_mobile
from bot.values.problem import Problem
from bot.values.receipts import ReceiptNumber, parse_receipt
from bot.values.texts import mask_number, normalise

SEARCH_MAX_CHARS = 60
_SEALED_AS = "registration.search"
_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z\s-]{3,}")


class KeyKind(StrEnum):
    """By which hash somebody is looked for."""

    NAME = "name"
    PERSON = "person"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class SearchKey:
    """A name, identity number or phone as a hash; ``masked`` is what may be shown of it."""

    kind: KeyKind
    hash: str
    masked: str

    @property
    def condition(self) -> ColumnElement[bool]:
        """The condition on ``Registration``."""
        match self.kind:
            case KeyKind.NAME:
                return Registration.name_hash == self.hash
            case KeyKind.PERSON:
                return Registration.subject_hash == self.hash
            case KeyKind.PHONE:
                return Registration.phone_hash == self.hash


class Search:
    """Reads what was typed, and carries it from page to page."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher
        self._sealer = Sealer(cipher)

    def read(self, typed: str, today: date) -> SearchKey | ReceiptNumber | Problem:
        """Return what ``typed`` looks for; a Problem says why nothing can be looked for."""
        text = normalise(typed)[:SEARCH_MAX_CHARS]
        if not text:
            return Problem("search.empty")
        receipt = parse_receipt(text)
        if isinstance(receipt, ReceiptNumber):
            return receipt
        if _NUMBER.fullmatch(text) and any(char.isdigit() for char in text):
            return self._number(text, today)
        letters = "".join(char for char in text if char.isalpha())
        if len(letters) < 2:
            return Problem("search.name_too_short")
        return SearchKey(KeyKind.NAME, self._sealer.name_hash(text), PersonName(text).masked())

    def token(self, key: SearchKey) -> str:
        """Return the key sealed, for an address."""
        sealed = self._cipher.seal(f"{key.kind}\n{key.hash}\n{key.masked}", _SEALED_AS)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def from_token(self, token: str) -> SearchKey | None:
        """Return the key again, ``None`` for anything that is no token of ours."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars="-_", validate=True)
            kind, found, masked = self._cipher.open(sealed, _SEALED_AS).split("\n")
        except (binascii.Error, ValueError, SealBroken):
            return None
        return SearchKey(KeyKind(kind), found, masked)

    def _number(self, text: str, today: date) -> SearchKey | Problem:
        mobile = parse_mobile(text)
        if isinstance(mobile, Mobile):
            return SearchKey(KeyKind.PHONE, self._sealer.phone_hash(mobile.text), mobile.masked())
        identity = parse_identity_number(text, today)
        number = identity.text if not isinstance(identity, Problem) else re.sub(r"[\s-]", "", text).upper()
        found = self._sealer.subject_hash(number)
        if found is None or len(number) < 5:
            return Problem("search.number_unknown")
        # A passport or permit has no check of its own, so any longer number may be one.
        return SearchKey(KeyKind.PERSON, found, mask_number(number))

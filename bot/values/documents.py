"""Documents other than, and including, the resident identity card: permits and passports by kind."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.values.characters import fold_digits
from bot.values.identity import IdentityNumber, parse_identity_number
from bot.values.problem import Problem


class DocumentKind(StrEnum):
    """Which document a number belongs to."""

    IDENTITY_CARD = "identity_card"
    RESIDENCE_PERMIT = "residence_permit"
    """居住证 for residents of Hong Kong, Macao and Taiwan: 810000, 820000, 830000."""
    HOME_RETURN_PERMIT = "home_return_permit"
    """来往内地通行证 of residents of Hong Kong and Macao."""
    TAIWAN_PERMIT = "taiwan_permit"
    PERMANENT_RESIDENCE = "permanent_residence"
    PASSPORT = "passport"


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A document's number; ``identity`` is set where the number itself states birth date and sex."""

    kind: DocumentKind
    text: str
    identity: IdentityNumber | None = None

    def masked(self) -> str:
        if self.identity is not None:
            return self.identity.masked()
        return f"{self.text[0]}{'*' * (len(self.text) - 3)}{self.text[-2:]}"

    def __repr__(self) -> str:
        return f"Document({self.kind}, {self.masked()})"


_KIND_WORDS = (
    (DocumentKind.RESIDENCE_PERMIT, re.compile("居住证")),
    (DocumentKind.PERMANENT_RESIDENCE, re.compile("永久居?留?|永居|五星卡|绿卡")),
    (DocumentKind.TAIWAN_PERMIT, re.compile("台胞证|台湾|大陆通行证")),
    (DocumentKind.HOME_RETURN_PERMIT, re.compile("回乡证|通行证")),
    (DocumentKind.PASSPORT, re.compile("护照")),
    (DocumentKind.IDENTITY_CARD, re.compile("身[份分]证|二代证")),
)
_PERMIT_AREAS = frozenset({"810000", "820000", "830000"})
_OLD_PERMANENT_RESIDENCE = re.compile("[A-Z]{3}[0-9]{12}")
_HOME_RETURN_PERMIT = re.compile("[HM](?:[0-9]{8}|[0-9]{10})")
_TAIWAN_PERMIT = re.compile("[0-9]{8}|(?=(?:[A-Z]*[0-9]){8})[0-9A-Z]{9,12}")
_PASSPORT = re.compile("(?=.*[0-9])[0-9A-Z]{5,17}")
_TOKEN = re.compile(r"[0-9A-Za-z](?:[\s-]?[0-9A-Za-z]){4,}")


def parse_document_kind(text: str) -> DocumentKind | Problem:
    """Return the kind of document that ``text`` names."""
    kinds = [kind for kind, words in _KIND_WORDS if words.search(text)]
    return kinds[0] if kinds else Problem("document.unknown_kind")


def kind_of(identity: IdentityNumber) -> DocumentKind:
    """Return which document carries this 18-character number."""
    if identity.text[:6] in _PERMIT_AREAS:
        return DocumentKind.RESIDENCE_PERMIT
    return DocumentKind.PERMANENT_RESIDENCE if identity.text.startswith("9") else DocumentKind.IDENTITY_CARD


def parse_document(text: str, kind: DocumentKind, today: date) -> Document | Problem:
    """Return the document number in ``text``.

    The three kinds with an 18-character number share one check, and the number decides among them, because people
    take one name for the other.
    """
    match kind:
        case DocumentKind.IDENTITY_CARD | DocumentKind.RESIDENCE_PERMIT:
            return _parse_numbered(text, today)
        case DocumentKind.PERMANENT_RESIDENCE:
            old = _shaped(text, _OLD_PERMANENT_RESIDENCE)
            return Document(kind, old) if old else _parse_numbered(text, today)
        case DocumentKind.HOME_RETURN_PERMIT:
            number = _shaped(text, _HOME_RETURN_PERMIT)
            return Document(kind, number) if number else Problem("document.home_return_permit")
        case DocumentKind.TAIWAN_PERMIT:
            number = _shaped(text, _TAIWAN_PERMIT)
            return Document(kind, number) if number else Problem("document.taiwan_permit")
        case DocumentKind.PASSPORT:
            number = _shaped(text, _PASSPORT)
            return Document(kind, number) if number else Problem("document.passport")


def _parse_numbered(text: str, today: date) -> Document | Problem:
    identity = parse_identity_number(text, today)
    if isinstance(identity, Problem):
        return identity
    return Document(kind_of(identity), identity.text, identity)


def _shaped(text: str, shape: re.Pattern[str]) -> str | None:
    """Return the first word of ``text`` that has the ``shape``, without blanks and dashes, in capitals."""
    for token in _TOKEN.findall(fold_digits(text)):
        plain = re.sub(r"[\s-]", "", token).upper()
        if shape.fullmatch(plain):
            return plain
    return None

"""Documents by kind."""

import pytest

from bot.values.documents import Document, DocumentKind, kind_of, parse_document, parse_document_kind
from bot.values.identity import IdentityNumber, check_character
from bot.values.problem import Problem
from tests.values.strategies import TODAY

WOMAN = "520602199003079980"
_PERMANENT = "911156199003079" + "98"
PERMANENT = _PERMANENT + check_character(_PERMANENT)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("身份证", DocumentKind.IDENTITY_CARD),
        ("身分证嘛", DocumentKind.IDENTITY_CARD),
        ("港澳台居民居住证", DocumentKind.RESIDENCE_PERMIT),
        ("港澳居民来往内地通行证", DocumentKind.HOME_RETURN_PERMIT),
        ("回乡证", DocumentKind.HOME_RETURN_PERMIT),
        ("台胞证", DocumentKind.TAIWAN_PERMIT),
        ("台湾居民来往大陆通行证", DocumentKind.TAIWAN_PERMIT),
        ("外国人永久居留身份证", DocumentKind.PERMANENT_RESIDENCE),
        ("护照", DocumentKind.PASSPORT),
    ],
)
def test_kind(text: str, kind: DocumentKind) -> None:
    assert parse_document_kind(text) is kind


def test_unknown_kind() -> None:
    assert parse_document_kind("学生证") == Problem("document.unknown_kind")


@pytest.mark.parametrize(
    ("text", "asked", "kind", "number"),
    [
        (WOMAN, DocumentKind.IDENTITY_CARD, DocumentKind.IDENTITY_CARD, WOMAN),
        ("810000199001019988", DocumentKind.IDENTITY_CARD, DocumentKind.RESIDENCE_PERMIT, "810000199001019988"),
        (PERMANENT, DocumentKind.PERMANENT_RESIDENCE, DocumentKind.PERMANENT_RESIDENCE, PERMANENT),
        ("chn 123456 789012", DocumentKind.PERMANENT_RESIDENCE, DocumentKind.PERMANENT_RESIDENCE, "CHN123456789012"),
        ("h12345678", DocumentKind.HOME_RETURN_PERMIT, DocumentKind.HOME_RETURN_PERMIT, "H12345678"),
        ("通行证M1234567801", DocumentKind.HOME_RETURN_PERMIT, DocumentKind.HOME_RETURN_PERMIT, "M1234567801"),
        ("12345678", DocumentKind.TAIWAN_PERMIT, DocumentKind.TAIWAN_PERMIT, "12345678"),
        ("护照号 E1234 5678", DocumentKind.PASSPORT, DocumentKind.PASSPORT, "E12345678"),
    ],
)
def test_document(text: str, asked: DocumentKind, kind: DocumentKind, number: str) -> None:
    document = parse_document(text, asked, TODAY)
    assert isinstance(document, Document)
    assert (document.kind, document.text) == (kind, number)
    assert (document.identity is not None) == (len(number) == 18)


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("A12345678", DocumentKind.HOME_RETURN_PERMIT, "document.home_return_permit"),
        ("H1234", DocumentKind.HOME_RETURN_PERMIT, "document.home_return_permit"),
        ("没得", DocumentKind.PASSPORT, "document.passport"),
        ("ABCDEF", DocumentKind.PASSPORT, "document.passport"),
        ("123", DocumentKind.TAIWAN_PERMIT, "document.taiwan_permit"),
        ("522201780101997", DocumentKind.IDENTITY_CARD, "identity.fifteen_digits"),
        ("522201780101997", DocumentKind.PERMANENT_RESIDENCE, "identity.fifteen_digits"),
    ],
)
def test_document_refused(text: str, kind: DocumentKind, code: str) -> None:
    result = parse_document(text, kind, TODAY)
    assert isinstance(result, Problem)
    assert result.code == code


def test_masks() -> None:
    assert Document(DocumentKind.PASSPORT, "E12345678").masked() == "E******78"
    assert Document(DocumentKind.IDENTITY_CARD, WOMAN, IdentityNumber(WOMAN)).masked() == "520*************80"
    assert "1234567" not in repr(Document(DocumentKind.PASSPORT, "E12345678"))


def test_kind_of_a_number() -> None:
    assert kind_of(IdentityNumber(PERMANENT)) is DocumentKind.PERMANENT_RESIDENCE
    assert kind_of(IdentityNumber("830000199001019988")) is DocumentKind.RESIDENCE_PERMIT
    assert kind_of(IdentityNumber(WOMAN)) is DocumentKind.IDENTITY_CARD

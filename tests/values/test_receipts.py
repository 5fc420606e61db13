"""Receipt numbers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.problem import Problem
from bot.values.receipts import ReceiptNumber, build_receipt, find_receipts, parse_receipt

RECEIPT = ReceiptNumber("QG", date(2026, 7, 13), 42)


def test_build() -> None:
    assert build_receipt("QG", date(2026, 7, 13), 42) == RECEIPT
    assert str(RECEIPT) == "QG26-0713-0042"
    assert str(build_receipt("SC", date(2026, 1, 2), 123_456)) == "SC26-0102-123456"


@pytest.mark.parametrize(
    ("prefix", "day", "serial"),
    [
        ("qg", date(2026, 7, 13), 1),
        ("QGX", date(2026, 7, 13), 1),
        ("ＱＧ", date(2026, 7, 13), 1),
        ("QG", date(1999, 7, 13), 1),
        ("QG", date(2026, 7, 13), -1),
        ("QG", date(2026, 7, 13), 1_000_000),
    ],
)
def test_what_could_not_be_read_back_is_not_built(prefix: str, day: date, serial: int) -> None:
    with pytest.raises(ValueError, match="receipt"):
        build_receipt(prefix, day, serial)


@pytest.mark.parametrize(
    "text",
    [
        "QG26-0713-0042",
        "qg26-0713-0042",
        "ＱＧ２６－０７１３－００４２",
        "QG26 0713 0042",
        "QG2607130042",
        "qg 26 - 0713 - 0042",
        "我的受理号是QG26-0713-0042，帮我查下",
        "QG26—0713—0042",
    ],
)
def test_receipt_in_every_form(text: str) -> None:
    assert parse_receipt(text) == RECEIPT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0042", "receipt.incomplete"),
        ("42号", "receipt.incomplete"),
        ("QG26-1313-0042", "receipt.wrong_date"),
        ("QG26-0713-0042和SC26-0713-0042", "receipt.several"),
        ("查进度", "receipt.not_found"),
        ("13800000000", "receipt.not_found"),
        ("", "receipt.not_found"),
    ],
)
def test_refused(text: str, code: str) -> None:
    assert parse_receipt(text) == Problem(code)


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.integers(0, 999_999),
    st.sampled_from(["{}", "受理号{}", "{}。", "查一下 {} 谢谢"]),
    st.booleans(),
)
def test_a_receipt_is_read_back(prefix: str, day: date, serial: int, pattern: str, lower: bool) -> None:
    receipt = build_receipt(prefix, day, serial)
    written = str(receipt).lower() if lower else str(receipt)
    assert parse_receipt(pattern.format(written)) == receipt
    text = pattern.format(written.replace("-", ""))
    assert [(hit.value, text[hit.start : hit.end]) for hit in find_receipts(text)] == [
        (receipt, written.replace("-", ""))
    ]

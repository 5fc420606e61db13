"""Receipt numbers: two letters of the service, the day of submission and a serial, for instance QG26-0713-0042."""

import re
from dataclasses import dataclass
from datetime import date

from bot.values.characters import fold_digits
from bot.values.found import Found, only_value
from bot.values.problem import Problem

MAX_SERIAL = 999_999

_RECEIPT = re.compile(
    r"(?<![A-Za-z0-9])(?P<prefix>[A-Za-z]{2})[\s-]{0,3}(?P<year>[0-9]{2})[\s-]{0,3}"
    r"(?P<month>[0-9]{2})\s?(?P<day>[0-9]{2})[\s-]{0,3}(?P<serial>[0-9]{4,6})(?![0-9])"
)
_SERIAL_ALONE = re.compile(r"[\s#:号]*[0-9]{1,4}[\s号。.]*")


@dataclass(frozen=True, slots=True)
class ReceiptNumber:
    """``str()`` gives the form that people read; ``day`` is the day of submission, in this century."""

    prefix: str
    day: date
    serial: int

    def __str__(self) -> str:
        return f"{self.prefix}{self.day:%y-%m%d}-{self.serial:04d}"


def build_receipt(prefix: str, day: date, serial: int) -> ReceiptNumber:
    """Return the receipt number; raises ``ValueError`` for a prefix, day or serial that could not be read back."""
    is_prefix = len(prefix) == 2 and prefix.isascii() and prefix.isalpha() and prefix.isupper()
    if not is_prefix or not 2000 <= day.year <= 2099 or not 0 <= serial <= MAX_SERIAL:
        raise ValueError("a receipt has two capital letters, a day of this century and a serial of up to six digits")
    return ReceiptNumber(prefix, day, serial)


def find_receipts(text: str) -> tuple[Found[ReceiptNumber], ...]:
    """Return the receipt numbers in ``text``, in any case, width and spacing."""
    found = []
    for match in _RECEIPT.finditer(fold_digits(text)):
        receipt = _read(match)
        if receipt is not None:
            found.append(Found(receipt, match.start(), match.end()))
    return tuple(found)


def parse_receipt(text: str) -> ReceiptNumber | Problem:
    """Return the one receipt number in ``text``."""
    found = find_receipts(text)
    if found:
        receipt = only_value(found)
        return Problem("receipt.several") if receipt is None else receipt
    folded = fold_digits(text)
    if _RECEIPT.search(folded):
        return Problem("receipt.wrong_date")
    return Problem("receipt.incomplete" if _SERIAL_ALONE.fullmatch(folded) else "receipt.not_found")


def _read(match: re.Match[str]) -> ReceiptNumber | None:
    try:
        day = date(2000 + int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
    return ReceiptNumber(match["prefix"].upper(), day, int(match["serial"]))

"""The unified social credit code of an organisation (GB 32100-2015), 18 characters.

A wrong check character is only a warning: some lawful early codes do not follow the rule.
"""

import re
from dataclasses import dataclass

from bot.values.characters import fold
from bot.values.found import Found, only_value
from bot.values.problem import Problem

CODE_CHARS = 18
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
UNION_DEPARTMENT = "8"

_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_PLACE = {char: place for place, char in enumerate(ALPHABET)}
# The alphabet leaves out I and O because they are taken for 1 and 0; so they were meant.
_LOOK_ALIKES = str.maketrans("IO", "10")
_CANDIDATE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z](?:[\s-]?[0-9A-Za-z]){17}(?![0-9A-Za-z])")
_RUN = re.compile(r"[0-9A-Za-z](?:[\s-]?[0-9A-Za-z])*")
_SEPARATORS = re.compile(r"[\s-]")
_SHORTEST_ATTEMPT = 8


@dataclass(frozen=True, slots=True)
class CreditCode:
    """Eighteen characters; ``is_checked`` tells whether the check character fits, and never refuses a code."""

    text: str

    @property
    def is_checked(self) -> bool:
        return check_character(self.text[:17]) == self.text[17]

    @property
    def is_union(self) -> bool:
        """Whether the code was given out by the trade unions themselves (first character 8)."""
        return self.text.startswith(UNION_DEPARTMENT)


def check_character(first_seventeen: str) -> str:
    """Return the 18th character for seventeen characters of ``ALPHABET``."""
    total = sum(_PLACE[char] * weight for char, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def find_credit_codes(text: str) -> tuple[Found[CreditCode], ...]:
    """Return the codes in ``text`` whose check character fits; others could be anything."""
    found = []
    for match in _CANDIDATE.finditer(fold(text)):
        code = _plain(match[0])
        if _bad_place(code) is None and CreditCode(code).is_checked:
            found.append(Found(CreditCode(code), match.start(), match.end()))
    return tuple(found)


def parse_credit_code(text: str) -> CreditCode | Problem:
    """Return the one code in ``text``; look at ``is_checked`` to warn."""
    found = find_credit_codes(text)
    if found:
        code = only_value(found)
        return Problem("credit_code.several") if code is None else code
    attempt = max(map(_plain, _RUN.findall(fold(text))), key=len, default="")
    if len(attempt) < _SHORTEST_ATTEMPT:
        return Problem("credit_code.not_found")
    if len(attempt) < CODE_CHARS:
        return Problem("credit_code.too_short", {"missing": CODE_CHARS - len(attempt)})
    if len(attempt) > CODE_CHARS:
        return Problem("credit_code.too_long", {"extra": len(attempt) - CODE_CHARS})
    bad_place = _bad_place(attempt)
    return CreditCode(attempt) if bad_place is None else Problem("credit_code.bad_character", {"position": bad_place})


def _plain(text: str) -> str:
    return _SEPARATORS.sub("", text).upper().translate(_LOOK_ALIKES)


def _bad_place(code: str) -> int | None:
    """Return the place, counted from 1, of the first character that no code has."""
    return next((place for place, char in enumerate(code, start=1) if char not in _PLACE), None)

"""The 18-character identity number of GB 11643, and the permits that are numbered in the same way.

A number that reads well is well formed, not proven: only staff or a registry can tell whose it is. The first six
characters never say where somebody lives or works, and old or unknown ones are as good as current ones.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.values.characters import fold_digits
from bot.values.found import Found, only_value
from bot.values.problem import Problem

NUMBER_CHARS = 18
OLD_NUMBER_CHARS = 15
MAX_AGE_YEARS = 120

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARS = "10X98765432"

_SPOKEN_X = re.compile("艾克斯|爱克斯|埃克斯|唉克斯|叉叉?|[×✕✖хХχΧ]|(?<=[0-9]{17})[插差查]")
_CANDIDATE = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[\s-]?[0-9]){16}[\s-]?[0-9Xx](?![0-9A-Za-z])")
_SEPARATORS = re.compile(r"[\s\-_.·,、]+")
_WHOLE = re.compile(r"[0-9](?:.*[0-9Xx])?", re.DOTALL)
_TOKEN = re.compile(r"[0-9A-Za-z*]{5,}")
_SPACED_TOKEN = re.compile(r"[0-9A-Za-z*](?:[\s\-.·]{0,2}[0-9A-Za-z*]){4,}")
_LOOK_ALIKES = str.maketrans("OolI|", "00111")
_SHORTEST_ATTEMPT = 5
_DIGITS = "0123456789"


class Sex(StrEnum):
    """Sex as the document states it."""

    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True, slots=True, repr=False)
class IdentityNumber:
    """A well-formed 18-character number. ``repr`` and ``str`` are masked; ``text`` is the plain value."""

    text: str

    @property
    def birth_date(self) -> date:
        return date(int(self.text[6:10]), int(self.text[10:12]), int(self.text[12:14]))

    @property
    def sex(self) -> Sex:
        return Sex.MALE if int(self.text[16]) % 2 else Sex.FEMALE

    def age_on(self, day: date) -> int:
        """Return the age in whole years; born on 29 February, a year is complete on 1 March in common years."""
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    def masked(self) -> str:
        return f"{self.text[:3]}{'*' * (NUMBER_CHARS - 5)}{self.text[-2:]}"

    def __repr__(self) -> str:
        return f"IdentityNumber({self.masked()})"


def check_character(first_seventeen: str) -> str:
    """Return the 18th character for seventeen digits (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK_CHARS[total % 11]


def find_identity_numbers(text: str, today: date) -> tuple[Found[IdentityNumber], ...]:
    """Return the 18-character numbers in ``text`` that pass every check."""
    found = []
    for match in _CANDIDATE.finditer(_with_plain_x(text)):
        number = _SEPARATORS.sub("", match[0]).upper()
        if isinstance(_check(number, today), IdentityNumber):
            found.append(Found(IdentityNumber(number), match.start(), match.end()))
    return tuple(found)


def parse_identity_number(text: str, today: date) -> IdentityNumber | Problem:
    """Return the one identity number in ``text``, or the first fault of the number that was tried.

    Takes residents' numbers, residence permits (81, 82, 83…) and the permanent residence permit of 2023 (9…).
    """
    found = find_identity_numbers(text, today)
    if found:
        number = only_value(found)
        return Problem("identity.several") if number is None else number
    attempt = _attempt(text)
    if len(attempt) < _SHORTEST_ATTEMPT:
        return Problem("identity.not_found")
    return _check(attempt, today)


def upgrade_fifteen(number: str, today: date) -> IdentityNumber | Problem:
    """Return the 18-character candidate for an old 15-digit number, for staff to confirm against a file."""
    plain = _SEPARATORS.sub("", fold_digits(number))
    if not re.fullmatch("[0-9]{15}", plain):
        return Problem("identity.not_fifteen_digits")
    first_seventeen = f"{plain[:6]}19{plain[6:]}"
    return _check(first_seventeen + check_character(first_seventeen), today)


def _with_plain_x(text: str) -> str:
    """Fold digits and write a spoken X as X, padded with blanks so that places stay the same."""
    return _SPOKEN_X.sub(lambda match: "X".ljust(len(match[0])), fold_digits(text))


def _attempt(text: str) -> str:
    """Return what was most likely meant as the number, without blanks and dashes."""
    folded = _with_plain_x(text)
    whole = _WHOLE.search(folded)
    core = _SEPARATORS.sub("", whole[0]) if whole else ""
    if len(core) <= NUMBER_CHARS + 4 and sum(char in _DIGITS for char in core) >= 10:
        return _without_look_alikes(core)
    tokens = [match[0] for match in _TOKEN.finditer(folded)]
    if not any(len(token) > 11 for token in tokens):
        tokens += [_SEPARATORS.sub("", match[0]) for match in _SPACED_TOKEN.finditer(folded)]
    tokens = [token for token in tokens if any(char in _DIGITS for char in token)]
    return _without_look_alikes(max(tokens, key=len, default=""))


def _without_look_alikes(attempt: str) -> str:
    return attempt.translate(_LOOK_ALIKES).upper()


def _check(number: str, today: date) -> IdentityNumber | Problem:
    for problem in (_check_length(number), _check_characters(number), _check_birth(number, today)):
        if problem is not None:
            return problem
    if check_character(number[:17]) != number[17]:
        return Problem("identity.check_digit")
    return IdentityNumber(number)


def _check_length(number: str) -> Problem | None:
    if len(number) == OLD_NUMBER_CHARS and number.isdecimal() and _is_date(f"19{number[6:12]}"):
        return Problem("identity.fifteen_digits")
    if len(number) < NUMBER_CHARS:
        return Problem("identity.too_short", {"missing": NUMBER_CHARS - len(number)})
    if len(number) > NUMBER_CHARS:
        return Problem("identity.too_long", {"extra": len(number) - NUMBER_CHARS})
    return None


def _check_characters(number: str) -> Problem | None:
    for position, char in enumerate(number, start=1):
        if char not in _DIGITS and not (char == "X" and position == NUMBER_CHARS):
            return Problem("identity.bad_character", {"position": position})
    return None


def _check_birth(number: str, today: date) -> Problem | None:
    if not _is_date(number[6:14]):
        return Problem("identity.impossible_date")
    identity = IdentityNumber(number)
    if identity.birth_date > today:
        return Problem("identity.future_date")
    return Problem("identity.age") if identity.age_on(today) > MAX_AGE_YEARS else None


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True

"""Telephone numbers, typed or spoken: mobiles (138 0000 0000, 一三八…, +86 …) and landlines (0856-5220000)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.values.characters import fold_digits
from bot.values.found import Found, only_value
from bot.values.problem import Problem

MOBILE_DIGITS = 11
_DIGITS = frozenset("0123456789")
_FEWEST_DIGITS_SPOKEN = 5
"""Below this there is no number however it is spoken: 三个八 … needs no second look."""

# No list of carriers' prefixes: numbers move between carriers and new prefixes appear.
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[0-9]{2,3}[0-9]{7,8}")

_COUNTRY = r"(?:(?<![0-9])(?:\(?\+?\s?86\)?|0086)[\s-]{0,2})?"
# Six digits and a blank in front are the start of an identity number, not another word.
_WHOLE_MOBILE = re.compile(
    rf"(?<![0-9A-Za-z])(?<!^[0-9]{{6}}[\s-])(?<![^0-9][0-9]{{6}}[\s-]){_COUNTRY}(?<![0-9])(?P<bare>1[3-9][0-9]{{9}})(?![0-9])"
)
_JOINED_MOBILE = re.compile(r"(?<![0-9])(?:0086|\+?86)(?P<bare>1[3-9][0-9]{9})(?![0-9])")
_SPACED_MOBILE = re.compile(
    rf"(?<![0-9A-Za-z])(?<![0-9][\s-]){_COUNTRY}(?P<bare>1[\s-]?[3-9](?:[\s\-.·,、]?[0-9]){{9}})(?![\s-]?[0-9])"
)
_SPACED_LANDLINE = re.compile(
    r"(?<![0-9])(?<![0-9]-)\(?(?P<area>0[0-9]{2,3})\)?[\s-]?(?P<local>[2-9](?:[\s-]?[0-9]){6,7})"
    r"(?:[\s-]?(?:-|转|分机)\s?(?P<extension>[0-9]{1,6}))?(?![0-9])"
)
_LOCAL_ONLY = re.compile(r"[2-8][0-9]{6,7}")
_RUN = re.compile(r"\+?[0-9](?:[\s\-.·,、()]{0,2}[0-9])*")
_SHORTEST_ATTEMPT = 5

# How numbers are spoken, or written down by whoever listens. Tried only where plain digits show no number.
_ONE_BY_ONE = {"拐": "7", "勾": "9", "钩": "9"} | dict.fromkeys("要妖腰邀夭", "1")
_TIMES = {"双": 2, "俩": 2, "仨": 3}
_ODD_DIGIT = f"[{''.join(_ONE_BY_ONE)}]"
_SPOKEN_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?:([2-8])个|([双俩仨])个?)([0-9])"), lambda match: match[3] * _times(match)),
    (
        re.compile(
            r"(?<=[0-9拐勾钩])(?:[嗯呃额啊哦,。、\s]|那个|然后|后面是?|接着是?|再来?)+(?=[0-9拐勾钩要妖腰邀夭])"
        ),
        lambda _: " ",
    ),
    (
        # 拐 after digits and before more of them, or before what does not go on as a word; 要 at the very beginning.
        re.compile(
            rf"(?<=[0-9])[\s,]?{_ODD_DIGIT}(?:[\s,]?{_ODD_DIGIT})*(?=[\s,]?[0-9]|$|[^\u4e00-\u9fff]|[哈嘛嘞了是的])"
            r"|[要妖腰邀夭](?=[3-9](?:[\s-]?[0-9]){2})"
        ),
        lambda match: "".join(_ONE_BY_ONE.get(char, char) for char in match[0]),
    ),
    (re.compile(r"1百([3-9])十([0-9])(?=[\s,-]?[0-9]{4})"), lambda match: f"1{match[1]}{match[2]}"),
)


@dataclass(frozen=True, slots=True, repr=False)
class Mobile:
    """Eleven digits. ``repr`` and ``str`` are masked, so that a log line never holds it."""

    text: str

    def masked(self) -> str:
        return f"{self.text[:3]}****{self.text[-4:]}"

    def __repr__(self) -> str:
        return f"Mobile({self.masked()})"


@dataclass(frozen=True, slots=True, repr=False)
class Landline:
    """Area code, local number and extension ("" when there is none); ``text`` is the usual spelling."""

    area: str
    local: str
    extension: str = ""

    @property
    def text(self) -> str:
        tail = f"-{self.extension}" if self.extension else ""
        return f"{self.area}-{self.local}{tail}"

    def masked(self) -> str:
        return f"{self.area}-{'*' * (len(self.local) - 2)}{self.local[-2:]}"

    def __repr__(self) -> str:
        return f"Landline({self.masked()})"


def find_mobiles(text: str) -> tuple[Found[Mobile], ...]:
    """Return the mobile numbers in ``text``; digits that belong to a longer number are left alone."""
    folded = fold_digits(text)
    found = _plain_mobiles(folded)
    for hit in found:
        folded = f"{folded[: hit.start]}{'#' * (hit.end - hit.start)}{folded[hit.end :]}"
    if sum(char in _DIGITS for char in folded) < _FEWEST_DIGITS_SPOKEN:
        return found
    spelt_out, places = _spelt_out(folded)
    spoken = (Found(hit.value, places[hit.start], places[hit.end]) for hit in _plain_mobiles(spelt_out))
    return tuple(sorted((*found, *spoken), key=lambda hit: hit.start))


def _plain_mobiles(folded: str) -> tuple[Found[Mobile], ...]:
    found: dict[int, Found[Mobile]] = {}
    for pattern in (_WHOLE_MOBILE, _JOINED_MOBILE, _SPACED_MOBILE):
        for match in pattern.finditer(folded):
            hit = Found(Mobile(_digits(match["bare"])), match.start(), match.end())
            found.setdefault(match.end(), hit)
    return tuple(found[end] for end in sorted(found))


def parse_mobile(text: str) -> Mobile | Problem:
    """Return the one mobile number in ``text``, or what is wrong with the number that was tried."""
    found = find_mobiles(text)
    if found:
        mobile = only_value(found)
        return Problem("mobile.several") if mobile is None else mobile
    attempt = _attempt(_spelt_out(fold_digits(text))[0])
    if len(attempt) < _SHORTEST_ATTEMPT:
        return Problem("mobile.not_found")
    if _LANDLINE.fullmatch(attempt):
        return Problem("mobile.landline")
    if len(attempt) < MOBILE_DIGITS:
        return Problem("mobile.too_short", {"missing": MOBILE_DIGITS - len(attempt)})
    if len(attempt) > MOBILE_DIGITS:
        return Problem("mobile.too_long", {"extra": len(attempt) - MOBILE_DIGITS})
    return Mobile(attempt) if _MOBILE.fullmatch(attempt) else Problem("mobile.not_a_mobile")


def find_landlines(text: str) -> tuple[Found[Landline], ...]:
    """Return the landline numbers with area code in ``text``."""
    return tuple(
        Found(Landline(match["area"], _digits(match["local"]), match["extension"] or ""), match.start(), match.end())
        for match in _SPACED_LANDLINE.finditer(fold_digits(text))
    )


def parse_landline(text: str) -> Landline | Problem:
    """Return the one landline number in ``text``; the area code is needed."""
    found = find_landlines(text)
    if found:
        landline = only_value(found)
        return Problem("landline.several") if landline is None else landline
    attempt = _attempt(text)
    return Problem("landline.no_area_code" if _LOCAL_ONLY.fullmatch(attempt) else "landline.not_found")


def parse_phone(text: str) -> Mobile | Landline | Problem:
    """Return a mobile or, failing that, a landline; the problem is told as for a mobile."""
    mobile = parse_mobile(text)
    if isinstance(mobile, Mobile):
        return mobile
    landline = parse_landline(text)
    if isinstance(landline, Landline) or landline.code == "landline.no_area_code":
        return landline
    return mobile


def _spelt_out(folded: str) -> tuple[str, list[int]]:
    """Return 138双5三个8 as 13855888, and for each of its places (and its end) the place in ``folded``."""
    places = [*range(len(folded) + 1)]
    for pattern, spell in _SPOKEN_FORMS:
        text, origins, position = "", list[int](), 0
        for match in pattern.finditer(folded):
            digits = spell(match)
            text += folded[position : match.start()] + digits
            origins += places[position : match.start()] + [places[match.start()]] * len(digits)
            position = match.end()
        folded, places = text + folded[position:], origins + places[position:]
    return folded, places


def _times(match: re.Match[str]) -> int:
    return int(match[1]) if match[1] else _TIMES[match[2]]


def _attempt(text: str) -> str:
    """Return the digits that were most likely meant as the number, without a country code."""
    digits = max(map(_digits, _RUN.findall(fold_digits(text))), key=len, default="")
    for code in ("0086", "86"):
        if digits.startswith(code + "1") and len(digits) >= len(code) + MOBILE_DIGITS - 1:
            return digits.removeprefix(code)
    return digits


def _digits(text: str) -> str:
    return "".join(char for char in text if char in _DIGITS)

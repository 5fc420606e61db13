"""Quantities as people say them: exact (一万二, 3千5) and about (十几, 三四十, 八千多, 5-8千, 万把).

The layer under counts and money; it does not know what is being counted.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

MAX_NUMERAL_CHARS = 16

_DIGITS = "零〇一二两三四五六七八九"
_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_SPELLINGS = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟俩仨〇kKwW", "一二三四五六七八九十百千两三零千千万万")
_VALUE_BY_DIGIT = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}

_PLAIN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?")
_WITH_COMMAS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){1,3}(?:\.[0-9]{1,2})?")
_DIGITS_ONLY = re.compile(f"[{_DIGITS}]+")
_DECIMAL = re.compile(rf"(?P<whole>[0-9{_DIGITS}十百千]+)[点.](?P<part>[0-9{_DIGITS}]{{1,4}})(?P<unit>[百千万亿]?)")
_MIXED = re.compile(rf"(?=.*[0-9{_DIGITS}十])[0-9{_DIGITS}十百千万亿]+")
_PAIR = re.compile(f"(?<![{_DIGITS}])([一二两三四五六七八])([二两三四五六七八九])(?![{_DIGITS}])")

_BEFORE = "大概|大约|差不多|可能|估计|约|将近|接近|不到|不足|快到|快要|快|近|上|至少|起码|最少|不超过|超过|最多"
_AFTER = "左右|上下|以上|以下|以内|之内|不到|出头|多|来"
_NEAR = frozenset({"将近", "接近", "不到", "不足", "快到", "快要", "快", "近"})
_NUMERAL_CHARS = f"{_DIGITS}十百千万亿廿卅几壹贰叁肆伍陆柒捌玖拾佰仟"
_NUMERAL = (
    rf"[0-9{_NUMERAL_CHARS}俩仨]"
    rf"(?:[0-9{_NUMERAL_CHARS}]|[.点](?=[0-9{_DIGITS}])|,(?=[0-9]{{3}}(?![0-9]))|[kKwW](?![a-zA-Z]))*"
)
_NO_NUMBER = "一[共起样直定些般下边切会向旦路]"
_JOINT = re.compile(r"\s*(?:到|至|-|~)\s*")
_PAUSE = re.compile(r"\s*、\s*")


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``; ``about`` when no exact ends were meant, ``inside`` when both ends are left out."""

    low: Decimal
    high: Decimal
    about: bool = False
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """An interval at ``text[start:end]``, the word of measure after it and the unit it ends in ("" for none)."""

    interval: Interval
    start: int
    end: int
    measure: str
    unit: str


def read_number(text: str) -> Decimal | None:
    """Return the value of one exact numeral (13, 3,000.50, 一万二, 3千5, 1.2万, 二〇二六), or ``None``."""
    numeral = text.translate(_SPELLINGS).replace("廿", "二十").replace("卅", "三十")
    if not numeral or len(numeral) > MAX_NUMERAL_CHARS:
        return None
    if _PLAIN.fullmatch(numeral):
        return Decimal(numeral)
    if _WITH_COMMAS.fullmatch(numeral):
        return Decimal(numeral.replace(",", ""))
    if _DIGITS_ONLY.fullmatch(numeral):
        return Decimal("".join(str(_VALUE_BY_DIGIT[char]) for char in numeral))
    if decimal := _DECIMAL.fullmatch(numeral):
        return _read_decimal(decimal)
    if not _MIXED.fullmatch(numeral):
        return None
    return _read_mixed(numeral)


@lru_cache(maxsize=2048)
def _read_mixed(numeral: str) -> Decimal | None:
    # With its tables it takes 4 MB, for processes that listen to people.
    import cn2an

    try:
        return Decimal(str(cn2an.cn2an(numeral, "smart")))
    except (ValueError, KeyError):
        # The library means ValueError; it trips over its own table for a few numerals such as 百十五.
        return None


def _read_decimal(match: re.Match[str]) -> Decimal | None:
    whole = read_number(match["whole"])
    if whole is None:
        return None
    part = "".join(str(_VALUE_BY_DIGIT.get(char, char)) for char in match["part"])
    return (whole + Decimal(f"0.{part}")) * _UNITS.get(match["unit"], 1)


class IntervalScanner:
    """Finds quantities, exact or about, in folded text.

    ``measure`` is the pattern of the words that may stand behind a number, for instance ``人|个``.
    """

    def __init__(self, measure: str) -> None:
        self._atom = re.compile(
            rf"(?P<before>{_BEFORE})?\s?(?!{_NO_NUMBER})(?P<numeral>{_NUMERAL})(?P<more>多|来|余|把)?\s?(?P<unit>[百千万亿]?)"
            rf"\s?(?P<measure>{measure})?(?P<after>{_AFTER})?"
        )

    def scan(self, folded: str) -> list[Reading]:
        """Return the readings in their order; two numbers joined by 到, 至, - or ~ are one reading."""
        readings: list[Reading] = []
        for match in self._atom.finditer(folded):
            interval = _read_atom(match)
            if interval is None:
                continue
            unit = match["unit"] or match["numeral"][-1].translate(_SPELLINGS)
            reading = Reading(
                interval, match.start(), match.end(), match["measure"] or "", unit if unit in _UNITS else ""
            )
            joined = _joined(folded, readings[-1], reading) if readings else None
            if joined is None:
                readings.append(reading)
            else:
                readings[-1] = joined
        return readings


def _read_atom(match: re.Match[str]) -> Interval | None:
    numeral, before = match["numeral"], match["before"] or ""
    interval = _read_bare_unit(numeral, before, match["more"] or "") or _read_ends(numeral)
    if interval is None:
        return None
    step = _step(numeral, interval.high)
    if match["more"] in {"多", "余"} or match["after"] == "多":
        interval = Interval(interval.low, interval.high + step, about=True, inside=True)
    if match["unit"]:
        factor = Decimal(_UNITS[match["unit"]])
        interval = replace(interval, low=interval.low * factor, high=interval.high * factor)
        step *= factor
    if before in _NEAR or match["after"] == "不到":
        return Interval(max(interval.low - step, Decimal(0)), interval.high, about=True)
    if before or match["more"] or match["after"]:
        return replace(interval, about=True)
    return interval


def _read_bare_unit(numeral: str, before: str, more: str) -> Interval | None:
    """Read 百把, 千把, 万把 (about one unit) and 上百, 上千, 上万 (one to two units)."""
    unit = _UNITS.get(numeral.translate(_SPELLINGS))
    if unit is None or unit == _UNITS["十"]:
        return None
    if more == "把":
        return Interval(Decimal(unit), Decimal(unit), about=True)
    if before == "上":
        return Interval(Decimal(unit), Decimal(unit * 2), about=True)
    return None


def _read_ends(numeral: str) -> Interval | None:
    plain = numeral.translate(_SPELLINGS)
    if "几" in plain:
        position = plain.index("几")
        lowest = "一" if position else "二"
        return _between(plain.replace("几", lowest, 1), plain.replace("几", "九", 1))
    if pair := _PAIR.search(plain):
        first, second = pair.groups()
        if 0 < _VALUE_BY_DIGIT[second] - _VALUE_BY_DIGIT[first] <= 2:
            head, tail = plain[: pair.start()], plain[pair.end() :]
            return _between(head + first + tail, head + second + tail)
    value = read_number(plain)
    return None if value is None else Interval(value, value)


def _between(low_numeral: str, high_numeral: str) -> Interval | None:
    low, high = read_number(low_numeral), read_number(high_numeral)
    return None if low is None or high is None else Interval(low, high, about=True)


def _step(numeral: str, value: Decimal) -> Decimal:
    """Return the size of the smallest part that was named: 10 for 三十 and 30, 1000 for 八千."""
    if (unit := _UNITS.get(numeral[-1].translate(_SPELLINGS))) is not None:
        return Decimal(unit)
    digits = str(int(value))
    return Decimal(10 ** (len(digits) - len(digits.rstrip("0")))) if value else Decimal(1)


def _joined(folded: str, first: Reading, second: Reading) -> Reading | None:
    """Return both numbers as one range when a word for 到 stands between them and the range does not run down.

    In 5-8千 and 三到五万 the unit of the second number counts for both; 3、4个 is an estimate, 3、10个 a list.
    """
    low, high = first.interval.low, second.interval.high
    if _JOINT.fullmatch(folded, first.end, second.start):
        factor = _UNITS.get(second.unit, 1)
        if not first.unit and not first.measure and low < high / factor:
            low *= factor
    elif first.measure or not _PAUSE.fullmatch(folded, first.end, second.start) or high - low > 1:
        return None
    if low > high:
        return None
    about = first.interval.about or second.interval.about
    return Reading(Interval(low, high, about), first.start, second.end, second.measure or first.measure, second.unit)

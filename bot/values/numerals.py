"""Numbers and head counts in the words of a chat: 13, 一万二, 十几个人, 三十多, 我们五个."""

import re
from dataclasses import dataclass
from decimal import Decimal

from bot.values.characters import SPOKEN_DIGITS, fold, fold_digits
from bot.values.found import Found
from bot.values.problem import Problem
from bot.values.quantities import IntervalScanner, Reading, read_number

MAX_COUNT = 1_000_000

_CHARS = "0-9零〇一二两三四五六七八九十百千万亿廿卅"
_NUMBER = re.compile(f"[{_CHARS}](?:[{_CHARS}]|[.点,](?=[0-9]))*")
_TAIL = re.compile(r"[\s,。.!;、]*(?:嘛|嘞|咯|哦|哈|噻|吧|呢|啊)*[\s,。.!;、]*$")
_LEAD = re.compile(r"^\s*(?:是|有|大概是|一共|总共|共)\s*")

_PEOPLE = (
    "(?:个|位|名|口|号|来)?(?:人|员工|工人|工友|同事|职工|兄弟|姐妹|伙计|师傅)"
    "|口子|个(?!月|星期|礼拜|小时|钟|半|多|点|班|组|队|厂|车间|公司|单位|部门|工地|项目|小组)|位|名"
)
_SCANNER = IntervalScanner(_PEOPLE)
_ALONE = re.compile("就我(?:自己|一个)?|我自己|只有我|我个人|我独自|单独")
_ONE_HOUSE = re.compile("一(?=家[0-9一二两三四五六七八九十]+口)")
_ODD_TEN = re.compile("(?<=[十百千])好几")
_VAGUE = re.compile("好多|很多|许多|不少|一群|一大群|一帮|全部|大家|几十上百|记不清|不晓得|不清楚|不知道|晓不得")
_FILLERS = re.compile(
    r"[\s,。.!;、我们咱俺你他她它有是共总一起大家个家口都的了嘛嘞咯哦哈噻吧啊呢来那就加上包括在内]*"
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many: ``low`` to ``high``, both included; equal when one number was said. ``about`` marks an estimate."""

    low: int
    high: int
    about: bool = False


def digits_of(text: str) -> str:
    """Return the decimal digits of ``text`` in order, spoken ones (一, 幺, 洞) and full-width ones included."""
    return "".join(char for char in fold_digits(text) if char in SPOKEN_DIGITS.values())


def small_number(text: str) -> int | None:
    """Return the value of a short whole numeral (25, 二十五, 廿五), or ``None``; quick, for dates and options."""
    if text.isascii():
        return int(text) if text.isdecimal() else None
    value = _SMALL.get(text)
    if value is not None:
        return value
    number = read_number(text)
    return int(number) if number is not None and number == number.to_integral_value() else None


def _build_small_numbers() -> dict[str, int]:
    digits = "零一二三四五六七八九"
    table = {digit: value for value, digit in enumerate(digits)} | {"两": 2, "〇": 0, "十": 10}
    for tens in range(1, 10):
        for ones in range(10):
            tail = digits[ones] if ones else ""
            heads = [digits[tens] + "十"] + (["十"] if tens == 1 else []) + (["廿"] if tens == 2 else [])
            table.update((head + tail, tens * 10 + ones) for head in heads)
    return table


_SMALL = _build_small_numbers()


def parse_decimal(text: str) -> Decimal | Problem:
    """Return the one number that ``text`` is (decorations such as 是… or …嘛 are dropped)."""
    core = _TAIL.sub("", _LEAD.sub("", fold(text)))
    value = read_number(core.replace(" ", ""))
    return Problem("number.unreadable") if value is None else value


def parse_integer(text: str) -> int | Problem:
    """Return the one whole number that ``text`` is."""
    value = parse_decimal(text)
    if isinstance(value, Problem):
        return value
    return int(value) if value == value.to_integral_value() else Problem("number.not_whole")


def find_numbers(text: str) -> tuple[Found[Decimal], ...]:
    """Return the exact numbers in ``text``, in their order."""
    found = []
    for match in _NUMBER.finditer(fold(text)):
        value = read_number(match[0])
        if value is not None:
            found.append(Found(value, match.start(), match.end()))
    return tuple(found)


def find_counts(text: str) -> tuple[Found[Count], ...]:
    """Return the numbers of people in ``text``: only numbers that a word for people follows."""
    readings = (reading for reading in _SCANNER.scan(fold(text)) if reading.measure and _is_whole(reading))
    found = (Found(_count(reading), reading.start, reading.end) for reading in readings)
    return tuple(hit for hit in found if hit.value.high >= 1)


def parse_count(text: str, *, minimum: int = 1, maximum: int = MAX_COUNT) -> Count | Problem:
    """Return how many people ``text`` says there are, between ``minimum`` and ``maximum``."""
    folded = fold(text)
    folded = _ODD_TEN.sub("几", _ONE_HOUSE.sub("", folded))
    readings = _SCANNER.scan(folded)
    named = [reading for reading in readings if reading.measure]
    counts = {_count(reading) for reading in named or readings if _is_whole(reading)}
    if len(counts) > 1:
        return Problem("count.several")
    if not counts:
        return _count_without_number(folded, minimum)
    if not named and not _is_only_filler(folded, readings[0]):
        return Problem("count.unreadable")
    return _within(counts.pop(), minimum, maximum)


def _is_only_filler(folded: str, reading: Reading) -> bool:
    rest = folded[: reading.start] + folded[reading.end :]
    if reading.interval.about:
        # 三十几号 counts heads; 13号 would be a day.
        rest = rest.replace("号", "", 1)
    return _FILLERS.fullmatch(rest) is not None


def _count_without_number(folded: str, minimum: int) -> Count | Problem:
    if minimum <= 1 and _ALONE.search(folded):
        return Count(1, 1)
    return Problem("count.vague" if _VAGUE.search(folded) else "count.unreadable")


def _within(count: Count, minimum: int, maximum: int) -> Count | Problem:
    if count.high < minimum:
        return Problem("count.too_few", {"minimum": minimum})
    if count.low > maximum:
        return Problem("count.too_many", {"maximum": maximum})
    return count


def _is_whole(reading: Reading) -> bool:
    interval = reading.interval
    return interval.low == interval.low.to_integral_value() and interval.high == interval.high.to_integral_value()


def _count(reading: Reading) -> Count:
    interval = reading.interval
    low, high = int(interval.low), int(interval.high)
    if interval.inside and high - low > 1:
        low, high = low + 1, high - 1
    return Count(low, high, interval.about)

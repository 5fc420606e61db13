"""Sums of money as people say them: 一万二, 3千5, 5000块, 八千多, 三万左右, 5-8千, 五块五."""

import re
from dataclasses import dataclass
from decimal import Decimal

from bot.values.characters import fold
from bot.values.found import Found
from bot.values.problem import Problem
from bot.values.quantities import IntervalScanner, Reading, read_number

CENTS_PER_YUAN = 100
MAX_YUAN = 100_000_000

_YUAN = "块钱?|元钱?|圆|人民币|大洋"
_SCANNER = IntervalScanner(_YUAN)
# Behind a number, these make it something else than money.
_OTHER_MEASURE = re.compile(
    r"\s?(?:个|月|年|天|号|日|点|岁|人|名|位|次|小时|钟|星期|周|礼拜|分[钟之]|%|[-/:][0-9]|[楼米里斤平度])"
)
_ODD_CENTS = re.compile(
    r"\s?(?:(?P<jiao>[0-9一二两三四五六七八九])\s?[毛角](?:(?P<fen>[0-9一二两三四五六七八九])\s?分?)?"
    r"|(?P<bare>[0-9一二三四五六七八九]|半)(?![0-9一二三四五六七八九十百千万个多几天月]))"
)
_LARGE_UNITS = frozenset("万千wWkK")
_JIAO_ALONE = re.compile(r"(?P<jiao>[0-9一二两三四五六七八九])\s?[毛角]")
_PER_DAY = re.compile("一天|每天|[/每]日|日薪|[/一每]个?小时|时薪|一个工|每工")
_PER_MONTH = re.compile("(?<=[0-9一二两三四五六七八九十百千万块元多])\\s?(?:一个月|每个?月|[/每]月)")
_OR_MORE = re.compile("(?<=[0-9])\\+")
_VAGUE = re.compile("好多|很多|不少|记不清|不晓得|不清楚|不知道|晓不得|说不准|没算")
_FILLERS = re.compile(
    "(?:[\\s,。.!;、:¥$我们他大概约估计可能是有就欠差拿给发共总合计的了嘛嘞咯哦哈噻吧啊呢到手每个月薪工资钱应实]|一个?月|一共)*"
)


@dataclass(frozen=True, slots=True)
class Money:
    """A sum in cents of the yuan: equal ends when one sum was said; ``about`` marks an estimate."""

    low_cents: int
    high_cents: int
    about: bool = False

    @property
    def is_range(self) -> bool:
        return self.low_cents != self.high_cents


def find_money(text: str) -> tuple[Found[Money], ...]:
    """Return the sums in ``text`` that carry a word for money, or 万 and 千 with nothing else behind them."""
    folded = _plain(text)
    found = []
    for reading in _SCANNER.scan(folded):
        if not _is_money(reading, folded):
            continue
        money, end = _with_odd_cents(reading, folded)
        found.append(Found(money, reading.start, end))
    return tuple(found)


def parse_money(text: str) -> Money | Problem:
    """Return the one sum in ``text``; a bare number is yuan. Sums per day or hour are asked about."""
    folded = _plain(text)
    if _PER_DAY.search(folded):
        return Problem("money.per_day")
    found = find_money(text)
    values = list(dict.fromkeys(hit.value for hit in found))
    if len(values) > 1:
        return Problem("money.several")
    money = values[0] if values else _bare(folded)
    if money is None:
        return Problem("money.vague" if _VAGUE.search(folded) else "money.unreadable")
    if money.high_cents > MAX_YUAN * CENTS_PER_YUAN:
        return Problem("money.too_large", {"maximum": MAX_YUAN})
    return money


def _plain(text: str) -> str:
    """Return folded text of the same length, without 一个月 behind a sum, which would be read as part of it."""
    folded = _OR_MORE.sub("多", fold(text))
    return _PER_MONTH.sub(lambda match: " " * len(match[0]), folded)


def _bare(folded: str) -> Money | None:
    """Read a text that is nothing but one number, or one amount below a yuan (5毛)."""
    if jiao := _JIAO_ALONE.fullmatch(folded.strip()):
        return _exact(_digit(jiao["jiao"]) * 10)
    sums, rest, position = [], "", 0
    for reading in _SCANNER.scan(folded):
        rest += folded[position : reading.start]
        position = reading.end
        if other := _OTHER_MEASURE.match(folded, reading.end):
            # The three months of 三个月一万二 are no sum.
            position = other.end()
        else:
            sums.append(reading)
    is_alone = len(sums) == 1 and _FILLERS.fullmatch(rest + folded[position:])
    return _money(sums[0]) if is_alone else None


def _is_money(reading: Reading, folded: str) -> bool:
    if reading.measure:
        return True
    is_large = not _LARGE_UNITS.isdisjoint(folded[reading.start : reading.end])
    return is_large and not _OTHER_MEASURE.match(folded, reading.end)


def _with_odd_cents(reading: Reading, folded: str) -> tuple[Money, int]:
    """Add what stands behind the yuan: 五块五, 三块五毛, 3元5角2分."""
    money = _money(reading)
    is_exact = reading.measure in {"块", "元"} and not money.is_range and not money.about
    odd = _ODD_CENTS.match(folded, reading.end) if is_exact else None
    if odd is None or (odd["bare"] and money.low_cents >= 100 * CENTS_PER_YUAN):
        return money, reading.end
    cents = _digit(odd["jiao"] or odd["bare"]) * 10 + (_digit(odd["fen"]) if odd["fen"] else 0)
    return _exact(money.low_cents + cents), odd.end()


def _digit(char: str) -> int:
    return 5 if char == "半" else int(read_number(char) or 0)


def _exact(cents: int) -> Money:
    return Money(cents, cents)


def _money(reading: Reading) -> Money:
    interval = reading.interval
    return Money(_cents(interval.low), _cents(interval.high), interval.about)


def _cents(yuan: Decimal) -> int:
    return int((yuan * CENTS_PER_YUAN).to_integral_value())

"""Times of day: 上午九点半, 8:30, 下午两点, 晚上8点, 中午12点."""

import re
from datetime import time

from bot.values.characters import fold
from bot.values.found import Found
from bot.values.numerals import small_number
from bot.values.problem import Problem

_MORNING = frozenset({"凌晨", "清早", "清晨", "早上", "早晨", "早", "上午"})
_NOON = frozenset({"中午", "晌午", "正午"})
_AFTERNOON = frozenset({"下午", "傍晚", "晚上", "夜里", "夜晚", "晚"})
_NIGHT = frozenset({"凌晨", "晚上", "夜里", "夜晚", "晚", "半夜"})
_PERIOD = "凌晨|清早|清晨|早上|早晨|上午|中午|晌午|正午|下午|傍晚|晚上|夜里|夜晚|半夜|(?<=[今明昨])[早晚]"
_NUMBER = "[0-9]{1,2}|[一二三四五六七八九十两零]{1,3}"
_TIME = re.compile(
    rf"(?P<period>{_PERIOD})?的?\s?(?:"
    r"(?<![0-9])(?<![0-9]:)(?P<clock_h>[0-9]{1,2})\s?:\s?(?P<clock_m>[0-9]{2})(?![0-9])"
    rf"|(?<![0-9一二三四五六七八九十])(?P<hour>{_NUMBER})\s?[点时](?!间|候|半?工)钟?\s?(?:过\s?)?"
    rf"(?:(?P<half>半)|(?P<quarters>[一1三3两2])刻|(?P<whole>整)|零?(?P<minute>{_NUMBER})\s?分?(?![0-9]))?)"
)
_SHORT_OF = re.compile(
    rf"差(?P<less>一刻|(?:{_NUMBER})分钟?)\s?(?:就?到?)(?P<rest>(?:{_PERIOD})?(?:{_NUMBER})点)钟?(?!半|[一三]刻)"
    rf"|(?P<rest_first>(?:{_PERIOD})?(?:{_NUMBER})点)\s?差(?P<less_behind>一刻|(?:{_NUMBER})分钟?)"
)
_QUARTER_MINUTES = 15
_BIT_MORE = re.compile("[早晚快慢好多少大小有差]一点|一点[儿点也都]")


def find_times(text: str) -> tuple[Found[time], ...]:
    """Return the times in ``text`` that are clear by themselves."""
    return tuple(
        Found(value, match.start(), match.end())
        for match in _matches(fold(text))
        if isinstance(value := _read(match), time) and (match["period"] or match["hour"] != "一")
    )


def parse_time(text: str) -> time | Problem:
    """Return the one time in ``text``; a bare 2点 could be either half of the day and is asked about."""
    folded = fold(text)
    if short := _SHORT_OF.search(folded):
        return _short_of(short)
    values = [_read(match) for match in _matches(folded)]
    if not values:
        is_noon = any(word in folded for word in _NOON)
        return Problem("time.unreadable", {}, ("中午12点",) if is_noon else ())
    if any(value != values[0] for value in values):
        return Problem("time.several")
    return values[0]


def _short_of(match: re.Match[str]) -> time | Problem:
    """Read 差一刻九点 and 九点差五分."""
    hour = parse_time(match["rest"] or match["rest_first"])
    less = match["less"] or match["less_behind"]
    minutes = _QUARTER_MINUTES if less == "一刻" else small_number(less.rstrip("钟").rstrip("分"))
    if isinstance(hour, Problem):
        return hour
    if minutes is None or not 0 < minutes < 60:
        return Problem("time.impossible")
    return time((hour.hour - 1) % 24, 60 - minutes)


def _matches(folded: str) -> list[re.Match[str]]:
    return list(_TIME.finditer(_BIT_MORE.sub(lambda match: "#" * len(match[0]), folded)))


def _read(match: re.Match[str]) -> time | Problem:
    period = match["period"] or ""
    hour = small_number(match["clock_h"] or match["hour"])
    minute = _minute(match)
    if hour is None or minute is None or hour > 24 or minute > 59 or (hour == 24 and minute):
        return Problem("time.impossible")
    if period in _MORNING and hour > 12:
        return Problem("time.impossible")
    is_early = 1 <= hour <= 6 and not (match["clock_h"] or "").startswith("0")
    if not period and is_early:
        return Problem("time.which_half", {"hour": hour}, (f"下午{hour}点", f"上午{hour}点") if not minute else ())
    return time(_hour(period, hour) % 24, minute)


def _hour(period: str, hour: int) -> int:
    if period in _AFTERNOON and hour < 12:
        return hour + 12
    if period in _NOON and hour <= 3:
        return hour + 12
    return 0 if hour == 12 and period in _NIGHT else hour


def _minute(match: re.Match[str]) -> int | None:
    if match["clock_m"]:
        return int(match["clock_m"])
    if match["half"]:
        return 30
    if match["quarters"]:
        return 15 * (small_number(match["quarters"]) or 0)
    return small_number(match["minute"]) if match["minute"] else 0

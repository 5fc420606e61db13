"""Times at sites as choices: first the day, then the time, so that no list is longer than a phone's screen."""

from collections.abc import Iterable, Sequence
from datetime import time

from actions.wording import day_with_weekday, time_text
from bot.dialogue.events import Option
from bot.registrations.outcomes import FreeSlot

SATURDAY = 5
NOON = 12
HALVES_AS_SAID = {"上午": ("上午", "早上", "早晨", "上半天"), "下午": ("下午", "下半天")}
"""How people call the halves of a day; a half with several times leaves it open which is meant."""
SITES_AS_SAID = {"妇幼": ("妇幼", "县妇幼", "区妇幼"), "人民医院": ("县医院", "区医院", "县人民医院", "区人民医院")}
"""How people call the kinds of sites that every county has, by what their full names contain."""
HOURS_AS_SAID = ("零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


def site_options(slots: Sequence[FreeSlot]) -> tuple[Option, ...]:
    """Return the sites of ``slots``, each with what is free there; the value is the site's name."""
    names = dict.fromkeys(slot.site_name for slot in slots)
    return tuple(
        Option(name, name, _called(name), note=_rest(slot for slot in slots if slot.site_name == name))
        for name in names
    )


def day_options(slots: Sequence[FreeSlot]) -> tuple[Option, ...]:
    """Return the days of ``slots``, each with what is free on it; the value is the day (``2026-06-20``)."""
    days = sorted({slot.day for slot in slots})
    weekends = [day for day in days if day.weekday() >= SATURDAY]
    return tuple(
        Option(
            day.isoformat(),
            day_with_weekday(day),
            ("周末",) if weekends == [day] else (),
            note=_rest(slot for slot in slots if slot.day == day),
        )
        for day in days
    )


def time_options(slots: Sequence[FreeSlot]) -> tuple[Option, ...]:
    """Return the times of ``slots``, which are one site's on one day; the value is what ``span_text`` says."""
    return tuple(
        Option(
            span_text(slot),
            span_text(slot),
            (*_spoken(slot.start), *HALVES_AS_SAID[_half(slot.start)]),
            note=_rest([slot]),
        )
        for slot in slots
    )


def slot_options(slots: Sequence[FreeSlot]) -> tuple[Option, ...]:
    """Return times of one day at several sites; the value is the slot's id."""
    several = len({slot.site_id for slot in slots}) > 1
    times = time_options(slots)
    return tuple(
        Option(
            str(slot.slot_id),
            f"{slot.site_name} {span_text(slot)}" if several else span_text(slot),
            () if several else option.aliases,
            note=option.note,
        )
        for slot, option in zip(slots, times, strict=True)
    )


def span_text(slot: FreeSlot) -> str:
    """``8:30–9:30``."""
    return f"{time_text(slot.start)}–{time_text(slot.end)}"


def slot_text(slot: FreeSlot) -> str:
    """``松桃县妇幼保健院 6月20日（周六）8:30–9:30``."""
    return f"{slot.site_name} {moment_of(slot)}"


def moment_of(slot: FreeSlot) -> str:
    """``6月20日（周六）8:30–9:30``."""
    return f"{day_with_weekday(slot.day)}{span_text(slot)}"


def _rest(slots: Iterable[FreeSlot]) -> str:
    counted = list(slots)
    free = sum(slot.free for slot in counted)
    if free > 0:
        return f"余{free}"
    return f"已满，可候补（{sum(slot.waiting for slot in counted)}人在等）"


def _called(name: str) -> tuple[str, ...]:
    return tuple(said for part, words in SITES_AS_SAID.items() if part in name for said in words)


def _half(start: time) -> str:
    return "上午" if start.hour < NOON else "下午"


def _spoken(start: time) -> tuple[str, ...]:
    """Return what people call a time of day: 两点半, 下午2点半, 下午2:30."""
    half, hour = _half(start), start.hour if start.hour <= NOON else start.hour - NOON
    minute = "点半" if start.minute == 30 else f"点{start.minute:02d}" if start.minute else "点"
    clock = (f"{HOURS_AS_SAID[hour]}{minute}", f"{hour}{minute}", f"{hour}:{start.minute:02d}")
    return (*clock, *(half + said for said in clock))

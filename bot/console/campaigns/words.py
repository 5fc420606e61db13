"""Whom a campaign is for, in words that the approver reads."""

from typing import assert_never

from bot.campaigns.audience import (
    AllOf,
    AnyOf,
    Audience,
    Consented,
    Everyone,
    FollowedWithin,
    GotCampaign,
    InCategory,
    InCounty,
    InUnit,
    Named,
    Not,
    Registered,
    SeenWithin,
    Tagged,
)
from bot.campaigns.reach import TAG_PREFIX
from bot.campaigns.rules import SendingHours
from bot.console.campaigns.audience import Offers
from bot.console.pages import WEEKDAYS
from bot.console.visit import Visit


class AudienceWords:
    """Says an audience in Chinese, with the names of what it holds."""

    def __init__(self, visit: Visit, offers: Offers) -> None:
        self._visit = visit
        self._offers = offers

    def groups(self, audience: Audience) -> list[str]:
        """Return a line for each group, of which one must fit."""
        return [self.say(part) for part in (audience.parts if isinstance(audience, AnyOf) else (audience,))]

    def say(self, audience: Audience) -> str:
        """Return one line."""
        match audience:
            case AllOf(parts):
                return "，并且".join(self._inner(part) for part in parts)
            case AnyOf(parts):
                return "，或者".join(self._inner(part) for part in parts)
            case Not(part):
                return f"不符合：{self._inner(part)}"
            case _:
                return self._leaf(audience)

    def _inner(self, audience: Audience) -> str:
        said = self.say(audience)
        return f"（{said}）" if isinstance(audience, (AllOf, AnyOf)) else said

    def _leaf(self, audience: Audience) -> str:
        match audience:
            case Everyone():
                return "全体关注者"
            case InCounty(codes):
                return f"区县是{_listed([self._offers.counties.get(code, code) for code in codes])}"
            case InCategory(codes):
                return f"职工类别是{_listed([self._offers.categories.get(code, code) for code in codes])}"
            case InUnit(units):
                return f"单位或工会是{_listed(list(units))}"
            case Registered(programme_id, statuses):
                return self._registered(programme_id, statuses)
            case Consented(purpose):
                return f"同意过“{self._offers.purposes.get(purpose, purpose)}”"
            case Tagged(tag):
                known = self._offers.tags.get(tag.removeprefix(TAG_PREFIX)) if tag.startswith(TAG_PREFIX) else None
                return f"有标签“{tag}”" if known is None else f"有平台标签“{known}”"
            case SeenWithin(days):
                return f"最近 {days} 天互动过"
            case FollowedWithin(days):
                return f"最近 {days} 天关注的"
            case GotCampaign(number):
                return f"收到过第 {number} 号群发"
            case Named(openids):
                return f"指定的 {len(openids)} 人"
            case AllOf() | AnyOf() | Not():
                return self.say(audience)
            case _:
                assert_never(audience)

    def _registered(self, programme_id: str, statuses: tuple[str, ...]) -> str:
        programme = f"“{self._offers.programmes.get(programme_id, programme_id)}”" if programme_id else "任一活动"
        if not statuses:
            return f"报过{programme}"
        names = [self._visit.label(status, "registration_status") for status in statuses]
        return f"报过{programme}，状态是{_listed(names)}"


def said_hours(hours: SendingHours) -> str:
    """Return when a campaign may go out: 每天 08:00–21:00."""
    days = "".join(name for name, letter in zip(WEEKDAYS, hours.weekdays, strict=True) if letter == "1")
    when = "每天" if len(days) == len(WEEKDAYS) else f"周{days}" if days else "没有选日子"
    return f"{when} {_clock(hours.open_minute)}–{_clock(hours.close_minute)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _listed(names: list[str]) -> str:
    return "、".join(names)

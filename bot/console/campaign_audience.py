"""Whom a campaign is for, in its form: up to three groups of conditions, of which one must fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

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
    Not,
    Registered,
    SeenWithin,
    Tagged,
)
from bot.console.forms import Form
from bot.registrations.statuses import Status

GROUPS: Final = ("", "_2", "_3")
"""What the names of a group's fields end with."""
ANY_PROGRAMME: Final = "*"
"""The choice “any programme”, which is not the same as no condition."""
TICKED: Final = ("counties", "categories", "statuses")
TAG_MAX_CHARS: Final = 40

Values = dict[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Offers:
    """What the form offers, by codes with their names. What a campaign holds already stays on offer."""

    programmes: Mapping[str, str]
    categories: Mapping[str, str]
    purposes: Mapping[str, str]
    counties: Mapping[str, str]

    def holding(self, audience: Audience) -> "Offers":
        """Return the offers with everything that ``audience`` names."""
        categories, purposes, counties = dict(self.categories), dict(self.purposes), dict(self.counties)
        for leaf in leaves(audience):
            match leaf:
                case InCategory(codes):
                    _keep(categories, codes)
                case InCounty(codes):
                    _keep(counties, codes)
                case Consented(purpose):
                    _keep(purposes, (purpose,))
                case _:
                    pass
        return replace(self, categories=categories, purposes=purposes, counties=counties)


def _keep(offered: dict[str, str], codes: tuple[str, ...]) -> None:
    for code in codes:
        offered.setdefault(code, code)


def leaves(audience: Audience) -> Iterator[Audience]:
    """Give the conditions of a tree, without what joins them."""
    match audience:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield audience


def read_audience(form: Form, offers: Offers) -> Audience:
    """Return whom the form names; what is wrong is noted in ``form``. Without conditions it is everyone."""
    groups = [group for suffix in GROUPS if (group := _read_group(form, offers, suffix)) is not None]
    if not groups:
        return Everyone()
    return groups[0] if len(groups) == 1 else AnyOf(tuple(groups))


def _read_group(form: Form, offers: Offers, suffix: str) -> Audience | None:
    parts: list[Audience] = []
    if counties := form.options(f"counties{suffix}", "区县", offers.counties):
        parts.append(InCounty(tuple(counties)))
    if chosen := form.options(f"categories{suffix}", "职工类别", offers.categories):
        parts.append(InCategory(tuple(chosen)))
    of = form.option(f"registered{suffix}", "报过的活动", {ANY_PROGRAMME, *offers.programmes}, required=False)
    statuses = form.options(f"statuses{suffix}", "报名状态", [one.value for one in Status])
    if of or statuses:
        parts.append(Registered("" if of == ANY_PROGRAMME else of, tuple(statuses)))
    if purpose := form.option(f"consented{suffix}", "同意过", offers.purposes, required=False):
        parts.append(Consented(purpose))
    if tag := form.text(f"tag{suffix}", "标签", max_chars=TAG_MAX_CHARS, required=False):
        parts.append(Tagged(tag))
    parts += _numbers(form, suffix)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _numbers(form: Form, suffix: str) -> list[Audience]:
    def number(name: str, label: str, most: int) -> int | None:
        return form.number(f"{name}{suffix}", label, least=1, most=most, required=False)

    parts: list[Audience] = []
    if (days := number("seen_days", "最近互动", 3650)) is not None:
        parts.append(SeenWithin(days))
    if (days := number("followed_days", "最近关注", 3650)) is not None:
        parts.append(FollowedWithin(days))
    if (campaign := number("got", "收到过的群发", 10**9)) is not None:
        parts.append(GotCampaign(campaign))
    if (campaign := number("not_got", "没收到过的群发", 10**9)) is not None:
        parts.append(Not(GotCampaign(campaign)))
    return parts


def audience_values(audience: Audience) -> Values | None:
    """Return the form's values of an audience; ``None`` for one that the form cannot show."""
    if isinstance(audience, Everyone):
        return {}
    groups = audience.parts if isinstance(audience, AnyOf) else (audience,)
    if len(groups) > len(GROUPS):
        return None
    values: Values = {}
    for suffix, group in zip(GROUPS, groups, strict=False):
        found = _group_values(group)
        if found is None:
            return None
        values |= {f"{name}{suffix}": value for name, value in found.items()}
    return values


def _group_values(group: Audience) -> Values | None:
    values: Values = {}
    for part in group.parts if isinstance(group, AllOf) else (group,):
        found = _part_values(part)
        if found is None or found.keys() & values.keys():
            return None
        values |= found
    return values


def _part_values(part: Audience) -> Values | None:
    match part:
        case InCounty(counties):
            return {"counties": counties}
        case InCategory(categories):
            return {"categories": categories}
        case Registered(programme_id, statuses):
            any_of_them = "" if statuses else ANY_PROGRAMME
            return {"registered": programme_id or any_of_them, "statuses": statuses}
        case Consented(purpose):
            return {"consented": purpose}
        case Tagged(tag):
            return {"tag": tag}
        case SeenWithin(days):
            return {"seen_days": str(days)}
        case FollowedWithin(days):
            return {"followed_days": str(days)}
        case GotCampaign(number):
            return {"got": str(number)}
        case Not(GotCampaign(number)):
            return {"not_got": str(number)}
        case _:
            return None

"""Who a campaign is for: a typed tree, stored as JSON; ``conditions.py`` makes it one condition over followers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

from bot.campaigns.errors import AudienceInvalid
from bot.registrations.statuses import Status

DEPTH_MAX = 6
NODES_MAX = 60
DAYS_MAX = 3650


@dataclass(frozen=True, slots=True)
class Everyone:
    """All who follow."""


@dataclass(frozen=True, slots=True)
class InCounty:
    """Who told one of these counties (codes)."""

    counties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InCategory:
    """Who is one of these kinds of worker."""

    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InUnit:
    """Who told one of these units, or its union, as their own; 某某公司 and 某某公司工会 are the same."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """Who has a registration: of that programme, in one of these statuses; empty is any."""

    programme_id: str = ""
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consented:
    """Who agreed to this purpose and has not withdrawn it."""

    purpose: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """Who has this tag."""

    tag: str


@dataclass(frozen=True, slots=True)
class SeenWithin:
    """Who wrote or tapped in the last ``days``."""

    days: int


@dataclass(frozen=True, slots=True)
class FollowedWithin:
    """Who began to follow in the last ``days``."""

    days: int


@dataclass(frozen=True, slots=True)
class GotCampaign:
    """Who was sent an earlier campaign."""

    campaign_id: int


@dataclass(frozen=True, slots=True)
class Named:
    """These followers and no others: testers."""

    openids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Who fits every part."""

    parts: "tuple[Audience, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Who fits one part at least."""

    parts: "tuple[Audience, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """Who does not fit."""

    part: "Audience"


Audience: TypeAlias = (
    Everyone
    | InCounty
    | InCategory
    | InUnit
    | Registered
    | Consented
    | Tagged
    | SeenWithin
    | FollowedWithin
    | GotCampaign
    | Named
    | AllOf
    | AnyOf
    | Not
)

_KINDS: Mapping[str, type[Audience]] = {
    "everyone": Everyone,
    "county": InCounty,
    "category": InCategory,
    "unit": InUnit,
    "registered": Registered,
    "consented": Consented,
    "tagged": Tagged,
    "seen_within": SeenWithin,
    "followed_within": FollowedWithin,
    "got_campaign": GotCampaign,
    "named": Named,
    "all_of": AllOf,
    "any_of": AnyOf,
    "not": Not,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(audience: Audience) -> dict[str, Any]:
    """Return the form in which an audience is stored."""
    match audience:
        case AllOf(parts) | AnyOf(parts):
            return {"kind": _NAMES[type(audience)], "parts": [to_json(part) for part in parts]}
        case Not(part):
            return {"kind": "not", "part": to_json(part)}
        case _:
            return {"kind": _NAMES[type(audience)], **asdict(audience)}


def from_json(data: object) -> Audience:
    """Return the audience; raises AudienceInvalid that names the place, such as ``parts[1].days``."""
    return _Reader().read(data, "", 1)


class _Reader:
    """Reads one tree and counts its nodes."""

    def __init__(self) -> None:
        self._nodes = 0

    def read(self, data: object, at: str, depth: int) -> Audience:
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise AudienceInvalid(at=at, problem="too_deep")
        kind = _KINDS.get(str(data.get("kind", ""))) if isinstance(data, Mapping) else None
        if kind is None or not isinstance(data, Mapping):
            raise AudienceInvalid(at=at or "kind", problem="unknown_kind")
        if kind is Not:
            return Not(self.read(data.get("part"), f"{at}.part".lstrip("."), depth + 1))
        if kind is AllOf or kind is AnyOf:
            parts = data.get("parts")
            if not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
                raise AudienceInvalid(at=f"{at}.parts".lstrip("."), problem="empty")
            places = [f"{at}.parts[{place}]".lstrip(".") for place in range(len(parts))]
            read = tuple(self.read(part, place, depth + 1) for part, place in zip(parts, places, strict=True))
            return AllOf(read) if kind is AllOf else AnyOf(read)
        return self._leaf(kind, data, at)

    def _leaf(self, kind: type[Audience], data: Mapping[str, object], at: str) -> Audience:
        values: dict[str, Any] = {}
        for item in fields(kind):
            place = f"{at}.{item.name}".lstrip(".")
            if item.name in data:
                values[item.name] = _value(item.name, data[item.name], place)
            elif kind is not Registered:
                raise AudienceInvalid(at=place, problem="missing")
        if unknown := data.keys() - {item.name for item in fields(kind)} - {"kind"}:
            raise AudienceInvalid(at=f"{at}.{min(unknown)}".lstrip("."), problem="unknown_field")
        return kind(**values)


def _value(name: str, value: object, place: str) -> object:
    if name in ("days", "campaign_id"):
        highest = DAYS_MAX if name == "days" else 2**31 - 1
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
            raise AudienceInvalid(at=place, problem="not_a_number")
        return value
    if name in ("counties", "categories", "units", "statuses", "openids"):
        if (
            not isinstance(value, Sequence)
            or isinstance(value, str)
            or not all(isinstance(one, str) for one in value)
        ):
            raise AudienceInvalid(at=place, problem="not_a_list")
        if not value and name != "statuses":
            raise AudienceInvalid(at=place, problem="empty")
        if name == "statuses" and (set(value) - set(Status)):
            raise AudienceInvalid(at=place, problem="unknown_status")
        return tuple(value)
    if not isinstance(value, str) or (not value and name != "programme_id"):
        raise AudienceInvalid(at=place, problem="not_a_text")
    return value

"""Where somebody works: the ten counties of Tongren, the city's own bodies and the two zones.

Only what the person says counts. An identity number never tells where its holder lives or works.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from bot.values.characters import fold
from bot.values.found import Found
from bot.values.problem import Problem
from bot.values.sounds import sounds_of
from bot.values.townships import NAMES_BY_COUNTY_CODE, PLACES_BY_COUNTY_CODE


class County(StrEnum):
    """The value is the code: GB/T 2260 for counties and city, our own ending in letters for the two zones."""

    BIJIANG = "520602"
    WANSHAN = "520603"
    SONGTAO = "520628"
    YUPING = "520622"
    JIANGKOU = "520621"
    SHIQIAN = "520623"
    YINJIANG = "520625"
    SINAN = "520624"
    DEJIANG = "520626"
    YANHE = "520627"
    CITY = "520600"
    HIGH_TECH_ZONE = "5206GX"
    DALONG_ZONE = "5206DL"

    @property
    def code(self) -> str:
        return self.value

    @property
    def full_name(self) -> str:
        return _NAMES[self][0]

    @property
    def short(self) -> str:
        return _NAMES[self][1]

    @classmethod
    def by_code(cls, code: str) -> "County":
        """Return the county with this code; raises ``ValueError`` for any other text."""
        return cls(code)


_NAMES = {
    County.BIJIANG: ("碧江区", "碧江"),
    County.WANSHAN: ("万山区", "万山"),
    County.SONGTAO: ("松桃苗族自治县", "松桃"),
    County.YUPING: ("玉屏侗族自治县", "玉屏"),
    County.JIANGKOU: ("江口县", "江口"),
    County.SHIQIAN: ("石阡县", "石阡"),
    County.YINJIANG: ("印江土家族苗族自治县", "印江"),
    County.SINAN: ("思南县", "思南"),
    County.DEJIANG: ("德江县", "德江"),
    County.YANHE: ("沿河土家族自治县", "沿河"),
    County.CITY: ("市直单位", "市直"),
    County.HIGH_TECH_ZONE: ("铜仁高新技术产业开发区", "高新区"),
    County.DALONG_ZONE: ("大龙经济开发区", "大龙开发区"),
}
_OTHER_NAMES = {
    "市本级": County.CITY,
    "市属": County.CITY,
    "市级机关": County.CITY,
    "市级单位": County.CITY,
    "高新技术": County.HIGH_TECH_ZONE,
    "铜仁高新": County.HIGH_TECH_ZONE,
    "大龙": County.DALONG_ZONE,
}
_BY_NAME = {name: county for county, names in _NAMES.items() for name in names} | _OTHER_NAMES


def _alternatives(names: Iterable[str]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_NAME = re.compile(_alternatives(_BY_NAME))
_NEGATED = re.compile(f"(?:不是|不在|没在|莫选|不选)(?:{_NAME.pattern})")
_CITY_PROPER = re.compile("铜仁(?:城|市区|市里|市中心|主城|$)|^(?:市里头?|市区|城区|城头|城里|铜仁市?)$")
_SOME_ZONE = re.compile("开发区|园区|经开区|工业园")
_LEAD = re.compile("^(?:我们?|俺|人|现在|目前|单位|厂|公司)*(?:住|就|是)?(?:在|到|去)?")
_TAIL = re.compile(
    "[\\s,。.!、~]*(?:这边|那边|那点|这点|上班|工作|做事|打工|干活|县城|城头|城里|城区|里头|街上|[区县镇乡的嘞嘛咯哈哦啊噻])*"
    "[\\s,。.!、~]*$"
)
_LONGEST_HEARD = 8


def _build_towns() -> Mapping[str, frozenset[County]]:
    towns: dict[str, set[County]] = {}
    for code, names in NAMES_BY_COUNTY_CODE.items():
        for name in names.split():
            # 大坪场 is called 大坪 as well.
            for spoken in {name, name.removesuffix("场") if len(name) > len("大坪") else name}:
                towns.setdefault(spoken, set()).add(County(code))
    return MappingProxyType({name: frozenset(counties) for name, counties in towns.items()})


TOWNS = _build_towns()
"""Each town's short name with the counties that have one of that name."""

_PLACES = {
    name: frozenset(County(code) for code in codes.split("|"))
    for codes, names in PLACES_BY_COUNTY_CODE.items()
    for name in names.split()
}
_PLACE = re.compile(_alternatives(_PLACES))
_TOWN_WITH_KIND = re.compile(f"(?P<town>{_alternatives(TOWNS)})(?:(?:侗|苗|土家|仡佬)族)*(?:镇|乡|街道)")


@cache
def _county_by_sound() -> Mapping[tuple[str, ...], County]:
    return {
        sounds_of(names[1]): county
        for county, names in _NAMES.items()
        if len(names[1]) == 2 and county is not County.CITY
    }


def find_counties(text: str) -> tuple[Found[County], ...]:
    """Return the counties and zones that ``text`` names, and those of towns named with 镇, 乡 or 街道."""
    folded = _without_negated(fold(text))
    found = [Found(_BY_NAME[match[0]], match.start(), match.end()) for match in _NAME.finditer(folded)]
    for match in _TOWN_WITH_KIND.finditer(folded):
        counties = TOWNS[match["town"]]
        if len(counties) == 1:
            found.extend(Found(county, match.start(), match.end()) for county in counties)
    return tuple(sorted(found, key=lambda hit: hit.start))


def parse_county(text: str, *, more_towns: Mapping[str, County] | None = None) -> County | Problem:
    """Return the county or zone in ``text``, by name, by town, or by sound; ``more_towns`` adds to ``TOWNS``."""
    folded = _without_negated(fold(text))
    core = _LEAD.sub("", _TAIL.sub("", folded))
    for counties in (
        {_BY_NAME[name] for name in _NAME.findall(folded)},
        {county for place in _PLACE.findall(folded) for county in _PLACES[place]},
        _by_town(folded, core, more_towns or {}),
        _by_group(folded, core),
        _by_sound(core),
    ):
        if len(counties) == 1:
            return counties.pop()
        if counties:
            names = tuple(county.short for county in County if county in counties)
            return Problem("county.ambiguous", {"candidates": "、".join(names)}, names)
    return Problem("county.unknown")


def _without_negated(folded: str) -> str:
    return _NEGATED.sub(lambda match: "#" * len(match[0]), folded)


def _by_town(folded: str, core: str, more_towns: Mapping[str, County]) -> set[County]:
    if core in more_towns:
        return {more_towns[core]}
    named = [match["town"] for match in _TOWN_WITH_KIND.finditer(folded)] or [core]
    return {county for town in named for county in TOWNS.get(town, ())}


def _by_group(folded: str, core: str) -> set[County]:
    if _CITY_PROPER.search(core) or _CITY_PROPER.search(folded):
        return {County.BIJIANG, County.WANSHAN, County.CITY}
    return {County.HIGH_TECH_ZONE, County.DALONG_ZONE} if _SOME_ZONE.search(folded) else set()


def _by_sound(core: str) -> set[County]:
    """Hear a county in a short answer with homophones: 松涛, 石迁, 沿合."""
    if len(core) > _LONGEST_HEARD:
        return set()
    heard = sounds_of(core)
    pairs = {heard[start : start + 2] for start in range(len(heard) - 1)}
    return {county for sound, county in _county_by_sound().items() if sound in pairs}

"""Whether a lawyer may advise against an employer: names compared without place and legal form. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from bot.legal.models import Conflict
from bot.values.counties import County

SHORTEST_CORE_CHARS: Final = 2
"""A single character in common says nothing about two names."""

_NOISE = re.compile(r"[\W_]+")
_FORMS = (
    "有限责任公司",
    "股份有限公司",
    "集团有限公司",
    "个体工商户",
    "有限公司",
    "分公司",
    "子公司",
    "经营部",
    "集团",
    "公司",
    "商行",
)
_TRADES = (
    "建筑劳务",
    "建设工程",
    "建筑工程",
    "劳务派遣",
    "物业服务",
    "物业管理",
    "餐饮管理",
    "人力资源",
    "劳务",
    "建设",
    "建筑",
    "工程",
    "物业",
    "餐饮",
    "实业",
    "商贸",
    "贸易",
    "科技",
    "服务",
)
_PLACES = tuple(
    sorted(
        {name for county in County for name in (county.full_name, county.short)}
        | {"贵州省", "贵州", "铜仁市", "铜仁", "县", "区", "市"},
        key=len,
        reverse=True,
    )
)


def core_of(employer: str) -> str:
    """Return what tells an employer apart (贵州铜仁鸿运建筑劳务有限公司: 鸿运), or the bare name."""
    bare = _NOISE.sub("", unicodedata.normalize("NFKC", employer).lower())
    core = _without(bare, _PLACES, _FORMS)
    without_trade = _without(core, (), _TRADES)
    if len(without_trade) >= SHORTEST_CORE_CHARS:
        return without_trade
    return core if len(core) >= SHORTEST_CORE_CHARS else bare


def _without(name: str, prefixes: Iterable[str], suffixes: Iterable[str]) -> str:
    """Return ``name`` without any of them, however many stand one after the other (贵州省铜仁市…)."""
    before = None
    while name != before:
        before = name
        for prefix in prefixes:
            name = name.removeprefix(prefix)
        for suffix in suffixes:
            name = name.removesuffix(suffix)
    return name


def compared(employer: str, clients: Iterable[str]) -> Conflict:
    """Return whether ``employer`` is one of ``clients``, may be one (a name within the other), or none of them."""
    core = core_of(employer)
    if len(core) < SHORTEST_CORE_CHARS:
        return Conflict.UNKNOWN
    cores = {core_of(client) for client in clients}
    if core in cores:
        return Conflict.CONFLICT
    is_near = any(core in other or other in core for other in cores if len(other) >= SHORTEST_CORE_CHARS)
    return Conflict.POSSIBLE if is_near else Conflict.CLEAR

"""What the fields of template messages and subscribe notifications may hold."""

import re
from collections.abc import Mapping

from bot.simulator.errors import ApiFault

MAX_MAIN_CHARS = 20
_NAME = re.compile(r"([a-z_]+?)(\d*)")
_DATE = r"\d{4}(?:年\d{1,2}月\d{1,2}日|[-/.]\d{1,2}[-/.]\d{1,2})"
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_CHINESE = r"[\u4e00-\u9fff]"


def _span(moment: str) -> str:
    return rf"{moment}(?:\s*~\s*{moment})?"


#: Every pattern covers the whole value (current page of 订阅通知; category templates follow the same table).
_RULES: Mapping[str, re.Pattern[str]] = {
    "thing": re.compile(rf"[^\n]{{1,{MAX_MAIN_CHARS}}}"),
    "number": re.compile(r"-?(?=.{1,32}$)\d+(?:\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[\x20-\x7e]{1,32}"),
    "time": re.compile(_span(rf"(?:{_DATE}\s*)?{_TIME}")),
    "date": re.compile(_span(rf"{_DATE}(?:\s*{_TIME})?")),
    "amount": re.compile(r"[¥￥$€]?\d{1,10}(?:\.\d+)?元?"),
    "phone_number": re.compile(r"[\d+\-()*# ]{1,17}"),
    "car_number": re.compile(r"\S{1,8}"),
    "name": re.compile(r"[A-Za-z .·]{1,20}|[^\n]{1,10}"),
    "phrase": re.compile(rf"{_CHINESE}{{1,5}}"),
    "short_thing": re.compile(r"[^\n]{1,20}"),
    "const": re.compile(r"[^\n]{1,20}"),
    "enum": re.compile(r"[^\n]{1,20}"),
}


def shown_field(name: str, value: str) -> str | None:
    """Return what is shown for a field, None when the platform drops it; raises ApiFault 47003 naming the field.

    ``first`` and ``remark`` are dropped and the fields of old templates (``keyword1``) are cut to 20 characters,
    as since 2023-05-04.
    """
    if name in {"first", "remark"}:
        return None
    found = _NAME.fullmatch(name)
    prefix = found[1] if found else ""
    if prefix == "keyword":
        one_line = value.replace("\n", " ")
        return one_line if len(one_line) <= MAX_MAIN_CHARS else f"{one_line[:MAX_MAIN_CHARS]}…"
    rule = _RULES.get(prefix)
    if rule is None or not rule.fullmatch(value):
        raise ApiFault(47003, f"argument invalid! data.{name}.value invalid")
    return value

"""Templates: one environment, the filters that all pages use, and the addresses of scripts and styles."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import js_lib_htmx
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from bot.console.names import Names
from bot.console.texts import Texts
from bot.values.counties import County
from bot.values.problem import Problem

HERE = Path(__file__).parent
STATIC = HERE / "static"
HTMX = Path(js_lib_htmx.__file__).parent / "static" / "htmx" / "htmx.min.js"
WEEKDAYS = "一二三四五六日"
SHORT_MAX_CHARS = 24
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("QQBrowser", "QQ 浏览器"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)
"""In this order: many browsers name others as well."""


class Pages:
    """Renders templates. What is put in is escaped; a name that is missing is an error, not an empty place."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            minutes=minutes,
            moment=moment,
            day=day,
            clock=clock,
            client=client,
            seconds=seconds,
            short=short,
            audit_action=texts.audit_action,
            audit_reason=texts.audit_reason,
            county=county_name,
            count=count,
            problem=self._problem,
            label=texts.label,
            who=who,
        )
        self._environment.globals.update(asset=asset, fresh_key=fresh_key, counties=list(County), labels=texts.labels)

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """Return a template filled with ``values``."""
        return self._environment.get_template(template).render(self._with_components(values))

    def fragment(self, template: str, block: str, values: Mapping[str, Any]) -> str:
        """Return one block of a template, to be put into a page that is open already."""
        found = self._environment.get_template(template)
        return "".join(found.blocks[block](found.new_context(self._with_components(values))))

    def _with_components(self, values: Mapping[str, Any]) -> dict[str, Any]:
        # The macros read the token, what was typed and its problems, so they are made anew for each page.
        components = self._environment.get_template("components.html").make_module(dict(values))
        return {**values, "c": components}

    def _problem(self, problem: Problem) -> str:
        return self.texts.problem(problem)


@pass_context
def who(context: Context, username: str | None) -> str:
    """Return what somebody is called; raises TypeError on a page whose handler did not ask for ``visit.names()``."""
    names = context["staff_names"]
    if not isinstance(names, Names):
        raise TypeError("the handler of this page reads no names")
    return names.of(username)


def asset(name: str) -> str:
    """Return the address of a script or style; it changes with the file, so that browsers may keep the old one."""
    path = HTMX if name == "htmx.js" else STATIC / name
    return f"/static/{name}?v={path.stat().st_mtime_ns:x}"


def fresh_key() -> str:
    """Return a key for one rendering of a form: sent twice, it counts once."""
    return secrets.token_urlsafe(12)


def moment(value: datetime | None) -> str:
    """Return a moment as people write it: 2026-06-15 10:00."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def seconds(value: datetime) -> str:
    """Return a time of day to the second: 10:00:07."""
    return f"{value:%H:%M:%S}"


def short(value: str) -> str:
    """Return a long code cut in its middle."""
    return value if len(value) <= SHORT_MAX_CHARS else f"{value[:6]}…{value[-4:]}"


def day(value: date | None) -> str:
    """Return a day with its weekday: 2026-06-20(周六)."""
    return "" if value is None else f"{value:%Y-%m-%d}(周{WEEKDAYS[value.weekday()]})"


def clock(value: time | None) -> str:
    """Return a time of day: 08:30."""
    return "" if value is None else f"{value:%H:%M}"


def minutes(value: float | None) -> str:
    """Return a length of time in words: 5 分钟, 2 小时 10 分."""
    if value is None:
        return "—"
    whole = round(value)
    hours, rest = divmod(whole, 60)
    if hours == 0:
        return f"{rest} 分钟"
    return f"{hours} 小时 {rest} 分" if rest else f"{hours} 小时"


def client(user_agent: str) -> str:
    """Return a browser and its system in words that people know; the whole text where they are not recognised."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return " · ".join(filter(None, (browser, system))) or user_agent or "没有说明"


def count(value: int) -> str:
    """Return a number of people or things as it is read at a glance: 12,345."""
    return f"{value:,}"


def county_name(code: str | None) -> str:
    """Return a county's short name; a code that is none stands as it is."""
    if not code:
        return ""
    try:
        return County.by_code(code).short
    except ValueError:
        return code

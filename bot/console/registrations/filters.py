"""The filters of the list as they stand in an address: read, written, and narrowed to what the viewer may see."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from bot.console.forms import Form
from bot.console.visit import Visit
from bot.registrations.filters import Filter, as_json, from_json
from bot.registrations.searching import Search, SearchKey

ADDRESS = "/registrations"
NUMBERS = ("site_id", "slot_id")
NAMES = (
    "programme_id",
    "status",
    "county",
    "day",
    "category",
    "mark",
    "first_day",
    "last_day",
    "sort",
    *NUMBERS,
)
SEARCH = "s"
"""The sealed search in the address."""


def read_filter(form: Form) -> Filter:
    """Return what the address narrows to; what cannot be read does not narrow."""
    typed: dict[str, str | int] = {name: form.raw(name) for name in NAMES if name not in NUMBERS}
    typed |= {name: int(form.raw(name)) for name in NUMBERS if form.raw(name).isascii() and form.raw(name).isdigit()}
    return from_json(typed)


def within(wanted: Filter, county: str | None) -> Filter:
    """Return the filter narrowed to the county that the viewer may see, ``None`` for everywhere."""
    return wanted if county is None else replace(wanted, county=county)


def key_of(form: Form, search: Search) -> SearchKey | None:
    """Return what is searched for, if anything."""
    token = form.raw(SEARCH)
    return search.from_token(token) if token else None


def address_of(wanted: Filter, *, key: str = "", after: str | None = None, path: str = ADDRESS) -> str:
    """Return the address of the list with these filters."""
    parts: dict[str, str] = {name: str(value) for name, value in as_json(wanted).items()}
    parts |= {name: value for name, value in ((SEARCH, key), ("after", after or "")) if value}
    return f"{path}?{urlencode(parts)}" if parts else path


def typed_filter(wanted: Filter) -> Mapping[str, str]:
    """Return the filters as the fields of a form show them."""
    plain = as_json(wanted)
    return {name: str(plain.get(name, "")) for name in NAMES}


def narrowed(visit: Visit, permission: str) -> Filter:
    """Return the filter of the address, narrowed to the viewer's reach with ``permission``; raises NotPermitted."""
    return within(read_filter(visit.filters()), visit.county_for(permission))

"""Which list an address of the inbox names, and the address that keeps it."""

from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from bot.console.visit import Visit
from bot.inbox.filters import ChatFilter, Tab
from bot.values.clock import LOCAL_ZONE

FILTERS: Final = ("topic", "county", "agent", "since", "until", "like")
VALUE_MAX_CHARS: Final = 64


def wanted_chats(visit: Visit) -> ChatFilter:
    """Return the filter of the address; what cannot be read does not narrow."""
    form, values = visit.filters(), chosen(visit)
    since, until = form.day("since", "开始日期", required=False), form.day("until", "结束日期", required=False)
    return ChatFilter(
        tab=_tab(visit),
        topic=values["topic"],
        county=values["county"],
        agent=values["agent"],
        since=None if since is None else datetime.combine(since, time.min, LOCAL_ZONE),
        until=None if until is None else datetime.combine(until + timedelta(days=1), time.min, LOCAL_ZONE),
        like=form.number("like", "会话", least=1, most=10**9, required=False),
    )


def chosen(visit: Visit) -> dict[str, str]:
    """Return every filter as it was chosen, empty where it was not."""
    form = visit.filters()
    return {name: form.raw(name).strip()[:VALUE_MAX_CHARS] for name in FILTERS}


def query_of(visit: Visit, **other: str) -> str:
    """Return the list's part of an address, so that a chat keeps the list from which it was opened.

    ``other`` replaces parts of it.
    """
    values = {"tab": _tab(visit).value, **chosen(visit), **other}
    return urlencode({name: value for name, value in values.items() if value})


def _tab(visit: Visit) -> Tab:
    typed = visit.filters().raw("tab")
    if typed not in set(Tab) or (typed == Tab.PERSON and not chosen(visit)["like"]):
        return Tab.WAITING
    return Tab(typed)

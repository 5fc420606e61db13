"""Everything that is kept of a follower as staff see it: masked, but for codes and dates that tell nothing.

Pure. What is not known to be harmless is hidden, so that a field which a subject adds later is not shown by accident.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeGuard

from bot.followers.privacy import JsonValue
from bot.values.clock import LOCAL_ZONE
from bot.values.names import PersonName
from bot.values.texts import mask_number

LISTED_MAX: Final = 20
SEPARATOR: Final = "/"
HARMLESS: Final = frozenset(
    {
        "anonymous",
        "at",
        "category",
        "channel",
        "closed_at",
        "code",
        "contact_way",
        "county",
        "created_at",
        "direction",
        "exported_at",
        "flow",
        "followed_at",
        "given_at",
        "intent",
        "kind",
        "label",
        "last_seen_at",
        "latest_scene",
        "level",
        "first_scene",
        "opened_at",
        "outcome",
        "programme",
        "programme_id",
        "programme_version",
        "purpose",
        "reason",
        "receipt",
        "received_at",
        "satisfaction",
        "status",
        "subscribed",
        "text_sha256",
        "text_version",
        "topic",
        "until",
        "withdrawn_at",
    }
)
"""Keys whose values are codes, numbers of records and dates."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")
_NAMES: Final = frozenset({"name"})
_NUMBERS: Final = frozenset({"phone", "id_number", "openid"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One value or group. A value has ``shown``; ``is_masked`` says that there is more to see under ``path``.

    A group has ``children``; ``total`` counts what it holds, which may be more than are listed.
    """

    path: str
    key: str
    shown: str | None = None
    is_masked: bool = False
    children: tuple["Entry", ...] = ()
    total: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is no value anywhere in it."""
        return not self.shown and all(child.is_empty for child in self.children)


def masked_entries(export: Mapping[str, JsonValue]) -> tuple[Entry, ...]:
    """Return the export of ``PrivacyService`` masked, a group a subject."""
    return tuple(_entry(key, key, value) for key, value in export.items())


def value_at(export: JsonValue, path: str) -> str | None:
    """Return the value in plain under a path of ``masked_entries``; ``None`` where there is no value."""
    found: JsonValue = export
    for part in path.split(SEPARATOR):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif _is_list(found) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return None if isinstance(found, Mapping) or _is_list(found) or found in (None, "") else str(found)


def _entry(path: str, key: str, value: JsonValue) -> Entry:
    if isinstance(value, Mapping):
        children = tuple(_entry(f"{path}{SEPARATOR}{name}", name, part) for name, part in value.items())
        return Entry(path, key, children=children, total=len(children))
    if _is_list(value):
        # The latest come last in every subject's export, and they are what people ask about.
        first = max(0, len(value) - LISTED_MAX)
        shown = [_entry(f"{path}{SEPARATOR}{first + n}", key, part) for n, part in enumerate(value[first:])]
        return Entry(path, key, children=tuple(reversed(shown)), total=len(value))
    if value is None or value == "":
        return Entry(path, key, shown="")
    text = ("是" if value else "否") if isinstance(value, bool) else str(value)
    if key in HARMLESS:
        return Entry(path, key, shown=_moment(text))
    return Entry(path, key, shown=_masked(key, text), is_masked=True)


def _moment(text: str) -> str:
    """Return an ISO moment as people write it; any other text as it is."""
    if not _MOMENT.fullmatch(text):
        return text
    return f"{datetime.fromisoformat(text).astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"


def _masked(key: str, text: str) -> str:
    if key in _NUMBERS:
        return mask_number(text)
    if key in _NAMES and len(text) > 1:
        return PersonName(text).masked()
    return f"已隐藏（{len(text)} 字）"


def _is_list(value: JsonValue) -> TypeGuard[Sequence[JsonValue]]:
    return isinstance(value, Sequence) and not isinstance(value, str)

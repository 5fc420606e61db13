"""Dataclasses as JSON and back, also when the type has grown since."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum

import pytest

from bot.programmes.errors import SnapshotUnreadable
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.snapshots import JsonValue, from_plain, to_plain


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    day: date
    at: time | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    moment: datetime
    colour: Colour
    inner: tuple[Inner, ...]
    by_name: dict[str, Inner]
    plain: dict[str, str | int] = field(default_factory=dict)
    maybe: Colour | None = None


EVERYTHING = Outer(
    moment=datetime(2026, 6, 15, 10, 0, tzinfo=UTC),
    colour=Colour.RED,
    inner=(Inner(date(2026, 2, 28), time(8, 30)), Inner(date(2026, 3, 1))),
    by_name={"a": Inner(date(2026, 1, 1))},
    plain={"text": "字", "count": 3},
    maybe=Colour.RED,
)


def test_what_goes_in_comes_out_through_json() -> None:
    assert from_plain(Outer, json.loads(json.dumps(to_plain(EVERYTHING)))) == EVERYTHING


def test_a_field_that_did_not_exist_then_takes_its_default() -> None:
    old: JsonValue = {
        "id": "old",
        "kind": "work_study",
        "title": "旧",
        "open_at": "2025-06-01T09:00:00+08:00",
        "close_at": "2025-06-10T09:00:00+08:00",
        "service_start": "2025-07-01",
        "service_end": "2025-07-31",
        "gone_since": 1,
    }
    programme = from_plain(Programme, old)
    assert (programme.kind, programme.waitlist_size) == (ProgrammeKind.WORK_STUDY, 0)


@pytest.mark.parametrize(
    "broken",
    [
        {"day": "no date"},
        {},
        ["2026-01-01"],
        {"day": "2026-01-01", "at": 7},
    ],
)
def test_what_does_not_fit_is_refused(broken: JsonValue) -> None:
    with pytest.raises(SnapshotUnreadable):
        from_plain(Inner, broken)


def test_what_could_not_be_read_back_is_not_written() -> None:
    with pytest.raises(SnapshotUnreadable):
        to_plain(object())

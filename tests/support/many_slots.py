"""Very many slots of many programmes, stored quickly, for measurements; registrations come from elsewhere."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import product
from typing import Any

from bot.programmes.models import (
    Programme,
    ProgrammeKind,
    ProgrammeRow,
    ProgrammeStatus,
    ProgrammeVersionRow,
    SiteRow,
    SlotRow,
)
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.counties import County
from tests.support.many import store_few, store_rows

SITES, DAYS, HOURS = 20, 50, (8, 9, 10, 14, 15)
SLOTS = SITES * DAYS * len(HOURS)
"""The slots of one programme: as many as a screening of the whole city has."""
FIRST_SITE, FIRST_SLOT = 1_000, 100_000
"""Behind those of the demonstration."""


async def store_many_slots(database: Database, clock: Clock, rows: int) -> dict[str, range]:
    """Store programmes with ``SLOTS`` slots each, ``rows`` in all; return each one's slots, the oldest first."""
    count = max(1, rows // SLOTS)
    programmes = [_programme(number, clock.now() - timedelta(days=3 * (count - number))) for number in range(count)]
    await store_few(database, ProgrammeRow, (_row(one) for one in programmes))
    await store_few(database, ProgrammeVersionRow, (_version(one) for one in programmes))
    await store_rows(database, SiteRow, _sites(programmes))
    await store_rows(database, SlotRow, _slots(programmes))
    firsts = (FIRST_SLOT + place * SLOTS for place in range(count))
    return {one.id: range(first, first + SLOTS) for one, first in zip(programmes, firsts, strict=True)}


def _programme(number: int, opened: datetime) -> Programme:
    return Programme(
        id=f"many-{number:04d}",
        kind=ProgrammeKind.HEALTH_SCREENING,
        title=f"“两癌”筛查第 {number + 1} 批",
        open_at=opened,
        close_at=opened + timedelta(days=60),
        service_start=opened.date(),
        service_end=opened.date() + timedelta(days=DAYS),
        status=ProgrammeStatus.PUBLISHED,
    )


def _row(one: Programme) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "status": one.status.value,
        "version": 1,
        "open_at": one.open_at,
        "close_at": one.close_at,
        "document": one,
        "updated_at": one.open_at,
    }


def _version(one: Programme) -> dict[str, Any]:
    return {
        "programme_id": one.id,
        "version": 1,
        "document": one,
        "rows_changed": [],
        "editor": "many",
        "note": "",
        "edited_at": one.open_at,
    }


def _sites(programmes: list[Programme]) -> Iterator[dict[str, Any]]:
    counties = [county.code for county in County]
    for place, programme in enumerate(programmes):
        for number in range(SITES):
            yield {
                "id": _site_id(place, number),
                "programme_id": programme.id,
                "code": f"site-{number}",
                "name": f"第 {number + 1} 医院",
                "county": counties[number % len(counties)],
                "address": "",
                "phone": "",
                "prep_text": "",
                "closed": False,
            }


def _slots(programmes: list[Programme]) -> Iterator[dict[str, Any]]:
    where = product(range(SITES), range(DAYS), HOURS)
    for number, ((place, programme), (site, day, hour)) in enumerate(product(enumerate(programmes), list(where))):
        yield {
            "id": FIRST_SLOT + number,
            "programme_id": programme.id,
            "site_id": _site_id(place, site),
            "day": programme.service_start + timedelta(days=day),
            "start": time(hour),
            "end": time(hour + 1),
            "capacity": 20,
            "closed": False,
        }


def _site_id(place: int, number: int) -> int:
    return FIRST_SITE + place * SITES + number

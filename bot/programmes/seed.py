"""Demonstration programmes of all three kinds, open on whatever day they are seeded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from bot.programmes.errors import UnknownProgramme
from bot.programmes.models import Post, Programme, ProgrammeKind, ProgrammeStatus, Site, Slot
from bot.programmes.service import ProgrammeService
from bot.programmes.snapshots import from_plain
from bot.values.clock import LOCAL_ZONE
from bot.values.counties import County

DEMO_FILE = Path(__file__).with_name("demo.yml")
EDITOR = "demo"

_CODES: Mapping[str, str] = {county.short: county.code for county in County}

# What YAML gives; every value is checked when it becomes a Programme, Site, Slot or Post.
_Entry = Mapping[str, Any]


async def seed_demo(service: ProgrammeService, today: date, path: Path = DEMO_FILE) -> tuple[str, ...]:
    """Store the programmes of ``path`` that are not there or have run out; return the ids of the new ones.

    Repeating it on the same day, or while a seeded programme still takes registrations, changes nothing.
    """
    entries = _read(path)
    return tuple(
        [await _create(service, entry, today) for entry in entries if not await _runs(service, entry, today)]
    )


def _read(path: Path) -> Sequence[_Entry]:
    entries: Sequence[_Entry] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return entries


async def _runs(service: ProgrammeService, entry: _Entry, today: date) -> bool:
    known = await service.published(ProgrammeKind(entry["kind"]))
    return any(
        programme.id.startswith(f"{entry['id']}-") and programme.close_at.date() > today for programme in known
    )


async def _create(service: ProgrammeService, entry: _Entry, today: date) -> str:
    """Store one programme with its rows. It is published last, so that a half-made one is never shown or kept."""
    programme = _programme(entry, today, await _free_id(service, f"{entry['id']}-{today:%y%m%d}"))
    await service.create(programme, editor=EDITOR)
    sites = [_site(programme, site) for site in entry.get("sites", ())]
    stored = await service.add_sites(sites, editor=EDITOR)
    slots = [slot for site in stored for slot in _slots(site, entry["slots"], today)]
    await service.add_slots(slots, editor=EDITOR)
    await service.add_posts([_post(programme, post) for post in entry.get("posts", ())], editor=EDITOR)
    complete = await service.get(programme.id)
    await service.edit(replace(complete, status=ProgrammeStatus.PUBLISHED), editor=EDITOR, note="")
    return programme.id


async def _free_id(service: ProgrammeService, wanted: str) -> str:
    for attempt in count(1):
        programme_id = wanted if attempt == 1 else f"{wanted}-{attempt}"
        try:
            await service.get(programme_id)
        except UnknownProgramme:
            break
    return programme_id


def _programme(entry: _Entry, today: date, programme_id: str) -> Programme:
    rules = dict(entry["rules"])
    rules["quota_by_county"] = {_CODES[name]: quota for name, quota in rules.get("quota_by_county", {}).items()}
    first_day, last_day = entry["service"]
    fields = {
        "id": programme_id,
        "kind": entry["kind"],
        "title": entry["title"],
        "open_at": _morning(today, entry["opens"]).isoformat(),
        "close_at": _morning(today, entry["closes"]).isoformat(),
        "service_start": (today + timedelta(days=first_day)).isoformat(),
        "service_end": (today + timedelta(days=last_day)).isoformat(),
    }
    return from_plain(Programme, rules | fields)


def _morning(today: date, days: int) -> datetime:
    return datetime.combine(today + timedelta(days=days), time(9), LOCAL_ZONE)


def _site(programme: Programme, site: _Entry) -> Site:
    return Site(
        programme_id=programme.id,
        code=site["code"],
        name=site["name"],
        county=_CODES[site["county"]],
        address=site["address"],
        prep_text=site["prep"],
    )


def _slots(site: Site, slots: _Entry, today: date) -> list[Slot]:
    return [
        Slot(
            programme_id=site.programme_id,
            site_id=site.id,
            day=today + timedelta(days=days),
            start=time.fromisoformat(hours["start"]),
            end=time.fromisoformat(hours["end"]),
            capacity=hours["capacity"],
        )
        for days in slots["days"]
        for hours in slots["times"]
    ]


def _post(programme: Programme, post: _Entry) -> Post:
    return Post(
        programme_id=programme.id,
        code=post["code"],
        unit=post["unit"],
        title=post["title"],
        county=_CODES[post["county"]],
        places=post["places"],
    )

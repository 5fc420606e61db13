"""Very many registrations, stored quickly: for tests of query plans, and for measurements with a million rows.

They are like real ones in what lists look at: ten programmes of three years, thirteen counties of unequal size,
statuses as they are spread after some campaigns, rare marks. The sealed columns share a few values.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from bot.programmes.models import Programme, ProgrammeKind, ProgrammeStatus
from bot.programmes.service import ProgrammeService
from bot.registrations.models import Registration
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.counties import County
from tests.support.many import settle, store_rows

PROGRAMMES = 10
STATUSES = {
    "completed": 55,
    "approved": 15,
    "cancelled": 10,
    "rejected": 6,
    "no_show": 5,
    "pending": 5,
    "waitlisted": 3,
}
CATEGORIES = ("employed", "migrant", "platform", "outdoor", "retired", "jobless")
SURNAMES, GIVEN = "杨吴龙田张王李罗冉石", "芳敏静丽娟英华玉兰梅"


async def store_many(
    database: Database,
    cipher: FieldCipher,
    clock: Clock,
    rows: int,
    *,
    seed: int = 7,
    booked: Mapping[str, range] = MappingProxyType({}),
) -> list[str]:
    """Store ``rows`` registrations over ``PROGRAMMES`` programmes; return the programmes' ids, the oldest first.

    With ``booked`` they go to those programmes instead, and take places in the slots that stand beside each.
    """
    ids = list(booked) or [f"period-{number:02d}" for number in range(PROGRAMMES)]
    if not booked:
        programmes = ProgrammeService(database, clock)
        for number, programme_id in enumerate(ids):
            await programmes.create(_programme(programme_id, number, clock.now()), editor="test")
    chance = random.Random(seed)  # noqa: S311 - Nothing secret is drawn.
    made = _rows(rows, ids, cipher, clock.now(), chance)
    if booked:
        made = (_in_slot(number, row, booked) for number, row in enumerate(made))
    await store_rows(database, Registration, made)
    await settle(database)
    return ids


def _in_slot(number: int, row: dict[str, Any], booked: Mapping[str, range]) -> dict[str, Any]:
    slots = booked[row["programme_id"]]
    takes = row["status"] in ("pending", "approved", "completed", "no_show")
    # A number that shares no factor with the slots scatters the people over all of them.
    slot_id = slots[number * 7_919 % len(slots)]
    return {**row, "kind": "health_screening", "slot_id": slot_id, "place_taken": takes}


def _programme(programme_id: str, number: int, now: datetime) -> Programme:
    opened = now - timedelta(days=1_000 - number * 100)
    return Programme(
        id=programme_id,
        kind=ProgrammeKind.WORK_STUDY,
        title=f"勤工俭学第 {number + 1} 期",
        open_at=opened,
        close_at=opened + timedelta(days=120),
        service_start=opened.date(),
        service_end=opened.date() + timedelta(days=120),
        status=ProgrammeStatus.PUBLISHED,
    )


def _rows(
    count: int, programmes: Sequence[str], cipher: FieldCipher, now: datetime, chance: random.Random
) -> Iterator[dict[str, Any]]:
    counties = [county.code for county in County]
    shares = [2 ** (len(counties) - index) for index in range(len(counties))]
    sealed = {name: cipher.seal("值", f"registration.{name}") for name in ("name", "phone", "id_number")}
    answers = cipher.seal('{"answers": {}, "birth_date": null, "sex": null}', "registration.answers")
    hashes = [cipher.lookup_hash(a + b + c, "registration.name") for a in SURNAMES for b in GIVEN for c in GIVEN]
    began = now - timedelta(days=1_000)
    every = timedelta(days=1_000) / count
    picked = chance.choices(counties, shares, k=count)
    statuses = chance.choices(list(STATUSES), list(STATUSES.values()), k=count)
    for number in range(count):
        at, status = began + every * number, "returned" if number % 97 == 0 else statuses[number]
        waits = status == "waitlisted"
        yield {
            "receipt": f"QG{at:%y-%m%d}-{number:06d}"[:24],
            "idempotency_key": f"many-{number}",
            "programme_id": programmes[number * len(programmes) // count],
            "programme_version": 1,
            "kind": "work_study",
            "status": status,
            "openid": f"openid-{number % 600_000}",
            "relation": "self",
            "subject_hash": f"{number:064x}",
            "phone_hash": f"{number // 2:064x}",
            "name_hash": hashes[number % len(hashes)],
            "name_sealed": sealed["name"],
            "name_masked": "杨*芳",
            "id_number_sealed": sealed["id_number"],
            "id_number_masked": "522*************85",
            "phone_sealed": sealed["phone"],
            "phone_masked": "138****0000",
            "answers_sealed": answers,
            "county": picked[number],
            "category": CATEGORIES[number % len(CATEGORIES)],
            "place_taken": False,
            "qualified": True,
            "needs_review": number % 5_003 == 0,
            "has_findings": number % 53 == 0,
            "has_duplicates": number % 101 == 0,
            "offers_lapsed": 0,
            "priority": number % 4 * 10,
            "rank": -(number % 4 * 10),
            "findings": [],
            "consents": {},
            "returned_items": [],
            "returned_until": at + timedelta(days=7) if number % 97 == 0 else None,
            "waitlist_queue": "many" if waits else None,
            "waitlist_seq": number if waits else None,
            "changes": 1,
            "created_at": at,
            "updated_at": at,
        }

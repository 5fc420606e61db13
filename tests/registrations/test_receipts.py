"""Receipt numbers: one series a kind and day, never the same twice."""

import asyncio
from datetime import date

from bot.programmes.models import ProgrammeKind
from bot.registrations.receipts import next_receipt
from bot.storage.sql import Database

DAY = date(2026, 7, 13)


async def _next(database: Database, kind: ProgrammeKind = ProgrammeKind.WORK_STUDY, day: date = DAY) -> str:
    async with database.transaction() as session:
        return await next_receipt(session, kind, day)


async def test_each_kind_and_day_counts_for_itself(database: Database) -> None:
    assert [await _next(database) for _ in range(2)] == ["QG26-0713-0001", "QG26-0713-0002"]
    assert await _next(database, ProgrammeKind.HEALTH_SCREENING) == "JK26-0713-0001"
    assert await _next(database, ProgrammeKind.LEGAL_CONSULTATION) == "FL26-0713-0001"
    assert await _next(database, day=date(2026, 7, 14)) == "QG26-0714-0001"


async def test_numbers_given_out_at_once_are_all_different(database: Database) -> None:
    receipts = await asyncio.gather(*(_next(database) for _ in range(30)))
    assert sorted(receipts) == [f"QG26-0713-{serial:04d}" for serial in range(1, 31)]

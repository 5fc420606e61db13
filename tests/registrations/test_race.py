"""500 followers race for 50 places in one slot; and what happens when nobody guards the place."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bot.programmes.service import ProgrammeService
from bot.registrations.models import Registration
from bot.registrations.outcomes import Submitted
from bot.registrations.places import Place, PlaceLock
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import Stage, application, stage_screening

RACERS = 500
PLACES = 50


async def _race(service: RegistrationService, stage: Stage, racers: int) -> list[object]:
    """Submit for the one slot all at once; a failed submission comes back as its exception."""
    slot_id = stage.slots[0].id
    applications = [application(serial, stage.programme, slot_id=slot_id) for serial in range(racers)]
    return list(await asyncio.gather(*map(service.submit, applications), return_exceptions=True))


async def test_fifty_places_go_to_fifty_and_the_rest_wait_in_order(
    database: Database, programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, PLACES)

    outcomes = await _race(registrations, stage, RACERS)

    submitted = [outcome for outcome in outcomes if isinstance(outcome, Submitted)]
    assert len(submitted) == RACERS, [outcome for outcome in outcomes if not isinstance(outcome, Submitted)][:3]
    confirmed = [outcome for outcome in submitted if outcome.status is Status.APPROVED]
    waiting = [outcome for outcome in submitted if outcome.status is Status.WAITLISTED]
    assert (len(confirmed), len(waiting)) == (PLACES, RACERS - PLACES)
    assert len({outcome.receipt for outcome in submitted}) == RACERS
    # Row numbers are given under the place's lock, so their order is the order of the commits.
    async with database.reading() as session:
        rows = (await session.scalars(select(Registration).order_by(Registration.id))).all()
    assert [row.place_taken for row in rows] == [True] * PLACES + [False] * (RACERS - PLACES)
    positions = {outcome.receipt: outcome.waitlist_position for outcome in submitted}
    assert [positions[row.receipt] for row in rows[PLACES:]] == list(range(1, RACERS - PLACES + 1))


class NullPlaceLock:
    """Guards nothing. It lets the racers go on only when all have come this far, as a crowd at one moment would."""

    def __init__(self, racers: int) -> None:
        self._missing = racers
        self._everybody_here = asyncio.Event()

    async def take(self, _session: AsyncSession, _places: Collection[Place]) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._everybody_here.set()
        await self._everybody_here.wait()


class LooseDatabase(Database):
    """On SQLite the transaction is the lock; without it every statement stands alone."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._loose = create_async_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": 15})

    @asynccontextmanager
    async def transaction(self, *, at_once: bool = False) -> AsyncIterator[AsyncSession]:
        del at_once
        async with AsyncSession(self._loose, expire_on_commit=False) as session, session.begin():
            yield session

    async def close(self) -> None:
        await self._loose.dispose()
        await super().close()


async def test_without_the_guard_the_slot_is_overbooked(
    database_url: str, database: Database, programmes: ProgrammeService, cipher: FieldCipher, clock: MovedClock
) -> None:
    places, racers = 4, 12
    stage = await stage_screening(programmes, places)
    unguarded: PlaceLock = NullPlaceLock(racers)
    async with AsyncExitStack() as stack:
        loose = database
        if database.is_sqlite:
            loose = LooseDatabase(database_url)
            stack.push_async_callback(loose.close)
        await _race(RegistrationService(loose, cipher, clock, unguarded), stage, racers)

    async with database.reading() as session:
        taken = (await session.scalars(select(Registration.id).where(Registration.place_taken.is_(True)))).all()
    assert len(taken) > places

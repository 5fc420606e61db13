"""Whatever happens in whatever order: nobody is placed beyond the capacity, and the waiting list keeps its order."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Slot, SlotRow
from bot.programmes.service import ProgrammeService
from bot.registrations.models import Hold, Registration
from bot.registrations.outcomes import Changes
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.registrations.factories import MONDAY, Stage, application, stage_screening

T = TypeVar("T")
PEOPLE = st.integers(0, 6)
SLOTS = st.integers(0, 1)
CAPACITIES = (2, 1)


class Places(RuleBasedStateMachine):
    """Seven people, two slots and a clock."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._database = Database(f"sqlite+aiosqlite:///{Path(self._folder.name) / 'records.db'}")
        self._clock = MovedClock(MONDAY)
        cipher = FieldCipher({"k1": bytes(32)}, current="k1", hash_key=bytes(32))
        self._programmes = ProgrammeService(self._database, self._clock)
        self._service = RegistrationService(self._database, cipher, self._clock, RowPlaceLock())
        self._keys = 0

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self._runner.run(awaited())

    def key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"

    def receipt(self, person: int) -> str:
        found = self.run(self._service.find_for(f"openid-{person}", limit=1))
        return found[0].receipt if found else "none"

    @initialize()
    def begin(self) -> None:
        self.run(self._database.create_tables())
        self.stage = self.run(stage_screening(self._programmes, *CAPACITIES, waitlist_size=3))

    @rule(person=PEOPLE, slot=SLOTS)
    def hold(self, person: int, slot: int) -> None:
        slot_id = self.stage.slots[slot].id
        self.run(self._service.hold_place(self.stage.programme.id, slot_id, f"openid-{person}", self.key()))

    @rule(person=PEOPLE, slot=SLOTS)
    def submit(self, person: int, slot: int) -> None:
        slot_id = self.stage.slots[slot].id
        self.run(self._service.submit(application(person, self.stage.programme, slot_id=slot_id, key=self.key())))

    @rule(person=PEOPLE)
    def cancel(self, person: int) -> None:
        self.run(self._service.cancel(self.receipt(person), f"openid-{person}", self.key()))

    @rule(person=PEOPLE, slot=SLOTS)
    def move(self, person: int, slot: int) -> None:
        changes = Changes(slot_id=self.stage.slots[slot].id)
        self.run(self._service.change(self.receipt(person), f"openid-{person}", changes, self.key()))

    @rule(person=PEOPLE, yes=st.booleans())
    def answer_offer(self, person: int, yes: bool) -> None:
        answer = self._service.accept_offer if yes else self._service.decline_offer
        self.run(answer(self.receipt(person), f"openid-{person}", self.key()))

    @rule(minutes=st.sampled_from([5, 10, 60 * 12]))
    def wait(self, minutes: int) -> None:
        self._clock.move(timedelta(minutes=minutes))

    @rule()
    def sweep(self) -> None:
        self.run(self._service.release_expired())

    @rule()
    def give_back(self) -> None:
        self.run(self._service.release_hold(self.stage.programme.id, "openid-0"))

    @rule(slot=SLOTS)
    def add_a_place(self, slot: int) -> None:
        before = self.run(self._programmes.slot(self.stage.slots[slot].id))
        if before.capacity < 4:
            after = replace(before, capacity=before.capacity + 1)
            self.run(self._programmes.edit_row(after, editor="test", note=""))

    async def _registrations(self, session: AsyncSession, slot: Slot) -> list[Registration]:
        return list(await session.scalars(select(Registration).where(Registration.slot_id == slot.id)))

    async def _check(self) -> None:
        now = self._clock.now()
        async with self._database.reading() as session:
            for slot in self.stage.slots:
                capacity = (await session.get_one(SlotRow, slot.id)).capacity
                live = select(Hold.token).where(Hold.slot_id == slot.id, Hold.expires_at > now)
                holds = len((await session.scalars(live)).all())
                rows = await self._registrations(session, slot)
                _check_capacity(rows, holds, capacity, now)
                _check_order(rows)

    @invariant()
    def capacity_and_order_hold(self) -> None:
        self.run(self._check())

    def teardown(self) -> None:
        self.run(self._database.close())
        self._runner.close()
        self._folder.cleanup()


def _check_capacity(rows: list[Registration], holds: int, capacity: int, now: datetime) -> None:
    placed = [row for row in rows if row.place_taken]
    offered = [row for row in rows if row.offer_expires_at is not None and row.offer_expires_at > now]
    assert len(placed) + len(offered) + holds <= capacity
    assert {row.status for row in placed} <= {"approved"}
    assert {row.status for row in offered} <= {"waitlisted"}
    live = [row.subject_hash for row in rows if row.status in {"approved", "waitlisted"}]
    assert len(live) == len(set(live))


def _check_order(rows: list[Registration]) -> None:
    waiting = [row for row in rows if row.status == "waitlisted" and row.offers_lapsed == 0]
    in_order = sorted(waiting, key=lambda row: row.waitlist_seq or 0)
    offered = [row.offer_expires_at is not None for row in in_order]
    assert offered == sorted(offered, reverse=True)


TestPlaces = Places.TestCase
TestPlaces.settings = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

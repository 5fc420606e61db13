"""Holding a place while somebody is still answering; time is moved, never slept."""

from datetime import timedelta

from bot.programmes.service import ProgrammeService
from bot.registrations.outcomes import Full, Held, Released, Submitted
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.values.clock import MovedClock
from tests.registrations.factories import Stage, application, stage_screening, statuses, submitted

HOLD = timedelta(minutes=10)


async def _hold(service: RegistrationService, stage: Stage, serial: int, key: str, slot: int = 0) -> object:
    return await service.hold_place(stage.programme.id, stage.slots[slot].id, f"openid-{serial}", key)


async def _free(service: RegistrationService, stage: Stage) -> list[int]:
    return [slot.free for slot in await service.slots(stage.programme.id)]


async def test_a_held_place_is_nobody_elses(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1)

    held = await _hold(registrations, stage, 1, "a")

    assert isinstance(held, Held)
    assert held.expires_at == clock.now() + HOLD
    assert isinstance(await _hold(registrations, stage, 2, "b"), Full)
    assert await _free(registrations, stage) == [0]
    mine = await registrations.slots(stage.programme.id, openid="openid-1")
    assert [slot.free for slot in mine] == [1]
    await submitted(registrations, stage, 2)
    assert await statuses(registrations, 2) == ["waitlisted 1"]
    await submitted(registrations, stage, 1)
    assert await statuses(registrations, 1, 2) == ["approved", "waitlisted 1"]


async def test_a_hold_that_ran_out_counts_for_nothing_at_once(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1)
    await _hold(registrations, stage, 1, "a")
    clock.move(HOLD - timedelta(seconds=1))
    assert isinstance(await _hold(registrations, stage, 2, "b"), Full)
    clock.move(timedelta(seconds=1))

    assert isinstance(await _hold(registrations, stage, 2, "c"), Held)
    # The one who was too slow takes a place on the list, not the place.
    await submitted(registrations, stage, 1)
    assert await statuses(registrations, 1) == ["waitlisted 1"]


async def test_holding_another_slot_gives_the_earlier_one_up(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    await _hold(registrations, stage, 1, "a", slot=0)
    assert await _free(registrations, stage) == [0, 1]
    await _hold(registrations, stage, 1, "b", slot=1)
    assert await _free(registrations, stage) == [1, 0]
    again = await _hold(registrations, stage, 1, "c", slot=1)
    assert isinstance(again, Held)


async def test_a_hold_that_is_given_back_goes_to_who_waits(
    programmes: ProgrammeService, registrations: RegistrationService
) -> None:
    stage = await stage_screening(programmes, 1)
    await _hold(registrations, stage, 1, "a")
    await submitted(registrations, stage, 2)

    await registrations.release_hold(stage.programme.id, "openid-1")

    (waiting,) = await registrations.find_for("openid-2")
    assert waiting.offer_expires_at is not None
    await registrations.release_hold(stage.programme.id, "openid-1")


async def test_submitting_uses_the_hold_up(programmes: ProgrammeService, registrations: RegistrationService) -> None:
    stage = await stage_screening(programmes, 2)
    await _hold(registrations, stage, 1, "a")
    outcome = await registrations.submit(application(1, stage.programme, slot_id=stage.slots[0].id))
    assert isinstance(outcome, Submitted)
    assert outcome.status is Status.APPROVED
    assert await _free(registrations, stage) == [1]


async def test_a_hold_that_ran_out_is_offered_to_who_waits_before_anybody_new(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1)
    await _hold(registrations, stage, 1, "a")
    await submitted(registrations, stage, 2)
    clock.move(HOLD)

    await submitted(registrations, stage, 3)

    assert await statuses(registrations, 2, 3) == ["waitlisted 1", "waitlisted 2"]
    (first,) = await registrations.find_for("openid-2")
    assert first.offer_expires_at is not None


async def test_the_sweeper_tells_those_who_wait_in_time(
    programmes: ProgrammeService, registrations: RegistrationService, clock: MovedClock
) -> None:
    stage = await stage_screening(programmes, 1, 1)
    await _hold(registrations, stage, 1, "a", slot=0)
    await _hold(registrations, stage, 9, "b", slot=1)
    (receipt,) = await submitted(registrations, stage, 2)
    assert await registrations.release_expired() == Released(0, 0, ())
    clock.move(HOLD)

    released = await registrations.release_expired()

    assert (released.holds, released.offers) == (2, 0)
    assert [promoted.receipt for promoted in released.promoted] == [receipt]
    assert await registrations.release_expired() == Released(0, 0, ())

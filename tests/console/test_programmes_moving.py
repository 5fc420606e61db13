"""Moving the people of a slot in the console: seen before, confirmed, done by a task, told to everybody."""

import pytest

from bot.programmes.models import Programme, ProgrammeKind
from tests.console.served import Browser, ServedConsole
from tests.registrations.factories import application, receipt_of

AGREED = {"general": 1, "sensitive": 2, "third_party": 3}


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff("programme_manager")


async def _booked(console: ServedConsole, count: int) -> tuple[Programme, list[int], str]:
    """A screening, the slots of its first site by time, and the receipt of the last of ``count`` in the first."""
    [programme] = await console.records.programmes.published(ProgrammeKind.HEALTH_SCREENING)
    free = await console.records.registrations.slots(programme.id)
    slots = [slot.slot_id for slot in free if slot.site_id == free[0].site_id]
    receipt = ""
    for serial in range(1, count + 1):
        booking = application(serial, programme, slot_id=slots[0], consents=AGREED)
        receipt = receipt_of(await console.records.registrations.submit(booking))
    return programme, slots, receipt


async def test_it_is_seen_who_fits_and_then_done_in_the_background(console: ServedConsole, manager: Browser) -> None:
    programme, slots, receipt = await _booked(console, 2)
    address = f"/programmes/{programme.id}/slots/move"
    asked = await manager.get(f"/programmes/{programme.id}/slots/change?slot={slots[0]}")
    assert "把人转走" in asked.visible
    page = await manager.get(f"{address}?slot={slots[0]}")
    assert "2 人有名额，选的时段还能坐 0 人" in page.visible
    assert "2 人坐不下" in page.visible
    page = await manager.get(f"{address}?slot={slots[0]}&target={slots[1]}")
    assert "2 人转到新的时段" in page.visible

    refused = await manager.post(address, {"slot": str(slots[0]), "note": "医生外出"})
    assert refused.status == 422
    assert "请选转到哪里" in refused.visible
    refused = await manager.post(address, {"slot": str(slots[0]), "target": str(slots[1])})
    assert refused.status == 422

    chosen = {"slot": str(slots[0]), "target": str(slots[1]), "note": "医生外出", "key": "once"}
    for _ in range(2):
        tasks = await manager.follow(await manager.post(address, chosen))
    assert tasks.visible.count("转走时段的人") == 1
    await console.run_tasks("programme_manager")
    assert "转走 2" in (await manager.get("/tasks")).visible
    view = await console.records.registrations.find_by_receipt(receipt, "openid-2")
    assert view is not None
    assert view.slot is not None
    assert view.slot.id == slots[1]
    [moved] = await console.records.audit.events(action="registrations:slot:move")
    assert moved.record.reason == "2/0/0:医生外出"
    told = await console.records.notices.lease_due(limit=500)
    assert sorted(notice.openid for notice in told if notice.kind == "slot_moved") == ["openid-1", "openid-2"]


async def test_who_cannot_be_seated_is_cancelled_when_that_was_ticked(
    console: ServedConsole, manager: Browser
) -> None:
    programme, slots, receipt = await _booked(console, 1)
    address = f"/programmes/{programme.id}/slots/move"
    await manager.get(f"{address}?slot={slots[0]}")
    answer = await manager.post(address, {"slot": str(slots[0]), "cancel_rest": "on", "note": "停诊"})
    await manager.follow(answer)
    await console.run_tasks("programme_manager")
    view = await console.records.registrations.find_by_receipt(receipt, "openid-1")
    assert view is not None
    assert view.status.value == "cancelled"
    assert "取消 1" in (await manager.get("/tasks")).visible


async def test_slots_of_another_programme_are_not_touched(sqlite_console: ServedConsole) -> None:
    manager = await sqlite_console.staff("programme_manager")
    _, slots, _ = await _booked(sqlite_console, 1)
    [other] = await sqlite_console.records.programmes.published(ProgrammeKind.WORK_STUDY)
    page = await manager.get(f"/programmes/{other.id}/slots/move?slot={slots[0]}")
    assert "没有选时段" in page.visible


async def test_more_slots_than_one_move_takes_are_refused_and_nobody_is_moved(
    console: ServedConsole, manager: Browser
) -> None:
    programme, slots, receipt = await _booked(console, 1)
    chosen = [str(slots[0]), *(str(900_000 + number) for number in range(100))]
    address = f"/programmes/{programme.id}/slots/move"
    asked = await manager.get(f"{address}?{'&'.join(f'slot={one}' for one in chosen)}")
    assert "选了 101 个时段，一次最多处理 100 个" in asked.visible
    refused = await manager.post(address, {"slot": chosen, "target": str(slots[1]), "note": "医生外出"})
    assert refused.status == 422
    assert "选了 101 个时段，一次最多处理 100 个" in refused.visible
    assert await console.records.tasks.of("programme_manager") == []
    view = await console.records.registrations.find_by_receipt(receipt, "openid-1")
    assert view is not None
    assert view.slot is not None
    assert view.slot.id == slots[0]

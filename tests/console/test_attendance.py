"""The door of a site on a phone: the day, a person by a few digits, come, taken back, and the list to print."""

from datetime import timedelta

import pytest

from bot.programmes.models import ProgrammeKind
from bot.registrations.statuses import Status
from bot.values.clock import MovedClock
from tests.console.applicants import DEJIANG, SONGTAO, number, screened, status_of
from tests.console.served import Browser, ServedConsole, counted_queries

MANAGER = "programme_manager"


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff(MANAGER)


async def expected(console: ServedConsole, manager: Browser, serial: int, **changes: object) -> str:
    """Somebody whose booking was approved."""
    receipt = await screened(console, serial, **changes)
    await manager.get(f"/registrations/{receipt}/approve")
    answer = await manager.post(f"/registrations/{receipt}/approve", {"reason": "qualified"})
    assert answer.status == 303, answer.visible
    return receipt


async def door_of(console: ServedConsole, county: str = SONGTAO) -> str:
    """Return the address of the first site's first day in ``county``."""
    programme = await console.records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    [slot, *_] = await console.records.registrations.slots(programme.id, county=county)
    return f"/attendance/{slot.site_id}/{slot.day}"


async def test_the_days_lead_to_the_door(console: ServedConsole, manager: Browser) -> None:
    assert "这两周没有预约" in (await manager.get("/attendance")).visible
    await expected(console, manager, 1)
    address = await door_of(console)
    page = await manager.get("/attendance")
    assert f'href="{address}"' in page.text
    assert "0/1" in page.visible
    _, _, site, day = address.split("/")
    assert f'href="{address}"' not in (await manager.get(f"/attendance?after={day}.{SONGTAO}.{site}")).text
    assert f'href="{address}"' in (await manager.get(f"/attendance?after={day}.{SONGTAO}.0")).text


async def test_one_is_found_by_digits_comes_and_is_taken_back(console: ServedConsole, manager: Browser) -> None:
    first, second = [await expected(console, manager, serial) for serial in (1, 2)]
    address = await door_of(console)
    page = await manager.get(f"{address}?q={first[-4:]}")
    assert "查到 1 位" in page.visible
    assert first in page.visible
    assert second not in page.visible
    assert number(1)[-4:] in page.visible
    assert number(1) not in page.text
    key = manager.key
    for _ in range(2):
        answer = await manager.post(f"{address}/check-in", {"receipt": first, "key": key})
    page = await manager.follow(answer)
    assert f"{first} 已到场" in page.visible
    assert "1 人已到，共 2 人" in page.visible
    other = await manager.post(f"{address}/check-in", {"receipt": first, "key": "another-phone"})
    assert "10:00 已经核验过了" in (await manager.follow(other)).visible
    events = await console.records.audit.events(object_id=first)
    assert [event.record.reason for event in events].count("checked_in") == 1
    taken = await manager.follow(await manager.post(f"{address}/revoke", {"receipt": first, "key": "taken-back"}))
    assert "0 人已到，共 2 人" in taken.visible
    assert await status_of(console, first) is Status.APPROVED
    assert "今天这里没有这位" in (await manager.get(f"{address}?q=9999")).visible


async def test_who_is_not_expected_here_is_not_let_in(console: ServedConsole, manager: Browser) -> None:
    await expected(console, manager, 1)
    elsewhere = await expected(console, manager, 2, county=DEJIANG)
    address = await door_of(console)
    await manager.get(address)
    assert (await manager.post(f"{address}/check-in", {"receipt": elsewhere})).status == 404


async def test_a_county_stands_at_its_own_doors(console: ServedConsole, manager: Browser) -> None:
    mine = await expected(console, manager, 1)
    await expected(console, manager, 2, county=DEJIANG)
    here, there = await door_of(console), await door_of(console, DEJIANG)
    reviewer = await console.staff("county_reviewer", county=SONGTAO)
    page = await reviewer.get("/attendance")
    assert here in page.text
    assert there not in page.text
    await reviewer.get(here)
    assert (await reviewer.post(f"{here}/check-in", {"receipt": mine})).status == 303
    for path in ("", "/print"):
        assert (await reviewer.get(f"{there}{path}")).status == 404
    assert (await reviewer.post(f"{there}/print", {"reason": "打印名单"})).status == 404


async def test_the_list_is_printed_masked_or_named_with_a_reason(console: ServedConsole, manager: Browser) -> None:
    await expected(console, manager, 1)
    address = await door_of(console)
    page = await manager.get(f"{address}/print")
    assert "龙*芳" in page.visible
    assert "龙小芳" not in page.text
    refused = await manager.post(f"{address}/print", {"reason": "要"})
    assert refused.status == 422
    assert "请用至少 4 个字写明事由" in refused.visible
    named = await manager.post(f"{address}/print", {"reason": "医院按名单叫号"})
    assert "龙小芳" in named.visible
    assert number(1) not in named.text
    assert "13900000001" not in named.text
    [event] = await console.records.audit.events(action="registrations:day_list:print")
    assert event.record.reason == "1:医院按名单叫号"


async def test_more_sites_and_people_cost_no_more_queries(console: ServedConsole, manager: Browser) -> None:
    await expected(console, manager, 1)
    address = await door_of(console)
    pages = ("/attendance", address)
    few: list[int] = []
    for page in pages:
        with counted_queries(console.records.database) as queries:
            await manager.get(page)
        few.append(len(queries))
    for serial, county in enumerate((SONGTAO, SONGTAO, DEJIANG), 2):
        await expected(console, manager, serial, county=county)
    for page, before in zip(pages, few, strict=True):
        with counted_queries(console.records.database) as queries:
            await manager.get(page)
        assert len(queries) == before, page


async def test_a_site_or_day_that_is_none_is_said(manager: Browser) -> None:
    assert (await manager.get("/attendance/999999/2026-06-20")).status == 404
    for address in ("/attendance/1/2026-02-31", "/attendance?after=1", "/attendance?after=2026-02-31.520602.1"):
        assert (await manager.get(address)).status == 400, address


async def test_the_start_page_tells_who_is_expected_today(
    console: ServedConsole, manager: Browser, clock: MovedClock
) -> None:
    await expected(console, manager, 1)
    day = (await door_of(console)).rpartition("/")[2]
    assert "今天预约到场" not in (await manager.get("/")).visible
    while f"{clock.now():%Y-%m-%d}" != day:
        clock.move(timedelta(days=1))
    await manager.sign_in(MANAGER)
    assert "今天预约到场" in (await manager.get("/")).visible

"""A programme's calendar in the console: many slots made at once, several changed together, sites and posts."""

from datetime import date

import pytest

from bot.programmes.models import Programme, ProgrammeKind, Slot
from bot.programmes.overview import ProgrammeOverview
from tests.console.served import Browser, ServedConsole, counted_queries
from tests.registrations.factories import application, receipt_of

AGREED = {"general": 1, "sensitive": 2, "third_party": 3}


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff("programme_manager")


async def _screening(console: ServedConsole) -> Programme:
    [programme] = await console.records.programmes.published(ProgrammeKind.HEALTH_SCREENING)
    return programme


async def _site_ids(console: ServedConsole, programme: Programme) -> list[str]:
    return [str(site.id) for site in await ProgrammeOverview(console.records.database).sites(programme.id)]


async def _slots(console: ServedConsole, programme: Programme, day: date) -> tuple[Slot, ...]:
    return (await ProgrammeOverview(console.records.database).week(programme.id, day)).slots


async def test_many_slots_are_shown_first_and_made_once(console: ServedConsole, manager: Browser) -> None:
    programme = await _screening(console)
    sites = await _site_ids(console, programme)
    address = f"/programmes/{programme.id}/slots/new"
    await manager.get(address)
    plan = {
        "first": "2027-03-01",
        "last": "2027-03-14",
        "weekdays": ["0", "2"],
        "but": "3月3日",
        "hours": "8:30-9:30 12\n14:00-15:00",
        "places": "5",
        "sites": sites[:2],
    }
    shown = await manager.post(address, plan)
    assert shown.status == 200
    assert "12 个新时段，共 102 个名额" in shown.visible
    assert await _slots(console, programme, date(2027, 3, 1)) == ()
    for _ in range(2):
        answer = await manager.post(address, {**plan, "make": "1", "note": "秋季加场"})
    page = await manager.follow(answer)
    assert "建好 0 个时段，已有的 12 个没有动" in page.visible
    assert "2027-03-01" in page.text
    made = await _slots(console, programme, date(2027, 3, 1))
    assert [(slot.day.day, slot.start.hour, slot.capacity) for slot in made if str(slot.site_id) == sites[0]] == [
        (1, 8, 12),
        (1, 14, 5),
    ]
    events = await console.records.audit.events(action="programmes:slots:edit")
    assert [event.record.reason for event in events] == ["12:秋季加场"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"hours": "早上"}, "第 1 行看不懂"),
        ({"hours": "9:00-8:00 3"}, "结束要晚于开始"),
        ({"hours": "8:00-9:00"}, "第 1 行没有写名额"),
        ({"last": "2027-01-01"}, "结束日期在开始日期之前"),
        ({"weekdays": []}, "没有符合的日子"),
        ({"sites": []}, "请至少选一个点位"),
        ({"but": "哪天"}, "看不懂“哪天”"),
        ({"first": ""}, "从哪天"),
    ],
)
async def test_a_plan_that_is_wrong_says_where_and_keeps_what_was_typed(
    sqlite_console: ServedConsole, fields: dict[str, str | list[str]], sentence: str
) -> None:
    manager = await sqlite_console.staff("programme_manager")
    programme = await _screening(sqlite_console)
    address = f"/programmes/{programme.id}/slots/new"
    await manager.get(address)
    plan: dict[str, str | list[str]] = {
        "first": "2027-03-01",
        "last": "2027-03-07",
        "weekdays": ["0"],
        "hours": "8:30-9:30 12",
        "sites": (await _site_ids(sqlite_console, programme))[:1],
    }
    refused = await manager.post(address, {**plan, **fields, "make": "1"})
    assert refused.status == 422
    assert sentence in refused.visible
    assert str(fields.get("hours", "8:30-9:30 12")) in refused.text
    assert await _slots(sqlite_console, programme, date(2027, 3, 1)) == ()


async def test_chosen_slots_are_closed_and_get_places_after_the_consequence_is_said(
    console: ServedConsole, manager: Browser
) -> None:
    programme = await _screening(console)
    day = (await _slots(console, programme, programme.service_start))[0].day
    first, second, *_ = await _slots(console, programme, day)
    receipt_of(
        await console.records.registrations.submit(application(1, programme, slot_id=first.id, consents=AGREED))
    )
    where = f"slot={first.id}&slot={second.id}"
    asked = await manager.get(f"/programmes/{programme.id}/slots/change?{where}", fragment=True)
    assert "<html" not in asked.text
    assert "处理 2 个时段" in asked.visible
    assert "已有 1 人约在这里" in asked.visible
    chosen = [str(first.id), str(second.id)]
    address = f"/programmes/{programme.id}/slots/change"
    refused = await manager.post(address, {"slot": chosen, "step": "capacity", "capacity": "x"})
    assert refused.status == 422
    await manager.follow(await manager.post(address, {"slot": chosen, "step": "capacity", "capacity": "33"}))
    page = await manager.follow(await manager.post(address, {"slot": chosen, "step": "close"}))
    assert "改好 2 个时段" in page.visible
    assert "已关 1" in page.visible
    changed = await ProgrammeOverview(console.records.database).slots(programme.id, [first.id, second.id])
    assert [(slot.capacity, slot.closed) for slot in changed] == [(33, True), (33, True)]
    await manager.follow(await manager.post(address, {"slot": chosen, "step": "open"}))
    whole_day = await manager.get(f"/programmes/{programme.id}/slots/change?day={day}")
    assert f"处理 {13 * 4} 个时段" in whole_day.visible
    assert "没有勾选时段" in (await manager.get(address)).visible
    assert (await manager.post(address, {"slot": chosen, "step": "burn"})).status == 400


async def test_more_slots_than_one_step_takes_are_refused_and_none_is_changed(
    console: ServedConsole, manager: Browser
) -> None:
    programme = await _screening(console)
    day = (await _slots(console, programme, programme.service_start))[0].day
    mine = await _slots(console, programme, day)
    address = f"/programmes/{programme.id}/slots/change"
    chosen = [str(slot.id) for slot in mine] + [str(900_000 + number) for number in range(501 - len(mine))]
    asked = await manager.get(f"{address}?{'&'.join(f'slot={one}' for one in chosen)}")
    assert "选了 501 个时段，一次最多处理 500 个，所以一个也没有动" in asked.visible
    refused = await manager.post(address, {"slot": chosen, "step": "close"})
    assert refused.status == 422
    assert "请按点位或按天分几次选" in refused.visible
    assert await _slots(console, programme, day) == mine
    allowed = await manager.post(address, {"slot": chosen[:500], "step": "close"})
    assert f"改好 {len(mine)} 个时段" in (await manager.follow(allowed)).visible


async def test_the_calendar_costs_the_same_whatever_the_number_of_slots(
    console: ServedConsole, manager: Browser
) -> None:
    programme = await _screening(console)
    with counted_queries(console.records.database) as empty:
        await manager.get(f"/programmes/{programme.id}/slots?week=2031-01-01")
    with counted_queries(console.records.database) as full:
        page = await manager.get(f"/programmes/{programme.id}/slots?week={programme.service_start}")
    assert len(full) == len(empty)
    assert page.text.count('name="slot"') == 13 * 4 * 3
    narrowed = await manager.get(f"/programmes/{programme.id}/slots?week={programme.service_start}&county=520628")
    assert 0 < narrowed.text.count('name="slot"') < 13 * 4 * 3


async def test_a_site_is_made_once_and_changed(console: ServedConsole, manager: Browser) -> None:
    programme = await _screening(console)
    address = f"/programmes/{programme.id}/sites/edit"
    await manager.get(address)
    fields = {"name": "<b>新医院", "county": "520628", "address": "松桃县城", "key": "same"}
    refused = await manager.post(address, {**fields, "county": "1"})
    assert refused.status == 422
    assert 'value="&lt;b&gt;新医院"' in refused.text
    for _ in range(2):
        page = await manager.follow(await manager.post(address, fields))
    assert page.visible.count("<b>新医院") == 1
    overview = ProgrammeOverview(console.records.database)
    [site] = [one for one in await overview.sites(programme.id) if one.name == "<b>新医院"]
    await manager.get(f"{address}?id={site.id}")
    await manager.follow(
        await manager.post(address, {**fields, "id": str(site.id), "name": "改名医院", "closed": "on"})
    )
    [changed] = [one for one in await overview.sites(programme.id) if one.id == site.id]
    assert (changed.name, changed.closed, changed.code) == ("改名医院", True, site.code)
    assert (await manager.get(f"{address}?id=999999")).status == 404


async def test_a_post_is_made_and_changed(console: ServedConsole, manager: Browser) -> None:
    [programme] = await console.records.programmes.published(ProgrammeKind.WORK_STUDY)
    address = f"/programmes/{programme.id}/posts/edit"
    await manager.get(address)
    fields = {"unit": "市图书馆", "title": "图书整理", "county": "520602", "places": "4"}
    page = await manager.follow(await manager.post(address, fields))
    assert "市图书馆" in page.visible
    [post] = [
        one for one in await ProgrammeOverview(console.records.database).posts(programme.id) if one.unit == "市图书馆"
    ]
    assert (post.places, post.county, post.closed) == (4, "520602", False)
    await manager.get(f"{address}?id={post.id}")
    assert (await manager.post(address, {**fields, "id": str(post.id), "places": "-1"})).status == 422
    await manager.follow(await manager.post(address, {**fields, "id": str(post.id), "places": "6"}))
    [post] = [
        one for one in await ProgrammeOverview(console.records.database).posts(programme.id) if one.id == post.id
    ]
    assert post.places == 6


async def test_readers_see_the_calendar_without_ticks(console: ServedConsole) -> None:
    programme = await _screening(console)
    reader = await console.staff("chat_agent")
    page = await reader.get(f"/programmes/{programme.id}/slots")
    assert page.status == 200
    assert 'name="slot"' not in page.text
    for path in ("slots/new", "slots/change", "sites/edit", "posts/edit"):
        assert (await reader.get(f"/programmes/{programme.id}/{path}")).status == 403, path

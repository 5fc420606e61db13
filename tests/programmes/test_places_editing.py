"""Sites, slots and posts as staff change them, on both databases."""

import asyncio
from dataclasses import replace
from datetime import date, time

import pytest

from bot.programmes.editing import By, ProgrammeEditor
from bot.programmes.errors import UnknownRow
from bot.programmes.models import Post, Site
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.places_editing import PlaceEditor
from bot.programmes.service import ProgrammeService
from bot.programmes.slot_plan import Hours, SlotPlan
from bot.staff.audit import AuditTrail
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem
from tests.registrations.factories import screening

MONDAY = date(2026, 6, 22)


@pytest.fixture
async def site(editor: ProgrammeEditor, places: PlaceEditor, by: By) -> Site:
    await editor.create(screening(), by)
    made = await places.save_site(
        Site(programme_id="screening", code="a", name="妇幼保健院", county="520602", address="路 1 号"), by
    )
    assert isinstance(made, Site)
    return made


def _plan(site: Site, *starts: int) -> SlotPlan:
    hours = tuple(Hours(time(start), time(start + 1), 10) for start in starts)
    return SlotPlan("screening", (site.id,), (MONDAY, date(2026, 6, 23)), hours)


async def test_a_site_is_changed_and_its_code_is_its_own(
    places: PlaceEditor, overview: ProgrammeOverview, trail: AuditTrail, site: Site, by: By
) -> None:
    changed = await places.save_site(replace(site, name="人民医院", closed=True), by)
    assert await overview.sites("screening") == (changed,)
    taken = await places.save_site(replace(site, id=0), by)
    assert taken == Problem("programme.code_taken", {"code": "a"})
    with pytest.raises(UnknownRow):
        await places.save_site(replace(site, id=999, code="b"), by)
    actions = [event.record.action for event in await trail.events(object_id="screening")]
    assert actions.count("programmes:site:edit") == 2


async def test_posts_are_kept_apart_by_their_codes(
    places: PlaceEditor, overview: ProgrammeOverview, site: Site, by: By
) -> None:
    post = Post(programme_id=site.programme_id, code="p", unit="驿站", title="服务", county="520602", places=2)
    made = await places.save_post(post, by)
    assert isinstance(made, Post)
    assert isinstance(await places.save_post(replace(made, places=3), by), Post)
    assert await places.save_post(post, by) == Problem("programme.code_taken", {"code": "p"})
    assert [one.places for one in await overview.posts("screening")] == [3]


async def test_slots_are_made_in_bulk_and_never_twice(
    places: PlaceEditor, overview: ProgrammeOverview, database: Database, clock: MovedClock, site: Site, by: By
) -> None:
    preview = await places.preview(_plan(site, 8, 10))
    assert (len(preview.new), len(preview.existing), len(preview.colliding)) == (4, 0, 0)
    assert (await overview.week("screening", MONDAY)).slots == ()

    made = await places.carry_out(_plan(site, 8, 10), by)
    assert all(slot.id for slot in made.new)
    again = await places.carry_out(_plan(site, 8, 10, 14), by)
    assert (len(again.new), len(again.existing)) == (2, 4)
    half_past = SlotPlan("screening", (site.id,), (MONDAY,), (Hours(time(8, 30), time(9, 30), 5),))
    assert len((await places.carry_out(half_past, by)).colliding) == 1
    assert len((await overview.week("screening", MONDAY)).slots) == 6
    editions = await ProgrammeService(database, clock).history("screening")
    assert [len(edition.rows_changed) for edition in editions] == [0, 1, 4, 2]


async def test_two_who_make_the_same_slots_make_them_once(
    places: PlaceEditor, overview: ProgrammeOverview, site: Site, by: By
) -> None:
    views = await asyncio.gather(*(places.carry_out(_plan(site, 8), by) for _ in range(4)))
    assert sorted(len(view.new) for view in views) == [0, 0, 0, 2]
    assert len((await overview.week("screening", MONDAY)).slots) == 2


async def test_a_site_of_another_programme_is_refused(
    editor: ProgrammeEditor, places: PlaceEditor, site: Site, by: By
) -> None:
    await editor.create(screening(id="other"), by)
    with pytest.raises(UnknownRow):
        await places.carry_out(replace(_plan(site, 8), programme_id="other"), by)


async def test_slots_are_closed_by_day_and_get_other_capacities(
    places: PlaceEditor, overview: ProgrammeOverview, site: Site, by: By
) -> None:
    made = (await places.carry_out(_plan(site, 8, 10), by)).new
    monday = await places.slots_on("screening", day=MONDAY)
    assert await places.change_slots("screening", monday, by, closed=True) == 2
    assert await places.change_slots("screening", monday, by, closed=True) == 0
    assert len(await places.slots_on("screening", site_id=site.id)) == 2
    assert await places.change_slots("screening", [made[0].id], by, capacity=3, closed=False) == 1
    by_id = {slot.id: slot for slot in (await overview.week("screening", MONDAY)).slots}
    assert (by_id[made[0].id].capacity, by_id[made[0].id].closed) == (3, False)


async def test_weeks_know_where_there_is_more(
    places: PlaceEditor, overview: ProgrammeOverview, site: Site, by: By
) -> None:
    for day in (date(2026, 6, 10), MONDAY, date(2026, 7, 20)):
        await places.carry_out(SlotPlan("screening", (site.id,), (day,), (Hours(time(8), time(9), 1),)), by)
    week = await overview.week("screening", MONDAY)
    assert (week.earlier, week.later, len(week.slots), len(week.days)) == (
        date(2026, 6, 10),
        date(2026, 7, 20),
        1,
        7,
    )
    assert await overview.first_day("screening", date(2026, 6, 11)) == MONDAY
    assert await overview.first_day("screening", date(2027, 1, 1)) == date(2026, 7, 20)
    assert await overview.first_day("nothing", MONDAY) is None

"""Programmes as rows that staff edit, on both databases."""

import asyncio
from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from bot.programmes.errors import EditConflict, InvalidProgramme, UnknownProgramme, UnknownRow
from bot.programmes.models import Post, Programme, ProgrammeKind, ProgrammeStatus, Site, Slot
from bot.programmes.service import ProgrammeService
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def service(database: Database, clock: MovedClock) -> ProgrammeService:
    return ProgrammeService(database, clock)


@pytest.fixture
def programme(clock: MovedClock) -> Programme:
    return Programme(
        id="screening",
        kind=ProgrammeKind.HEALTH_SCREENING,
        title="筛查",
        open_at=clock.now() - timedelta(days=1),
        close_at=clock.now() + timedelta(days=10),
        service_start=date(2026, 6, 20),
        service_end=date(2026, 6, 30),
        status=ProgrammeStatus.PUBLISHED,
    )


async def test_every_edit_is_a_version_that_stays_readable(
    service: ProgrammeService, programme: Programme, clock: MovedClock
) -> None:
    first = await service.create(programme, editor="liu", note="建立")
    clock.move(timedelta(hours=1))
    second = await service.edit(replace(first, waitlist_size=30), editor="wang", note="候补放宽")

    assert (first.version, second.version) == (1, 2)
    assert await service.get("screening") == second
    history = await service.history("screening")
    assert [(e.version, e.editor, e.note, e.programme.waitlist_size) for e in history] == [
        (1, "liu", "建立", 0),
        (2, "wang", "候补放宽", 30),
    ]
    assert history[1].edited_at - history[0].edited_at == timedelta(hours=1)


async def test_two_people_editing_the_same_version_do_not_overwrite_each_other(
    service: ProgrammeService, programme: Programme
) -> None:
    first = await service.create(programme, editor="liu")
    edits = (
        service.edit(replace(first, title="甲"), editor="a", note=""),
        service.edit(replace(first, title="乙"), editor="b", note=""),
    )
    outcomes = await asyncio.gather(*edits, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["EditConflict", "Programme"]
    with pytest.raises(EditConflict):
        await service.edit(first, editor="c", note="")


async def test_contradictory_rules_are_not_stored(service: ProgrammeService, programme: Programme) -> None:
    with pytest.raises(InvalidProgramme, match=r"quota\.slots_decide"):
        await service.create(replace(programme, quota_total=5), editor="liu")
    with pytest.raises(UnknownProgramme):
        await service.get("screening")


async def test_sites_slots_and_posts_are_versions_too(service: ProgrammeService, programme: Programme) -> None:
    await service.create(programme, editor="liu")
    site = Site(programme_id="screening", code="a", name="县妇幼", county="520628", address="某路 1 号")
    (stored,) = await service.add_sites([site], editor="liu")
    slot = Slot(
        programme_id="screening",
        site_id=stored.id,
        day=date(2026, 6, 20),
        start=time(8, 30),
        end=time(9, 30),
        capacity=5,
    )
    (slot,) = await service.add_slots([slot], editor="liu")
    await service.add_posts(
        [Post(programme_id="screening", code="p", unit="驿站", title="助理", county="520628", places=2)], editor="liu"
    )

    await service.edit_row(replace(slot, capacity=8), editor="wang", note="加号")
    await service.edit_row(replace(stored, closed=True), editor="wang", note="停诊")

    assert (await service.slot(slot.id)).capacity == 8
    assert await service.sites("screening") == ()
    assert (await service.site(stored.id)).closed
    assert [post.places for post in await service.posts("screening", "520628")] == [2]
    assert await service.posts("screening", "520602") == ()
    history = await service.history("screening")
    assert [len(edition.rows_changed) for edition in history] == [0, 1, 1, 1, 1, 1]
    changed = history[4].rows_changed[0]
    assert isinstance(changed, dict)
    assert changed["table"] == "slot"


async def test_unknown_rows_are_refused(service: ProgrammeService, programme: Programme) -> None:
    await service.create(programme, editor="liu")
    await service.create(replace(programme, id="other"), editor="liu")
    (mine,) = await service.add_sites(
        [Site(programme_id="screening", code="a", name="甲", county="520628", address="路")], editor="liu"
    )
    with pytest.raises(UnknownRow):
        await service.edit_row(replace(mine, id=999), editor="wang", note="")
    with pytest.raises(UnknownRow):
        await service.edit_row(replace(mine, programme_id="other"), editor="wang", note="")
    with pytest.raises(UnknownRow):
        await service.slot(1)


async def test_the_programme_to_talk_about(
    service: ProgrammeService, programme: Programme, clock: MovedClock
) -> None:
    day = timedelta(days=1)
    now = clock.now()

    async def current() -> str | None:
        found = await service.current(ProgrammeKind.HEALTH_SCREENING)
        return found.id if found else None

    async def add(name: str, opens: timedelta, closes: timedelta, status: ProgrammeStatus) -> None:
        made = replace(programme, id=name, open_at=now + opens, close_at=now + closes, status=status)
        await service.create(made, editor="liu")

    assert await current() is None
    await add("draft", -day, day, ProgrammeStatus.DRAFT)
    assert await current() is None
    await add("over", -9 * day, -5 * day, ProgrammeStatus.PUBLISHED)
    assert await current() == "over"
    await add("later", 9 * day, 10 * day, ProgrammeStatus.PUBLISHED)
    await add("soon", 5 * day, 10 * day, ProgrammeStatus.PUBLISHED)
    assert await current() == "soon"
    await add("closed-early", -day, day, ProgrammeStatus.CLOSED)
    assert await current() == "soon"
    await add("open", -2 * day, day, ProgrammeStatus.PUBLISHED)
    assert await current() == "open"
    assert "draft" not in {found.id for found in await service.published()}

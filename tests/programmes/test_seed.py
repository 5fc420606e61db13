"""The demonstration programmes: complete, open today, and seeded once."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.programmes.models import ProgrammeKind, Slot
from bot.programmes.rules import Open, window_state
from bot.programmes.seed import seed_demo
from bot.programmes.service import ProgrammeService
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.counties import County

TEN_COUNTIES = {county.code for county in list(County)[:10]}


@pytest.fixture
def service(sqlite_database: Database, clock: MovedClock) -> ProgrammeService:
    return ProgrammeService(sqlite_database, clock)


async def test_all_three_services_are_open_today(service: ProgrammeService, clock: MovedClock) -> None:
    await seed_demo(service, clock.now().date())

    for kind in ProgrammeKind:
        programme = await service.current(kind)
        assert programme is not None
        assert isinstance(window_state(programme, clock.now()), Open)


async def test_every_county_has_a_site_and_some_have_two(service: ProgrammeService, clock: MovedClock) -> None:
    await seed_demo(service, clock.now().date())

    screening = await service.current(ProgrammeKind.HEALTH_SCREENING)
    work_study = await service.current(ProgrammeKind.WORK_STUDY)
    assert screening is not None
    assert work_study is not None
    counties = [site.county for site in await service.sites(screening.id)]
    assert set(counties) == TEN_COUNTIES
    assert len(counties) > len(TEN_COUNTIES)
    assert {post.county for post in await service.posts(work_study.id)} == TEN_COUNTIES


async def test_seeding_again_changes_nothing_until_the_windows_are_over(
    service: ProgrammeService, clock: MovedClock
) -> None:
    today = clock.now().date()
    first = await seed_demo(service, today)

    assert await seed_demo(service, today) == ()
    assert await seed_demo(service, today + timedelta(days=10)) == ()
    later = await seed_demo(service, today + timedelta(days=40))
    assert {programme_id.rsplit("-", 1)[0] for programme_id in later} == {"demo-work-study", "demo-screening"}
    assert len(await service.published()) == len(first) + len(later)


class InterruptedService(ProgrammeService):
    """Is cut off after the first slot."""

    async def add_slots(self, slots: Sequence[Slot], *, editor: str, note: str = "") -> tuple[Slot, ...]:
        await super().add_slots(slots[:1], editor=editor, note=note)
        raise ConnectionError


async def test_a_seeding_that_was_cut_off_is_done_again_whole(
    sqlite_database: Database, service: ProgrammeService, clock: MovedClock
) -> None:
    today = clock.now().date()
    with pytest.raises(ConnectionError):
        await seed_demo(InterruptedService(sqlite_database, clock), today)

    assert len(await seed_demo(service, today)) == len(ProgrammeKind)
    screening = await service.current(ProgrammeKind.HEALTH_SCREENING)
    assert screening is not None
    assert await service.sites(screening.id)

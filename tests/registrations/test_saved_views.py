"""Named sets of filters: one's own and shared ones."""

import asyncio

import pytest

from bot.registrations.filters import Filter, Mark
from bot.registrations.saved_views import VIEWS_MAX, SavedViews, View
from bot.registrations.statuses import Status
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem

MINE = Filter(status=Status.PENDING, county="520628", mark=Mark.FINDINGS)


@pytest.fixture
def views(database: Database, clock: MovedClock) -> SavedViews:
    return SavedViews(database, clock)


async def test_everybody_sees_their_own_and_the_shared_ones(views: SavedViews) -> None:
    mine = await views.save("liu", " 松桃  待审 ", MINE, shared=False)
    shared = await views.save("wang", "逾期", Filter(mark=Mark.LATE), shared=True)
    assert isinstance(mine, View)
    assert isinstance(shared, View)
    assert (mine.name, mine.filter) == ("松桃 待审", MINE)
    assert {view.id for view in await views.of("liu")} == {mine.id, shared.id}
    assert await views.of("zhao") == (shared,)


async def test_the_same_name_is_replaced_and_only_by_its_owner(views: SavedViews) -> None:
    await views.save("liu", "待审", MINE, shared=False)
    await views.save("wang", "待审", MINE, shared=True)
    await views.save("liu", "待审", Filter(), shared=True)
    assert sorted((view.owner, view.filter == Filter(), view.shared) for view in await views.of("liu")) == [
        ("liu", True, True),
        ("wang", False, True),
    ]


async def test_it_is_saved_once_from_two_windows(views: SavedViews) -> None:
    await asyncio.gather(*(views.save("liu", "待审", MINE, shared=False) for _ in range(4)))
    assert len(await views.of("liu")) == 1


async def test_only_the_owner_deletes_it(views: SavedViews) -> None:
    saved = await views.save("liu", "待审", MINE, shared=True)
    assert isinstance(saved, View)
    assert not await views.delete("wang", saved.id)
    assert await views.delete("liu", saved.id)
    assert not await views.delete("liu", saved.id)
    assert await views.of("liu") == ()


@pytest.mark.parametrize("name", ["", "   ", "长" * 21])
async def test_a_name_is_short_and_there(views: SavedViews, name: str) -> None:
    outcome = await views.save("liu", name, MINE, shared=False)
    assert isinstance(outcome, Problem)
    assert outcome.code == "view.name_length"


async def test_there_is_an_end_to_them(views: SavedViews) -> None:
    for number in range(VIEWS_MAX):
        await views.save("liu", f"第{number}个", MINE, shared=False)
    outcome = await views.save("liu", "又一个", MINE, shared=False)
    assert isinstance(outcome, Problem)
    assert outcome.code == "view.too_many"

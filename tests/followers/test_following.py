"""Following, unfollowing and being seen."""

import asyncio
from datetime import timedelta

from bot.followers.service import DEFAULT_GRACE, FollowerService
from bot.values.clock import MovedClock


async def test_a_first_follow_keeps_its_scene(followers: FollowerService, clock: MovedClock) -> None:
    welcome = await followers.followed("o-1", "poster-12", "k-1")
    assert not welcome.returning
    clock.move(timedelta(days=3))
    again = await followers.followed("o-1", "leaflet-7", "k-2")
    assert again.returning
    known = await followers.find("o-1")
    assert known is not None
    assert (known.first_scene, known.latest_scene) == ("poster-12", "leaflet-7")
    assert known.followed_at == clock.now() - timedelta(days=3)


async def test_the_same_follow_delivered_twice_counts_once(followers: FollowerService) -> None:
    first = await followers.followed("o-1", "poster-12", "k-1")
    second = await followers.followed("o-1", "poster-12", "k-1")
    assert first == second


async def test_a_late_repeat_of_a_follow_does_not_undo_the_unfollow(followers: FollowerService) -> None:
    await followers.followed("o-1", "", "k-1")
    await followers.unfollowed("o-1", "k-2")
    await followers.followed("o-1", "", "k-1")
    known = await followers.find("o-1")
    assert known is not None
    assert not known.subscribed


async def test_an_unfollow_is_due_for_erasure_after_the_grace(followers: FollowerService, clock: MovedClock) -> None:
    await followers.followed("o-1", "", "k-1")
    await followers.unfollowed("o-1", "k-2")
    clock.move(DEFAULT_GRACE - timedelta(seconds=1))
    assert await followers.due_for_erasure() == []
    clock.move(timedelta(seconds=1))
    assert await followers.due_for_erasure() == ["o-1"]


async def test_following_again_calls_the_erasure_off(followers: FollowerService, clock: MovedClock) -> None:
    await followers.unfollowed("o-1", "k-1")
    await followers.followed("o-1", "", "k-2")
    clock.move(DEFAULT_GRACE * 2)
    assert await followers.due_for_erasure() == []


async def test_a_repeated_unfollow_does_not_prolong_the_grace(followers: FollowerService, clock: MovedClock) -> None:
    await followers.unfollowed("o-1", "k-1")
    clock.move(DEFAULT_GRACE)
    await followers.unfollowed("o-1", "k-1")
    assert await followers.due_for_erasure() == ["o-1"]


async def test_being_seen_makes_a_row_and_never_goes_back(followers: FollowerService, clock: MovedClock) -> None:
    now = clock.now()
    await followers.seen("o-1")
    await followers.seen_many({"o-1": now - timedelta(hours=1), "o-2": now})
    for openid in ("o-1", "o-2"):
        known = await followers.find(openid)
        assert known is not None
        assert known.last_seen_at == now


async def test_many_first_messages_at_once_make_one_row(followers: FollowerService) -> None:
    await asyncio.gather(*(followers.seen("o-1") for _ in range(8)))
    assert await followers.find("o-1") is not None


async def test_describing_adds_to_what_is_known(followers: FollowerService) -> None:
    await followers.describe("o-1", county="songtao")
    await followers.describe("o-1", category="rider")
    known = await followers.find("o-1")
    assert known is not None
    assert (known.county, known.category) == ("songtao", "rider")


async def test_an_unknown_follower_is_none(followers: FollowerService) -> None:
    assert await followers.find("o-nobody") is None

"""Shards of followers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage.shards import SHARDS, shard_of, tag


def test_a_follower_keeps_its_shard_for_ever() -> None:
    # The keys of living conversations are found by these numbers.
    assert [shard_of(openid) for openid in ("oABC-1", "oABC-2", "o6_bmjrPTlm6_2sgVt7hMZOPfL2M")] == [47, 21, 54]


@given(st.text(min_size=1))
def test_every_follower_has_a_shard_and_its_tag(openid: str) -> None:
    assert tag(shard_of(openid)) in {tag(shard) for shard in range(SHARDS)}


def test_followers_spread_evenly() -> None:
    counts = [0] * SHARDS
    for number in range(6400):
        counts[shard_of(f"o6_bmjrPTlm6_2sgVt7hMZOPf{number:05d}")] += 1
    assert min(counts) > 50
    assert max(counts) < 150


def test_tags_are_hash_tags() -> None:
    assert tag(7) == "{s07}"
    with pytest.raises(ValueError, match="64"):
        tag(64)

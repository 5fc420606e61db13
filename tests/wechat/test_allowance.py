"""What each action opens, and that allowances never add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wechat.allowance import AFTER_MESSAGE, AFTER_TAP, Allowance, Grant, grant, refresh, take
from bot.wechat.parser import read_inbound
from bot.wechat.xml_tree import read_tree
from tests.wechat.conftest import PAYLOADS, payload

FIVE_FOR_TWO_DAYS = {
    "text",
    "text_from_article",
    "image",
    "voice",
    "voice_recognized",
    "video",
    "shortvideo",
    "location",
    "link",
    "unknown_message",
}
THREE_FOR_A_MINUTE = {
    "text_menu_choice",
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "subscribe",
    "subscribe_scene",
    "scan",
}
NOW_MS = 1_795_276_800_000
HOUR_MS = 3_600_000

grants = st.sampled_from([AFTER_MESSAGE, AFTER_TAP])
allowances = st.builds(Allowance, st.integers(0, 5), st.integers(NOW_MS - HOUR_MS, NOW_MS + 48 * HOUR_MS))


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.xml")))
def test_what_a_delivery_opens(name: str) -> None:
    expected = (
        Grant(5, 172_800) if name in FIVE_FOR_TWO_DAYS else Grant(3, 60) if name in THREE_FOR_A_MINUTE else None
    )
    assert grant(read_inbound(read_tree(payload(name).encode()))) == expected


def test_the_first_action_opens_what_it_grants() -> None:
    assert refresh(None, AFTER_TAP, NOW_MS) == Allowance(3, NOW_MS + 60_000)


@pytest.mark.parametrize(
    ("current", "granted", "kept"),
    [
        (Allowance(1, NOW_MS + HOUR_MS), AFTER_MESSAGE, Allowance(5, NOW_MS + 48 * HOUR_MS)),
        (Allowance(2, NOW_MS + 40 * HOUR_MS), AFTER_TAP, Allowance(2, NOW_MS + 40 * HOUR_MS)),
        (Allowance(0, NOW_MS + 40 * HOUR_MS), AFTER_TAP, Allowance(3, NOW_MS + 60_000)),
        (Allowance(5, NOW_MS), AFTER_TAP, Allowance(3, NOW_MS + 60_000)),
        (Allowance(3, NOW_MS + 59_000), AFTER_TAP, Allowance(3, NOW_MS + 60_000)),
    ],
)
def test_the_better_of_two_is_kept(current: Allowance, granted: Grant, kept: Allowance) -> None:
    assert refresh(current, granted, NOW_MS) == kept


def test_taking_counts_down_to_none() -> None:
    allowance: Allowance | None = Allowance(2, NOW_MS + 1)
    for left in (1, 0):
        allowance = take(allowance, NOW_MS)
        assert allowance == Allowance(left, NOW_MS + 1)
    assert take(allowance, NOW_MS) is None


def test_nothing_is_taken_once_it_ran_out() -> None:
    assert take(Allowance(5, NOW_MS), NOW_MS) is None
    assert take(None, NOW_MS) is None


@given(st.one_of(st.none(), allowances), st.lists(grants, min_size=1, max_size=5))
def test_it_never_adds_up_and_never_takes_away(current: Allowance | None, series: list[Grant]) -> None:
    usable_before = take(current, NOW_MS) is not None
    allowance = current
    for granted in series:
        allowance = refresh(allowance, granted, NOW_MS)
        assert take(allowance, NOW_MS) is not None
    assert allowance is not None
    assert allowance.remaining <= 5
    if usable_before and current is not None:
        assert allowance.expires_at_ms >= current.expires_at_ms

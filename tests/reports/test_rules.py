"""Which groups are too small to be shown, and what percentiles are."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.reports.models import Period, Waits
from bot.reports.rules import (
    LONGEST_MIN,
    STEPS_MIN,
    in_steps,
    percentile,
    rounded_minutes,
    suppressed,
    suppressed_total,
)
from tests.reports.turns import JUNE

COUNTS = st.dictionaries(st.integers(0, 30), st.integers(0, 60), max_size=12)
MINUTES = st.lists(st.integers(0, 3000), min_size=1)


def test_the_period_before_has_the_same_length_and_ends_the_day_before() -> None:
    assert JUNE.previous == Period(date(2026, 5, 2), date(2026, 5, 31))
    assert JUNE.previous.end == JUNE.begin


@given(COUNTS)
def test_small_groups_are_hidden_and_nothing_is_changed(counts: dict[int, int]) -> None:
    shown = suppressed(counts)
    assert shown.keys() == counts.keys()
    for key, count in counts.items():
        assert shown[key] in (None, count)
        assert shown[key] == 0 if count == 0 else True
        assert shown[key] is None if 0 < count < 10 else True


@given(COUNTS)
def test_what_is_hidden_cannot_be_worked_out_from_the_total(counts: dict[int, int]) -> None:
    shown, total = suppressed(counts), suppressed_total(sum(counts.values()))
    hidden = [counts[key] for key in counts if shown[key] is None]
    if not hidden or total is None:
        return
    # Whoever subtracts what is shown from the total gets a sum of at least two groups, and of ten people.
    rest = total - sum(count for count in shown.values() if count is not None)
    assert rest == sum(hidden) >= 10
    assert len(hidden) > 1


@given(COUNTS)
def test_no_more_is_hidden_than_need_be(counts: dict[int, int]) -> None:
    shown = suppressed(counts)
    hidden = sorted(counts[key] for key in counts if shown[key] is None)
    small = [count for count in hidden if count < 10]
    larger = [count for count in hidden if count >= 10]
    if larger:
        assert small
        rest = small + larger[:-1]
        assert len(rest) < 2 or sum(rest) < 10


def test_a_small_group_takes_the_next_larger_with_it() -> None:
    assert suppressed({"松桃": 12, "思南": 10, "碧江": 3}) == {"松桃": 12, "思南": None, "碧江": None}
    assert suppressed({"松桃": 40, "思南": 11, "碧江": 3, "江口": 2}) == {
        "松桃": 40,
        "思南": None,
        "碧江": None,
        "江口": None,
    }
    assert suppressed({"松桃": 40, "碧江": 6, "江口": 7}) == {"松桃": 40, "碧江": None, "江口": None}
    assert suppressed_total(9) is None
    assert suppressed_total(0) == 0


@given(MINUTES, st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_times_and_enough_are_below(minutes: list[int], share: float) -> None:
    found = percentile(Waits(Counter(minutes)), share)
    assert found is not None
    assert found in minutes
    assert sum(one <= found for one in minutes) >= share * len(minutes)
    assert sum(one < found for one in minutes) < share * len(minutes) or found == min(minutes)


def test_no_times_have_no_percentile() -> None:
    assert percentile(Waits(), 0.5) is None


@given(st.integers(-5, 100_000))
def test_rounding_keeps_times_apart_by_a_twentieth_at_most(minutes: int) -> None:
    kept = rounded_minutes(minutes)
    assert 0 <= kept <= max(0, minutes)
    if 0 <= minutes <= LONGEST_MIN:
        assert minutes - kept <= minutes / 20
    assert rounded_minutes(minutes + 1) >= kept
    assert rounded_minutes(kept) == kept


@given(MINUTES)
def test_each_time_falls_into_one_step(minutes: list[int]) -> None:
    counts = in_steps(Waits(Counter(minutes)))
    assert sum(counts) == len(minutes)
    assert counts[0] == sum(one < STEPS_MIN[0] for one in minutes)
    assert counts[-1] == sum(one >= STEPS_MIN[-1] for one in minutes)


def test_a_period_knows_its_days() -> None:
    assert len(JUNE.each_day()) == JUNE.days == 30
    assert JUNE.end - JUNE.begin == timedelta(days=30)

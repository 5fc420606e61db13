"""Windows, pre-checks, conditions and faults: pure rules, no database."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.programmes.models import (
    ConsentText,
    MaterialRule,
    PriorityRule,
    Programme,
    ProgrammeKind,
    ProgrammeStatus,
    Slot,
)
from bot.programmes.rules import (
    Closed,
    Finding,
    NotOpenYet,
    Open,
    Person,
    Weight,
    age_on,
    change_deadline,
    consents_needed,
    facts_of,
    faults,
    materials_needed,
    months_later,
    precheck,
    priority,
    window_state,
)
from bot.values.clock import LOCAL_ZONE
from bot.values.identity import Sex

OPENS = datetime(2026, 6, 1, 9, 0, tzinfo=LOCAL_ZONE)
CLOSES = datetime(2026, 6, 20, 18, 0, tzinfo=LOCAL_ZONE)
TODAY = date(2026, 6, 15)

SCREENING = Programme(
    id="s",
    kind=ProgrammeKind.HEALTH_SCREENING,
    title="筛查",
    open_at=OPENS,
    close_at=CLOSES,
    service_start=date(2026, 6, 20),
    service_end=date(2026, 6, 30),
    status=ProgrammeStatus.PUBLISHED,
    age_min=35,
    age_max=64,
    sex=Sex.FEMALE,
    repeat_interval_months=24,
)
WORK_STUDY = replace(
    SCREENING,
    kind=ProgrammeKind.WORK_STUDY,
    age_min=None,
    age_max=None,
    sex=None,
    repeat_interval_months=None,
    service_start=date(2026, 7, 15),
    service_end=date(2026, 8, 14),
)


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, Weight]]:
    return [(finding.code, finding.weight) for finding in findings]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - timedelta(seconds=1), NotOpenYet(OPENS)),
        (OPENS, Open(CLOSES)),
        (CLOSES - timedelta(seconds=1), Open(CLOSES)),
        (CLOSES, Closed(CLOSES)),
    ],
)
def test_the_window_includes_its_first_moment_and_not_its_last(now: datetime, expected: object) -> None:
    assert window_state(SCREENING, now) == expected


def test_staff_can_close_early() -> None:
    now = OPENS + timedelta(days=1)
    assert window_state(replace(SCREENING, status=ProgrammeStatus.CLOSED), now) == Closed(now)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(1990, 6, 15), date(2026, 6, 14), 35),
        (date(1990, 6, 15), date(2026, 6, 15), 36),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
    ],
)
def test_years_are_complete_on_the_birthday_and_on_1_march_for_29_february(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 3, 1)),
        (date(2024, 2, 29), 24, date(2026, 3, 1)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2025, 12, 15), 1, date(2026, 1, 15)),
        (date(2025, 11, 30), 13, date(2026, 12, 30)),
    ],
)
def test_months_are_added_by_the_calendar(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.integers(0, 240))
def test_a_month_later_is_never_early_and_at_most_three_days_late(day: date, months: int) -> None:
    later = months_later(day, months)
    exact = (day.year * 12 + day.month - 1 + months) * 31 + day.day
    reached = (later.year * 12 + later.month - 1) * 31 + later.day
    assert 0 <= reached - exact <= 3


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (Person(date(1980, 5, 20), Sex.FEMALE), []),
        (Person(date(1991, 6, 15), Sex.FEMALE), []),
        (Person(date(1991, 6, 16), Sex.FEMALE), [("age.too_young", Weight.REVIEW)]),
        (Person(date(1961, 6, 16), Sex.FEMALE), []),
        (Person(date(1961, 6, 15), Sex.FEMALE), [("age.too_old", Weight.REVIEW)]),
        (Person(date(1980, 5, 20), Sex.MALE), [("sex.differs", Weight.REVIEW)]),
        (Person(date(1980, 5, 20), None), [("sex.unknown", Weight.REVIEW)]),
        (Person(None, Sex.FEMALE), []),
        (Person(date(1980, 5, 20), Sex.FEMALE, date(2024, 6, 20)), []),
        (Person(date(1980, 5, 20), Sex.FEMALE, date(2024, 6, 21)), [("interval.too_soon", Weight.REVIEW)]),
        (
            Person(date(2013, 1, 1), Sex.FEMALE),
            [("minor.under_14", Weight.OFFLINE), ("age.too_young", Weight.REVIEW)],
        ),
    ],
)
def test_a_screening_is_pre_checked(person: Person, expected: list[tuple[str, Weight]]) -> None:
    assert codes(precheck(SCREENING, person, TODAY)) == expected


def test_the_base_date_of_the_age_is_the_programmes() -> None:
    on_that_day = replace(SCREENING, age_base_date=date(2026, 6, 16))
    (finding,) = precheck(SCREENING, Person(date(1991, 6, 16), Sex.FEMALE), TODAY)
    assert finding.fields == {"age": 34, "base_date": "2026-06-15", "age_min": 35, "age_max": 64}
    assert precheck(on_that_day, Person(date(1991, 6, 16), Sex.FEMALE), TODAY) == ()


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (date(2012, 6, 16), [("minor.under_14", Weight.OFFLINE)]),
        (date(2012, 6, 15), [("minor.under_16", Weight.OFFLINE)]),
        # Sixteen on the first day of service is old enough, though fifteen today.
        (date(2010, 7, 15), [("minor.guardian_consent", Weight.NEEDED)]),
        (date(2010, 7, 16), [("minor.under_16", Weight.OFFLINE)]),
        (date(2008, 6, 16), [("minor.guardian_consent", Weight.NEEDED)]),
        (date(2008, 6, 15), []),
    ],
)
def test_minors_in_work_study(born: date, expected: list[tuple[str, Weight]]) -> None:
    assert codes(precheck(WORK_STUDY, Person(born), TODAY)) == expected


def test_what_is_needed_follows_from_the_answers() -> None:
    programme = replace(
        WORK_STUDY,
        required_materials=(
            MaterialRule("student_card", "学生证"),
            MaterialRule("proof", "困难证明", {"hardship": ("illness", "disaster")}),
            MaterialRule("photo", "证件照片", stage="placed"),
        ),
        consents=(ConsentText("general", "1", "…"), ConsentText("guardian", "1", "…", {"minor": ("yes",)})),
        priority_rules=(
            PriorityRule("因病", 10, {"hardship": ("illness",)}),
            PriorityRule("骑手", 5, {"category": ("rider",)}),
        ),
    )
    ill = facts_of({"hardship": "illness", "category": "rider", "posts": ["1"]}, minor=True)
    filed = facts_of({"hardship": "filed"}, minor=False)
    assert materials_needed(programme, ill) == ("student_card", "proof")
    assert materials_needed(programme, filed) == ("student_card",)
    assert materials_needed(programme, filed, "placed") == ("photo",)
    assert consents_needed(programme, ill) == ("general", "guardian")
    assert consents_needed(programme, filed) == ("general",)
    assert (priority(programme, ill), priority(programme, filed)) == (15, 0)


def test_the_deadline_for_changes_counts_back_from_the_slot() -> None:
    slot = Slot(
        programme_id="s",
        site_id=1,
        day=date(2026, 6, 20),
        start=OPENS.time(),
        end=OPENS.time(),
        capacity=1,
    )
    programme = replace(SCREENING, cancel_deadline_hours=24)
    assert change_deadline(programme, slot) == datetime(2026, 6, 19, 9, 0, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("programme", "expected"),
    [
        (SCREENING, ()),
        (replace(SCREENING, close_at=OPENS), ("window.ends_before_start",)),
        (replace(SCREENING, service_end=date(2026, 6, 19)), ("service.ends_before_start",)),
        (replace(SCREENING, age_min=65), ("age.limits_crossed",)),
        (replace(SCREENING, quota_total=50), ("quota.slots_decide",)),
        (replace(WORK_STUDY, quota_total=50), ()),
        (replace(WORK_STUDY, quota_by_county={"520602": -1}), ("quota.negative",)),
        (replace(WORK_STUDY, waitlist_size=-1), ("quota.negative",)),
        (replace(SCREENING, slot_hold_minutes=-1), ("hours.negative",)),
        (
            replace(WORK_STUDY, required_materials=(MaterialRule("a", "甲"), MaterialRule("a", "乙"))),
            ("material.code_twice",),
        ),
        (
            replace(WORK_STUDY, consents=(ConsentText("a", "1", "甲"), ConsentText("a", "2", "乙"))),
            ("consent.code_twice",),
        ),
    ],
)
def test_contradictions_are_named(programme: Programme, expected: tuple[str, ...]) -> None:
    assert faults(programme) == expected

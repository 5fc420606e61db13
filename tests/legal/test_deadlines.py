"""Time limits: the table that is seeded, and the arithmetic over it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.legal.deadline_table import DeadlineTable, read_seed
from bot.legal.errors import TableInvalid
from bot.legal.facts import deadline_facts
from bot.legal.rules import (
    DeadlineFacts,
    DeadlineHint,
    DeadlineRule,
    NotRunning,
    Party,
    PeriodUnit,
    add_period,
    deadlines,
    is_urgent,
    nearest_due,
)
from bot.legal.topics import TopicCatalogue
from bot.values.clock import MovedClock

SEED = read_seed()

# code, topic, fact, its day, the last day
TABLE = [
    ("arbitration", "W4", "dismissed_on", date(2026, 3, 15), date(2027, 3, 15)),
    ("arbitration", "W4", "dismissed_on", date(2024, 2, 29), date(2025, 2, 28)),
    ("arbitration", "W4", "dismissed_on", date(2023, 2, 28), date(2024, 2, 28)),
    ("arbitration", "W1", "left_on", date(2025, 12, 31), date(2026, 12, 31)),
    ("court_after_award", "W1", "award_received_on", date(2026, 2, 20), date(2026, 3, 7)),
    ("court_after_award", "W1", "award_received_on", date(2028, 2, 20), date(2028, 3, 6)),
    ("injury_by_employer", "W6", "injured_on", date(2026, 1, 31), date(2026, 3, 2)),
    ("injury_by_worker", "W6", "injured_on", date(2026, 6, 1), date(2027, 6, 1)),
    ("injury_by_worker", "W7", "diagnosed_on", date(2026, 6, 1), date(2027, 6, 1)),
    ("second_appraisal", "W6", "appraisal_received_on", date(2026, 12, 20), date(2027, 1, 4)),
    ("inspection", "W1", "violation_ended_on", date(2024, 2, 29), date(2026, 2, 28)),
    ("civil", "W14", "rights_harmed_on", date(2024, 2, 29), date(2027, 2, 28)),
    ("civil", "W14", "rights_harmed_on", date(2025, 2, 28), date(2028, 2, 28)),
    ("told", "W1", "known_deadline_on", date(2026, 7, 1), date(2026, 7, 1)),
]

# Period and source as the reference has them; the law is not this test's to change.
LAW = {
    "told": (0, PeriodUnit.DAY, "您收到的通知"),
    "arbitration": (1, PeriodUnit.YEAR, "《劳动争议调解仲裁法》第27条"),
    "court_after_award": (15, PeriodUnit.DAY, "《劳动争议调解仲裁法》第48条、第50条"),
    "injury_by_employer": (30, PeriodUnit.DAY, "《工伤保险条例》第17条"),
    "injury_by_worker": (1, PeriodUnit.YEAR, "《工伤保险条例》第17条"),
    "second_appraisal": (15, PeriodUnit.DAY, "《工伤保险条例》第26条"),
    "inspection": (2, PeriodUnit.YEAR, "《劳动保障监察条例》第20条"),
    "civil": (3, PeriodUnit.YEAR, "《民法典》第188条"),
}


def _hint(code: str, facts: DeadlineFacts, today: date) -> DeadlineHint | NotRunning | None:
    return next((hint for hint in deadlines(SEED, facts, today) if hint.code == code), None)


def _due(code: str, facts: DeadlineFacts, today: date = date(2026, 6, 15)) -> date | None:
    hint = _hint(code, facts, today)
    return hint.due if isinstance(hint, DeadlineHint) else None


def test_the_seed_says_what_the_law_says() -> None:
    assert {rule.code: (rule.period, rule.period_unit, rule.basis) for rule in SEED} == LAW
    assert all("律师判断为准" in rule.wording for rule in SEED)


@pytest.mark.parametrize(("code", "topic", "fact", "day", "due"), TABLE)
def test_each_limit_ends_on_the_right_day(code: str, topic: str, fact: str, day: date, due: date) -> None:
    assert _due(code, DeadlineFacts(topic, {fact: day})) == due


@pytest.mark.parametrize(
    ("start", "period", "unit", "last"),
    [
        (date(2026, 1, 31), 1, PeriodUnit.MONTH, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, PeriodUnit.MONTH, date(2024, 2, 29)),
        (date(2026, 3, 31), 1, PeriodUnit.MONTH, date(2026, 4, 30)),
        (date(2026, 11, 30), 3, PeriodUnit.MONTH, date(2027, 2, 28)),
        (date(2024, 2, 29), 4, PeriodUnit.YEAR, date(2028, 2, 29)),
        (date(2026, 12, 31), 15, PeriodUnit.DAY, date(2027, 1, 15)),
        (date(2026, 12, 1), 1, PeriodUnit.MONTH, date(2027, 1, 1)),
    ],
)
def test_calendar_arithmetic(start: date, period: int, unit: PeriodUnit, last: date) -> None:
    assert add_period(start, period, unit) == last


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 60))
def test_months_end_on_the_same_day_or_the_months_last(start: date, months: int) -> None:
    last = add_period(start, months, PeriodUnit.MONTH)
    assert (last.year * 12 + last.month) - (start.year * 12 + start.month) == months
    assert last.day == start.day or (last + timedelta(days=1)).day == 1 < start.day


@given(st.dates(date(1990, 1, 1), date(2080, 1, 1)), st.integers(0, 5))
def test_years_are_twelve_months(start: date, years: int) -> None:
    assert add_period(start, years, PeriodUnit.YEAR) == add_period(start, 12 * years, PeriodUnit.MONTH)


def test_owed_wages_know_no_limit_while_one_works_there() -> None:
    facts = DeadlineFacts("W1", {"rights_harmed_on": date(2020, 1, 1)}, frozenset({"employed", "wage_claim"}))
    assert isinstance(_hint("arbitration", facts, date(2026, 6, 15)), NotRunning)


def test_another_claim_has_its_limit_while_one_works_there() -> None:
    facts = DeadlineFacts("W3", {"rights_harmed_on": date(2026, 1, 1)}, frozenset({"employed"}))
    assert _due("arbitration", facts) == date(2027, 1, 1)


def test_owed_wages_count_from_leaving() -> None:
    dates = {"rights_harmed_on": date(2024, 1, 1), "left_on": date(2026, 5, 31)}
    assert _due("arbitration", DeadlineFacts("W1", dates, frozenset({"wage_claim"}))) == date(2027, 5, 31)
    assert _due("arbitration", DeadlineFacts("W9", dates)) == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("interruptions", "due"),
    [
        ({"claimed_on": date(2026, 2, 1)}, date(2027, 2, 1)),
        ({"claimed_on": date(2025, 9, 1), "complained_on": date(2026, 8, 31)}, date(2027, 8, 31)),
        ({"claimed_on": date(2027, 1, 1)}, date(2026, 6, 1)),
        ({"claimed_on": date(2025, 1, 1)}, date(2026, 6, 1)),
        ({"claimed_on": date(2026, 6, 1)}, date(2027, 6, 1)),
        ({"claimed_on": date(2026, 6, 2)}, date(2026, 6, 1)),
    ],
)
def test_an_interruption_in_time_begins_the_period_anew(interruptions: dict[str, date], due: date) -> None:
    facts = DeadlineFacts("W4", {"rights_harmed_on": date(2025, 6, 1), **interruptions})
    assert _due("arbitration", facts) == due


def test_a_violation_that_goes_on_can_still_be_reported() -> None:
    facts = DeadlineFacts("W5", {"rights_harmed_on": date(2019, 1, 1)}, frozenset({"ongoing"}))
    assert isinstance(_hint("inspection", facts, date(2026, 6, 15)), NotRunning)


@pytest.mark.parametrize(("days_before", "urgent"), [(8, False), (7, True), (1, True), (0, True), (-1, False)])
def test_seven_days_make_it_urgent(days_before: int, urgent: bool) -> None:
    facts = DeadlineFacts("W1", {"award_received_on": date(2026, 6, 1)})
    today = date(2026, 6, 16) - timedelta(days=days_before)
    hint = _hint("court_after_award", facts, today)
    assert isinstance(hint, DeadlineHint)
    assert (hint.days_left, hint.urgent) == (days_before, urgent)


def test_the_employers_limit_is_shown_but_is_not_urgent() -> None:
    hints = deadlines(SEED, DeadlineFacts("W6", {"injured_on": date(2026, 6, 1)}), date(2026, 6, 28))
    by_code = {hint.code: hint for hint in hints if isinstance(hint, DeadlineHint)}
    assert by_code["injury_by_employer"].days_left == 3
    assert by_code["injury_by_employer"].party is Party.EMPLOYER
    assert not is_urgent(hints)
    assert nearest_due(hints) == date(2027, 6, 1)


def test_hints_are_ordered_and_passed_ones_come_after() -> None:
    dates = {"known_deadline_on": date(2026, 6, 20), "rights_harmed_on": date(2025, 1, 1)}
    hints = deadlines(SEED, DeadlineFacts("W4", dates), date(2026, 6, 15))
    assert [hint.code for hint in hints] == ["told", "inspection", "arbitration"]
    assert nearest_due(hints) == date(2026, 6, 20)


def test_without_dates_nothing_is_guessed() -> None:
    assert deadlines(SEED, DeadlineFacts("W4"), date(2026, 6, 15)) == []


def test_answers_become_dates_and_conditions(topics: TopicCatalogue) -> None:
    answers = {"left_on": "2026-05-31", "rights_harmed_on": "2026-01", "debtor": "杨老板", "employed": "no"}
    facts = deadline_facts(topics["W1"], answers)
    assert facts.dates == {"left_on": date(2026, 5, 31), "rights_harmed_on": date(2026, 1, 1)}
    assert facts.conditions == {"wage_claim"}
    assert deadline_facts(topics["W4"], {"employed": "yes"}).conditions == {"employed"}


async def test_rules_are_rows_that_survive_a_second_seeding(deadline_table: DeadlineTable, clock: MovedClock) -> None:
    assert await deadline_table.seed(SEED) == 0
    assert await deadline_table.rules(clock.now().date()) == SEED


def test_a_faulty_seed_names_the_rule(tmp_path: Path) -> None:
    faulty = tmp_path / "deadlines.yml"
    faulty.write_text(
        "rules:\n  - {code: arbitration, title: 仲裁, topics: [], starts_from: [left_on], period: 一年}\n"
    )
    with pytest.raises(TableInvalid) as raised:
        read_seed(faulty)
    assert raised.value.fields["place"] == "rules/arbitration"


def test_a_rule_without_topics_applies_to_all() -> None:
    rule = DeadlineRule("any", "", (), ("left_on",), 1, PeriodUnit.DAY, Party.WORKER, "", "")
    hints = deadlines([rule], DeadlineFacts("W9", {"left_on": date(2026, 1, 1)}), date(2026, 1, 1))
    assert nearest_due(hints) == date(2026, 1, 2)

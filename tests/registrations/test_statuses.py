"""The state machine, checked against a table written out by hand: every pair of statuses and every actor."""

import itertools

import pytest

from bot.registrations.errors import IllegalTransition, ReasonMissing
from bot.registrations.reasons import ReasonTable
from bot.registrations.statuses import (
    AGAIN_ALLOWED,
    CORRECTIONS,
    EDITABLE,
    LIVE,
    TRANSITIONS,
    ActorKind,
    Status,
    check_transition,
    targets_for,
)

# source: {target: actors}; f follower, s system, r reviewer, p site (点位), l lawyer. What is absent is forbidden.
EXPECTED = {
    "draft": {"pending": "s", "void": "s"},
    "pending": {"returned": "r", "approved": "rs", "waitlisted": "rs", "rejected": "r", "cancelled": "fr"},
    "returned": {"pending": "s", "rejected": "r", "cancelled": "fr"},
    "waitlisted": {"approved": "rs", "rejected": "r", "cancelled": "fr"},
    "approved": {"cancelled": "fr", "completed": "prl", "no_show": "pr"},
    "rejected": {"pending": "r"},
    "cancelled": {},
    "no_show": {"completed": "pr"},
    "completed": {},
    "void": {},
}
LETTERS = {
    "f": ActorKind.FOLLOWER,
    "s": ActorKind.SYSTEM,
    "r": ActorKind.REVIEWER,
    "p": ActorKind.SITE,
    "l": ActorKind.LAWYER,
}


def _allowed(source: Status, target: Status, actor: ActorKind) -> bool:
    letters = EXPECTED[source.value].get(target.value, "")
    return actor in {LETTERS[letter] for letter in letters}


@pytest.mark.parametrize("source", Status)
def test_every_move_of_every_actor(source: Status) -> None:
    for target, actor in itertools.product(Status, ActorKind):
        if not _allowed(source, target, actor):
            with pytest.raises(IllegalTransition):
                check_transition(source, target, actor, "any")
            continue
        rule = check_transition(source, target, actor, "any")
        assert (rule.source, rule.target) == (source, target)
        if actor in {ActorKind.REVIEWER, ActorKind.SITE, ActorKind.LAWYER}:
            with pytest.raises(ReasonMissing):
                check_transition(source, target, actor, None)
        else:
            assert check_transition(source, target, actor, None) is rule


def test_what_staff_decided_can_be_taken_back_the_way_it_came_but_no_cancellation() -> None:
    ways_back = {
        "pending": {"rejected"},
        "returned": {"pending"},
        "waitlisted": {"pending"},
        "approved": {"pending", "waitlisted"},
        "rejected": {"pending", "returned", "waitlisted"},
        "no_show": {"approved"},
        "completed": {"approved", "no_show"},
    }
    assert {
        (Status(source), Status(target)) for source, targets in ways_back.items() for target in targets
    } == CORRECTIONS


def test_only_a_reviewer_rejects() -> None:
    assert {actor for rule in TRANSITIONS if rule.target is Status.REJECTED for actor in rule.actors} == {
        ActorKind.REVIEWER
    }


def test_the_table_names_each_move_once() -> None:
    moves = [(rule.source, rule.target) for rule in TRANSITIONS]
    assert len(moves) == len(set(moves))


@pytest.mark.parametrize("source", Status)
def test_targets_are_read_from_the_table(source: Status) -> None:
    for actor in ActorKind:
        assert set(targets_for(source, actor)) == {target for target in Status if _allowed(source, target, actor)}


def test_the_groups_of_statuses() -> None:
    assert {status for status in Status if EXPECTED[status.value] and status is not Status.REJECTED} == LIVE | {
        Status.NO_SHOW
    }
    assert LIVE - {Status.APPROVED} == EDITABLE
    assert not AGAIN_ALLOWED & LIVE


def test_staff_have_a_reason_to_choose_for_every_move_they_may_make() -> None:
    reasons = ReasonTable.from_file()
    for rule in TRANSITIONS:
        if rule.reason_for:
            assert reasons.choices_for(rule.target), rule

"""The one state machine of all registrations, as data (domain reference 1.0.1).

``TRANSITIONS`` is the whole truth: who may move a registration from where to where, and whether a reason must be
given. There is no row by which the system rejects: only a reviewer does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.registrations.errors import IllegalTransition, ReasonMissing


class Status(StrEnum):
    """Where a registration stands. A draft lives in the dialogue; ``VOID`` is a draft that ran out."""

    DRAFT = "draft"
    PENDING = "pending"
    RETURNED = "returned"
    WAITLISTED = "waitlisted"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    COMPLETED = "completed"
    VOID = "void"


class ActorKind(StrEnum):
    """Who moves a registration."""

    FOLLOWER = "follower"
    SYSTEM = "system"
    REVIEWER = "reviewer"
    SITE = "site"
    LAWYER = "lawyer"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: the kind, and the OpenID or staff account behind it (empty for the system)."""

    kind: ActorKind
    id: str = ""


SYSTEM = Actor(ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class Transition:
    """One permitted move. ``reason_for`` lists the actors who must give a reason code."""

    source: Status
    target: Status
    actors: frozenset[ActorKind]
    reason_for: frozenset[ActorKind]


STAFF = frozenset({ActorKind.REVIEWER, ActorKind.SITE, ActorKind.LAWYER})
"""People who work on the registrations of others."""


def _rule(source: Status, target: Status, *actors: ActorKind) -> Transition:
    # Whoever of the staff changes a status by hand says why; the worker need not justify a cancellation.
    return Transition(source, target, frozenset(actors), STAFF & frozenset(actors))


TRANSITIONS: tuple[Transition, ...] = (
    _rule(Status.DRAFT, Status.PENDING, ActorKind.SYSTEM),
    _rule(Status.DRAFT, Status.VOID, ActorKind.SYSTEM),
    _rule(Status.PENDING, Status.RETURNED, ActorKind.REVIEWER),
    # The system approves only where the programme confirms with the place and the pre-check found nothing.
    _rule(Status.PENDING, Status.APPROVED, ActorKind.REVIEWER, ActorKind.SYSTEM),
    _rule(Status.PENDING, Status.WAITLISTED, ActorKind.REVIEWER, ActorKind.SYSTEM),
    _rule(Status.PENDING, Status.REJECTED, ActorKind.REVIEWER),
    _rule(Status.PENDING, Status.CANCELLED, ActorKind.FOLLOWER, ActorKind.REVIEWER),
    _rule(Status.RETURNED, Status.PENDING, ActorKind.SYSTEM),
    _rule(Status.RETURNED, Status.REJECTED, ActorKind.REVIEWER),
    _rule(Status.RETURNED, Status.CANCELLED, ActorKind.FOLLOWER, ActorKind.REVIEWER),
    # Moving up: by the system when an offered place is accepted, or by a reviewer.
    _rule(Status.WAITLISTED, Status.APPROVED, ActorKind.SYSTEM, ActorKind.REVIEWER),
    _rule(Status.WAITLISTED, Status.REJECTED, ActorKind.REVIEWER),
    _rule(Status.WAITLISTED, Status.CANCELLED, ActorKind.FOLLOWER, ActorKind.REVIEWER),
    _rule(Status.APPROVED, Status.CANCELLED, ActorKind.FOLLOWER, ActorKind.REVIEWER),
    _rule(Status.APPROVED, Status.COMPLETED, ActorKind.SITE, ActorKind.REVIEWER, ActorKind.LAWYER),
    _rule(Status.APPROVED, Status.NO_SHOW, ActorKind.SITE, ActorKind.REVIEWER),
    _rule(Status.REJECTED, Status.PENDING, ActorKind.REVIEWER),
    _rule(Status.NO_SHOW, Status.COMPLETED, ActorKind.SITE, ActorKind.REVIEWER),
)

CORRECTIONS: frozenset[tuple[Status, Status]] = frozenset(
    (rule.target, rule.source)
    for rule in TRANSITIONS
    if ActorKind.REVIEWER in rule.actors and rule.target is not Status.CANCELLED
)
"""The way back, from where to where, of what staff decided by mistake. A cancellation is final: the person may have
registered anew."""

_BY_MOVE: Mapping[tuple[Status, Status], Transition] = {(rule.source, rule.target): rule for rule in TRANSITIONS}

LIVE = frozenset({Status.DRAFT, Status.PENDING, Status.RETURNED, Status.WAITLISTED, Status.APPROVED})
"""Still under way."""
AGAIN_ALLOWED = frozenset({Status.CANCELLED, Status.NO_SHOW, Status.VOID})
"""After these the same person may register anew in the same programme; all others count as the one registration."""
EDITABLE = frozenset({Status.DRAFT, Status.PENDING, Status.RETURNED, Status.WAITLISTED})
"""The applicant edits the registration instead of making another one."""


def check_transition(source: Status, target: Status, actor: ActorKind, reason: str | None) -> Transition:
    """Return the rule that permits the move; raises IllegalTransition, or ReasonMissing."""
    rule = _BY_MOVE.get((source, target))
    if rule is None or actor not in rule.actors:
        raise IllegalTransition(source=source.value, target=target.value, actor=actor.value)
    if actor in rule.reason_for and not reason:
        raise ReasonMissing(source=source.value, target=target.value)
    return rule


def targets_for(source: Status, actor: ActorKind) -> tuple[Status, ...]:
    """Return where ``actor`` may move a registration from ``source``, in the order of the table."""
    return tuple(rule.target for rule in TRANSITIONS if rule.source is source and actor in rule.actors)

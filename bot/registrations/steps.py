"""What staff decide about a registration, by name: for one or for many, with the reasons and terms of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.registrations.correcting import TAKEN_BACK, Mistake
from bot.registrations.errors import ItemsMissing, MovedSince, PlaceMoved, UnknownPost
from bot.registrations.outcomes import AlreadyIn, Moved, NoPlace
from bot.registrations.review import Decision, ReviewService
from bot.registrations.statuses import ActorKind, Status, targets_for

ATTEMPTS = 3
"""How often a registration is tried whose place moves under it; each attempt sees where it is now."""

StepOutcome = Moved | NoPlace | AlreadyIn


class Step(StrEnum):
    """One decision. The value is its code."""

    APPROVE = "approve"
    RETURN = "return"
    WAITLIST = "waitlist"
    REJECT = "reject"
    REOPEN = "reopen"
    CANCEL = "cancel"
    CHECK_IN = "check_in"
    REVOKE_CHECK_IN = "revoke_check_in"
    COMPLETE = "complete"
    NO_SHOW = "no_show"
    CONFIRM_CHANGES = "confirm_changes"
    REQUEUE = "requeue"
    ASSIGN_POST = "assign_post"
    TAKE_BACK = "take_back"

    @property
    def target(self) -> Status | None:
        """The status it leads to, ``None`` where the status stays."""
        return _TARGETS.get(self)


_TARGETS: Mapping[Step, Status] = {
    Step.APPROVE: Status.APPROVED,
    Step.RETURN: Status.RETURNED,
    Step.WAITLIST: Status.WAITLISTED,
    Step.REJECT: Status.REJECTED,
    Step.REOPEN: Status.PENDING,
    Step.CANCEL: Status.CANCELLED,
    Step.COMPLETE: Status.COMPLETED,
    Step.NO_SHOW: Status.NO_SHOW,
}
OWN_REASONS: Mapping[Step, str] = {
    Step.CHECK_IN: "checked_in",
    Step.REVOKE_CHECK_IN: "check_in_revoked",
    Step.CONFIRM_CHANGES: "reviewed_again",
    Step.REQUEUE: "requeued",
    Step.ASSIGN_POST: "post_assigned",
    Step.TAKE_BACK: TAKEN_BACK,
}
"""The reason where there is nothing to choose."""
BULK_STEPS: tuple[Step, ...] = (
    Step.APPROVE,
    Step.RETURN,
    Step.WAITLIST,
    Step.REJECT,
    Step.REOPEN,
    Step.CANCEL,
    Step.CHECK_IN,
    Step.COMPLETE,
    Step.NO_SHOW,
    Step.CONFIRM_CHANGES,
)
"""What can be decided about many at once."""
UNDONE_BY: Mapping[Step, Step] = {
    Step.APPROVE: Step.TAKE_BACK,
    Step.RETURN: Step.TAKE_BACK,
    Step.WAITLIST: Step.TAKE_BACK,
    Step.REJECT: Step.TAKE_BACK,
    Step.REOPEN: Step.TAKE_BACK,
    Step.CHECK_IN: Step.REVOKE_CHECK_IN,
    Step.COMPLETE: Step.TAKE_BACK,
    Step.NO_SHOW: Step.TAKE_BACK,
}
"""The step by which a whole run is taken back; what is not here is final, or needs no way back."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a step needs besides its reason: what is missing and until when, which post, or what is taken back."""

    items: Sequence[str] = ()
    until: datetime | None = None
    post_id: int | None = None
    mistake: Mistake | None = None


def steps_from(
    status: Status,
    *,
    needs_review: bool = False,
    has_come: bool = False,
    has_places: bool = True,
    has_posts: bool = False,
    has_mistake: bool = False,
    is_due: bool = True,
) -> tuple[Step, ...]:
    """Return what a reviewer can decide about a registration that stands so, in the order of ``Step``.

    ``has_mistake``: its last decision is one of staff and may be taken back; ``is_due``: the day of the appointment
    has come.
    """
    targets = targets_for(status, ActorKind.REVIEWER)
    approved, waiting = status is Status.APPROVED, status is Status.WAITLISTED
    possible = {
        Step.CHECK_IN: approved and not has_come,
        Step.REVOKE_CHECK_IN: approved and has_come,
        Step.CONFIRM_CHANGES: approved and needs_review,
        Step.REQUEUE: waiting,
        Step.ASSIGN_POST: approved and has_posts,
        Step.TAKE_BACK: has_mistake,
        Step.COMPLETE: is_due and Status.COMPLETED in targets,
        Step.NO_SHOW: is_due and Status.NO_SHOW in targets,
        Step.WAITLIST: has_places and Status.WAITLISTED in targets,
    }
    return tuple(step for step in Step if possible.get(step, step.target in targets))


async def take(reviews: ReviewService, step: Step, decision: Decision, terms: Terms = Terms()) -> StepOutcome:
    """Carry a decision out; one whose place moved under it is tried again. Raises what ``ReviewService`` raises."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await _take(reviews, step, decision, terms)
        except PlaceMoved:
            continue
    return await _take(reviews, step, decision, terms)


async def _take(reviews: ReviewService, step: Step, decision: Decision, terms: Terms) -> StepOutcome:
    match step:
        case Step.APPROVE:
            return await reviews.approve(decision, post_id=terms.post_id)
        case Step.RETURN:
            return await _return(reviews, decision, terms)
        case Step.WAITLIST:
            return await reviews.waitlist(decision)
        case Step.REJECT:
            return await reviews.reject(decision)
        case Step.REOPEN:
            return await reviews.reopen(decision)
        case Step.CANCEL:
            return await reviews.cancel(decision)
        case Step.CHECK_IN:
            return await reviews.check_in(decision)
        case Step.REVOKE_CHECK_IN:
            return await reviews.revoke_check_in(decision, terms.mistake)
        case Step.COMPLETE:
            return await reviews.complete(decision)
        case Step.NO_SHOW:
            return await reviews.no_show(decision)
        case Step.CONFIRM_CHANGES:
            return await reviews.confirm_changes(decision)
        case Step.REQUEUE:
            return await reviews.requeue(decision)
        case Step.ASSIGN_POST:
            return await _assign_post(reviews, decision, terms)
        case Step.TAKE_BACK:
            return await _take_back(reviews, decision, terms)


async def _return(reviews: ReviewService, decision: Decision, terms: Terms) -> StepOutcome:
    if terms.until is None:
        raise ItemsMissing(items="until")
    return await reviews.return_(decision, items=terms.items, until=terms.until)


async def _take_back(reviews: ReviewService, decision: Decision, terms: Terms) -> StepOutcome:
    if terms.mistake is None:
        raise MovedSince(receipt=decision.receipt)
    return await reviews.take_back(decision, terms.mistake)


async def _assign_post(reviews: ReviewService, decision: Decision, terms: Terms) -> StepOutcome:
    if terms.post_id is None:
        raise UnknownPost
    return await reviews.assign_post(decision, terms.post_id)

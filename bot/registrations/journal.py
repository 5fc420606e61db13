"""Moving a registration: the status, its history line and the notice always together."""

from collections.abc import Mapping
from datetime import datetime

from bot.programmes.snapshots import JsonValue
from bot.registrations.models import Notice, Registration, StatusChange
from bot.registrations.statuses import Actor, Status, check_transition

UNIT_PREFIX = "unit:"
"""Stands in the OpenID's place while the unit that made a registration holds it: there is no chat to write to."""
NO_FOLLOWER = "no_follower"


def unit_holder(list_id: int) -> str:
    """Return what stands in the OpenID's place of a registration that came with the list of that number."""
    return f"{UNIT_PREFIX}{list_id}"


def is_of_a_unit(openid: str) -> bool:
    """Say whether a unit registered the person, who has not taken the registration over yet."""
    return openid.startswith(UNIT_PREFIX)


def step(
    registration: Registration,
    target: Status,
    actor: Actor,
    now: datetime,
    *,
    reason: str | None = None,
    note: str = "",
) -> StatusChange:
    """Move ``registration`` to ``target`` and return the history line to store with it.

    Raises IllegalTransition and ReasonMissing.
    """
    source = Status(registration.status)
    check_transition(source, target, actor.kind, reason)
    registration.status = target.value
    return _line(registration, source, actor, now, reason, note)


def step_back(
    registration: Registration, target: Status, actor: Actor, now: datetime, *, reason: str, note: str = ""
) -> StatusChange:
    """Put ``registration`` back to ``target`` and return the history line; the caller has checked that it may."""
    source = Status(registration.status)
    registration.status = target.value
    return _line(registration, source, actor, now, reason, note)


def remark(registration: Registration, actor: Actor, now: datetime, *, reason: str, note: str = "") -> StatusChange:
    """Return a history line for something that changed without the status. ``note`` names fields, never values."""
    return _line(registration, Status(registration.status), actor, now, reason, note)


def notice(
    registration: Registration, kind: str, now: datetime, fields: Mapping[str, JsonValue] | None = None
) -> Notice:
    """Return the notice that belongs to the history line made last; without a follower it is given up at once."""
    return Notice(
        registration_id=registration.id,
        kind=kind,
        version=registration.changes,
        openid=registration.openid,
        fields=dict(fields or {}),
        due_at=now,
        attempts=0,
        given_up=NO_FOLLOWER if is_of_a_unit(registration.openid) else None,
    )


def _line(
    registration: Registration, source: Status, actor: Actor, now: datetime, reason: str | None, note: str
) -> StatusChange:
    registration.changes += 1
    registration.updated_at = now
    return StatusChange(
        registration_id=registration.id,
        ordinal=registration.changes,
        at=now,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        source=source.value,
        target=registration.status,
        reason=reason,
        note=note,
    )

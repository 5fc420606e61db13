"""An audience as one condition over followers.

What other tables know of a follower is asked in one of two ways. As a set that drives the query, where every follower
of the answer is in it: a tag of a thousand people costs a thousand look-ups. By the follower's key everywhere else,
because a set beside *or* and *not* would be held in memory, and PostgreSQL walks it anew for each follower when it is
too large for that.
"""

from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from bot.campaigns.audience import (
    AllOf,
    AnyOf,
    Audience,
    Consented,
    Everyone,
    FollowedWithin,
    GotCampaign,
    InCategory,
    InCounty,
    InUnit,
    Named,
    Not,
    Registered,
    SeenWithin,
    Tagged,
)
from bot.campaigns.models import OptOut, Outcome, Recipient
from bot.campaigns.tag_models import FollowerTag
from bot.followers.models import Consent, Follower
from bot.followers.units import normal_unit
from bot.registrations.models import Registration

_REACHED = (Outcome.SUBMITTED.value, Outcome.DELIVERED.value)


def condition(audience: Audience, now: datetime, *, by_key: bool = False) -> ColumnElement[bool]:
    """Return the condition over ``Follower`` that the audience stands for at ``now``.

    ``by_key`` is for a condition that does not stand by itself behind WHERE, but within a CASE.
    """
    match audience:
        case Everyone():
            return true()
        case InCounty() | InCategory() | InUnit():
            return _told(audience)
        case Registered() | Consented() | Tagged() | GotCampaign():
            return _known_elsewhere(audience, by_key=by_key)
        case SeenWithin(days):
            return Follower.last_seen_at >= now - timedelta(days=days)
        case FollowedWithin(days):
            return Follower.followed_at >= now - timedelta(days=days)
        case Named(openids):
            return Follower.openid.in_(openids)
        case AllOf(parts):
            return and_(true(), *(condition(part, now, by_key=by_key) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(condition(part, now, by_key=by_key or len(parts) > 1) for part in parts))
        case Not(part):
            # A county that nobody told is not that county: NULL counts as no.
            return not_(func.coalesce(condition(part, now, by_key=True), false()))
        case _:
            assert_never(audience)


def agreed(purpose: str) -> ColumnElement[bool]:
    """Return the condition over ``Follower``, by their key, that a consent to ``purpose`` is in force."""
    return _known_elsewhere(Consented(purpose), by_key=True)


def has_opted_out() -> ColumnElement[bool]:
    """Return the condition over ``Follower``, by their key, that they want no campaigns."""
    return _among(OptOut.openid, OptOut.lifted_at.is_(None), by_key=True)


def _told(audience: InCounty | InCategory | InUnit) -> ColumnElement[bool]:
    match audience:
        case InCounty(counties):
            return Follower.county.in_(counties)
        case InCategory(categories):
            return Follower.category.in_(categories)
        case InUnit(units):
            return Follower.unit.in_([normal_unit(unit) for unit in units])
        case _:
            assert_never(audience)


def _known_elsewhere(audience: Registered | Consented | Tagged | GotCampaign, *, by_key: bool) -> ColumnElement[bool]:
    match audience:
        case Registered(programme_id, statuses):
            programme, status = (
                _beside(Registration.programme_id, by_key=by_key),
                _beside(Registration.status, by_key=by_key),
            )
            wanted = [programme == programme_id] if programme_id else []
            if statuses:
                wanted.append(status.in_(statuses))
            return _among(Registration.openid, *wanted, by_key=by_key)
        case Consented(purpose):
            given = Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
            return _among(Consent.openid, *given, by_key=by_key)
        case Tagged(tag):
            return _among(FollowerTag.openid, FollowerTag.tag == tag, by_key=by_key)
        case GotCampaign(campaign_id):
            got = Recipient.campaign_id == campaign_id, Recipient.outcome.in_(_REACHED)
            return _among(Recipient.openid, *got, by_key=by_key)
        case _:
            assert_never(audience)


def _beside(column: InstrumentedAttribute[str], *, by_key: bool) -> ColumnElement[str]:
    """Return ``column`` for a look-up ``by_key``, so written that no index over it is a choice.

    SQLite keeps no statistics unless it is told to, and takes the index with the most columns that are compared: for
    each follower it would walk all registrations in a status.
    """
    return column.concat("") if by_key else column.expression


def _among(openid: Any, *wanted: ColumnElement[bool], by_key: bool) -> ColumnElement[bool]:
    if by_key:
        return exists().where(openid == Follower.openid, *wanted)
    return Follower.openid.in_(select(openid).where(*wanted))

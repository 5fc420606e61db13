"""Counts an audience while somebody composes: exactly where that is quick, else from every tenth follower or so.

An estimate says that it is one. Checking a campaign counts exactly, and so does freezing it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.audience import AllOf, AnyOf, Audience, Consented, GotCampaign, Not, Registered, Tagged
from bot.campaigns.models import OptOut
from bot.campaigns.reach import NOT_NOTIFIED, OPTED_OUT, UNCHOSEN, WINDOW_CLOSED, Reach
from bot.campaigns.rules import WINDOW
from bot.followers.models import Follower
from bot.storage.sql import Database

ESTIMATED_FROM: Final = 50_000
"""With fewer followers every audience is counted exactly."""
EXACT_BELOW: Final = 20_000
"""An audience that seems smaller is counted: an estimate would be too rough, and few are quickly found."""
SAMPLED: Final = ("3", "7", "B", "M", "d", "r")
"""An OpenID is in the sample by its last letter but two. Its letters are as good as random behind the account's own,
except for the last one, which takes sixteen values."""
FRAME_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Count:
    """How many fit and how many of them are reached; ``skipped`` counts the others by reason.

    Estimated ones are rounded to what the sample can tell: some thousandths.
    """

    matched: int
    reachable: int
    skipped: Mapping[str, int]
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """How many follow, and how many of these are in the sample, at ``at``."""

    followers: int
    sampled: int
    at: datetime


class AudienceCounter:
    """Counts audiences in at most three statements; how large the sample is it knows for some minutes."""

    def __init__(
        self, database: Database, *, estimated_from: int = ESTIMATED_FROM, exact_below: int = EXACT_BELOW
    ) -> None:
        self._database = database
        self._estimated_from = estimated_from
        self._exact_below = exact_below
        self._frame: Frame | None = None

    async def count(self, reach: Reach) -> Count:
        """Return how many ``reach`` has."""
        async with self._database.reading() as session:
            if _is_told(reach.wanted.audience) and not reach.wanted.purpose and not reach.earlier:
                return await _of_what_was_told(session, reach)
            frame = await self._framed(session, reach.now)
            if frame.followers >= self._estimated_from and frame.sampled:
                tally = await reach.tally(session, among=_is_sampled(), by_key=True)
                share = frame.sampled / frame.followers
                if sum(tally.values()) / share >= self._exact_below:
                    return _count({reason: round(people / share) for reason, people in tally.items()}, is_exact=False)
            return _count(await reach.tally(session), is_exact=True)

    async def _framed(self, session: AsyncSession, now: datetime) -> Frame:
        if self._frame is None or not self._frame.at <= now < self._frame.at + FRAME_FOR:
            sampled = func.coalesce(func.sum(case((_is_sampled(), 1), else_=0)), 0)
            query = select(func.count().label("followers"), sampled.label("sampled"))
            row = (await session.execute(query.select_from(Follower).where(Follower.subscribed.is_(True)))).one()
            self._frame = Frame(row.followers, int(row.sampled), now)
        return self._frame


def _is_sampled() -> ColumnElement[bool]:
    return func.substr(Follower.openid, func.length(Follower.openid) - 2, 1).in_(SAMPLED)


def _is_told(audience: Audience) -> bool:
    """Say whether the follower's own row tells whether they fit."""
    match audience:
        case AllOf(parts) | AnyOf(parts):
            return all(_is_told(part) for part in parts)
        case Not(part):
            return _is_told(part)
        case _:
            return not isinstance(audience, Registered | Consented | Tagged | GotCampaign)


async def _of_what_was_told(session: AsyncSession, reach: Reach) -> Count:
    """Count everybody, and beside them those who opted out, who are few: nobody else is looked up elsewhere."""
    closed = func.coalesce(func.sum(case((Follower.last_seen_at < reach.now - WINDOW, 1), else_=0)), 0)
    query = select(func.count().label("people"), closed.label("closed")).select_from(Follower).where(reach.base())
    everybody = (await session.execute(query)).one()
    if reach.wanted.channel in UNCHOSEN:
        return Count(everybody.people, everybody.people, {})
    if not reach.wanted.channel.notifies:
        return Count(everybody.people, 0, {NOT_NOTIFIED: everybody.people})
    want_none = Follower.openid.in_(select(OptOut.openid).where(OptOut.lifted_at.is_(None)))
    opted_out = (await session.execute(query.where(want_none))).one()
    skipped = {
        OPTED_OUT: int(opted_out.people),
        WINDOW_CLOSED: int(everybody.closed - opted_out.closed) if reach.wanted.channel.needs_window else 0,
    }
    left_out = {reason: people for reason, people in skipped.items() if people}
    return Count(everybody.people, everybody.people - sum(left_out.values()), left_out)


def _count(tally: Mapping[str | None, int], *, is_exact: bool) -> Count:
    skipped = {reason: people for reason, people in tally.items() if reason is not None}
    rounded = skipped if is_exact else {reason: _rounded(people) for reason, people in skipped.items()}
    reachable, matched = tally.get(None, 0), sum(tally.values())
    if not is_exact:
        reachable, matched = _rounded(reachable), _rounded(matched)
    return Count(matched, reachable, rounded, is_exact)


def _rounded(people: int) -> int:
    """Return what an estimate may say: hundreds, and thousands from a hundred thousand on."""
    unit = 1_000 if people >= 100_000 else 100
    return round(people / unit) * unit

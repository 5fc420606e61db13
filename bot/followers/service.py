"""Following, unfollowing and what is remembered of a follower."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.consents import active_consent
from bot.followers.models import (
    ConsentPurpose,
    Follower,
    FollowerView,
    FollowEvent,
    FollowKind,
    Prefill,
    Profile,
    Welcome,
)
from bot.followers.units import normal_unit
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

PROFILE_CONTEXT = "profiles.values"
DEFAULT_GRACE = timedelta(days=7)
"""How long after an unfollow the data is kept, in case it was an accident."""


class FollowerService:
    """Keeps one row a follower, and the prefill values they agreed to.

    Every write may be repeated with the same key, or the same values, without a second effect.
    """

    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Clock, *, erasure_grace: timedelta = DEFAULT_GRACE
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._erasure_grace = erasure_grace

    async def followed(self, openid: str, scene: str, key: str) -> Welcome:
        """Record a follow. ``scene`` is the QR scene or ``""``; ``key`` the delivery key.

        A scheduled erasure is called off.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            known = await session.get(Follower, openid)
            returning = known is not None and known.followed_at is not None
            if not await _is_new_event(session, key, openid, FollowKind.FOLLOWED, scene, now):
                earlier = await session.scalar(
                    select(FollowEvent.key).where(FollowEvent.openid == openid, FollowEvent.key != key).limit(1)
                )
                return Welcome(returning=earlier is not None, scene=scene)
            row = known or await _create(session, openid, now)
            row.subscribed = True
            row.first_scene = row.first_scene or scene
            row.latest_scene = scene
            row.followed_at = row.followed_at or now
            row.last_seen_at = now
            row.erase_after = None
        return Welcome(returning=returning, scene=scene)

    async def unfollowed(self, openid: str, key: str) -> None:
        """Record an unfollow and schedule the erasure that the platform asks for."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            if not await _is_new_event(session, key, openid, FollowKind.UNFOLLOWED, "", now):
                return
            row = await session.get(Follower, openid) or await _create(session, openid, now)
            row.subscribed = False
            row.unfollowed_at = now
            row.erase_after = now + self._erasure_grace

    async def due_for_erasure(self, *, limit: int = 100) -> list[str]:
        """Return OpenIDs whose grace after unfollowing is over, longest first."""
        async with self._database.reading() as session:
            found = await session.scalars(
                select(Follower.openid)
                .where(Follower.erase_after <= self._clock.now())
                .order_by(Follower.erase_after)
                .limit(limit)
            )
            return list(found)

    async def seen(self, openid: str, at: datetime | None = None) -> None:
        """Note that the follower wrote or tapped; unknown ones get a row. ``at`` defaults to now."""
        await self.seen_many({openid: at or self._clock.now()})

    async def seen_many(self, moments: Mapping[str, datetime]) -> None:
        """Note many followers at once, by OpenID; a moment older than the one known changes nothing."""
        async with self._database.transaction() as session:
            rows = await session.scalars(select(Follower).where(Follower.openid.in_(moments)))
            known = {row.openid: row for row in rows}
            for openid, at in sorted(moments.items()):
                row = known.get(openid) or await _create(session, openid, at)
                row.last_seen_at = max(row.last_seen_at, at)

    async def describe(
        self, openid: str, *, county: str | None = None, category: str | None = None, unit: str | None = None
    ) -> None:
        """Remember where a follower works, what kind of worker they are, and their unit or its union.

        ``None`` leaves it as it was.
        """
        async with self._database.transaction() as session:
            row = await session.get(Follower, openid) or await _create(session, openid, self._clock.now())
            row.county = county or row.county
            row.category = category or row.category
            row.unit = normal_unit(unit or "") or row.unit

    async def find(self, openid: str) -> FollowerView | None:
        """Return what is known of a follower."""
        async with self._database.reading() as session:
            row = await session.get(Follower, openid)
        return None if row is None else _view(row)

    async def save_profile(self, openid: str, values: Mapping[str, str]) -> bool:
        """Keep the answers of a registration for next time, sealed, in place of earlier ones.

        Returns False, and keeps nothing, without a ``prefill`` consent in force.
        """
        async with self._database.transaction() as session:
            consent = await active_consent(session, openid, ConsentPurpose.PREFILL)
            if consent is None:
                return False
            plain = json.dumps(dict(values), ensure_ascii=False, sort_keys=True)
            row = await session.get(Profile, openid) or Profile(openid=openid)
            row.values_sealed = self._cipher.seal(plain, PROFILE_CONTEXT)
            row.consent_id = consent.id
            row.saved_at = self._clock.now()
            session.add(row)
        return True

    async def prefill(self, openid: str) -> Prefill | None:
        """Return the kept answers, or None when there are none or the consent has gone."""
        async with self._database.reading() as session:
            row = await session.get(Profile, openid)
            if row is None or await active_consent(session, openid, ConsentPurpose.PREFILL) is None:
                return None
        return Prefill(json.loads(self._cipher.open(row.values_sealed, PROFILE_CONTEXT)), row.saved_at)

    async def forget_profile(self, openid: str) -> bool:
        """Delete the kept answers; returns whether there were any."""
        async with self._database.transaction() as session:
            gone = await session.execute(delete(Profile).where(Profile.openid == openid).returning(Profile.openid))
            return gone.first() is not None


async def _is_new_event(
    session: AsyncSession, key: str, openid: str, kind: FollowKind, scene: str, at: datetime
) -> bool:
    try:
        async with session.begin_nested():
            session.add(FollowEvent(key=key, openid=openid, kind=kind.value, scene=scene, at=at))
    except IntegrityError:
        return False
    return True


async def _create(session: AsyncSession, openid: str, at: datetime) -> Follower:
    """Return a fresh row, or the one that a concurrent turn has just made."""
    row = Follower(openid=openid, subscribed=True, first_scene="", latest_scene="", first_seen_at=at, last_seen_at=at)
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return (await session.scalars(select(Follower).where(Follower.openid == openid))).one()
    return row


def _view(row: Follower) -> FollowerView:
    return FollowerView(
        openid=row.openid,
        subscribed=row.subscribed,
        first_scene=row.first_scene,
        latest_scene=row.latest_scene,
        followed_at=row.followed_at,
        last_seen_at=row.last_seen_at,
        county=row.county,
        category=row.category,
        unit=row.unit,
    )

"""Consents as evidence: each one recorded with its text's version and hash, withdrawn once, never rewritten."""

import hashlib

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.models import Consent, ConsentPurpose, ConsentView, Profile
from bot.storage.sql import Database
from bot.values.clock import Clock


class ConsentService:
    """Records what followers agreed to. Every write may be repeated without a second effect."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record_consent(
        self,
        openid: str,
        purpose: str,
        *,
        text_version: str,
        text: str,
        channel: str,
        key: str,
        programme_id: str = "",
    ) -> ConsentView:
        """Record that the follower agreed to ``text`` and return the record.

        ``channel`` is ``"chat"``, ``"web"`` or ``"staff"``; ``key`` the action's idempotency key: the same key,
        purpose and programme return the record made the first time.
        """
        fresh = Consent(
            openid=openid,
            purpose=purpose,
            programme_id=programme_id,
            text_version=text_version,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            channel=channel,
            given_at=self._clock.now(),
            idempotency_key=key,
        )
        async with self._database.transaction() as session:
            try:
                async with session.begin_nested():
                    session.add(fresh)
            except IntegrityError:
                earlier = await session.scalars(
                    select(Consent).where(
                        Consent.idempotency_key == key,
                        Consent.purpose == purpose,
                        Consent.programme_id == programme_id,
                    )
                )
                return _view(earlier.one())
        return _view(fresh)

    async def withdraw(self, openid: str, purpose: str, *, programme_id: str | None = None) -> int:
        """Withdraw every consent in force for that purpose and return how many there were.

        ``programme_id`` narrows it to one programme. Withdrawing ``prefill`` deletes the kept answers with it.
        """
        async with self._database.transaction() as session:
            wanted = _in_force(openid, purpose, programme_id).with_for_update()
            rows = list(await session.scalars(wanted))
            for row in rows:
                row.withdrawn_at = self._clock.now()
            if purpose == ConsentPurpose.PREFILL:
                await session.execute(delete(Profile).where(Profile.openid == openid))
        return len(rows)

    async def has_consent(self, openid: str, purpose: str, *, programme_id: str | None = None) -> bool:
        """Say whether a consent for that purpose is in force."""
        async with self._database.reading() as session:
            return (await session.scalars(_in_force(openid, purpose, programme_id).limit(1))).first() is not None

    async def consents_of(self, openid: str) -> list[ConsentView]:
        """Return every consent ever recorded for this follower, oldest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(Consent).where(Consent.openid == openid).order_by(Consent.id))
            return [_view(row) for row in rows]


async def active_consent(session: AsyncSession, openid: str, purpose: str) -> Consent | None:
    """Return the latest consent in force for that purpose, inside the caller's transaction."""
    return (await session.scalars(_in_force(openid, purpose, None).order_by(Consent.id.desc()).limit(1))).first()


def _in_force(openid: str, purpose: str, programme_id: str | None) -> Select[Consent]:
    statement = select(Consent).where(
        Consent.openid == openid, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
    )
    return statement if programme_id is None else statement.where(Consent.programme_id == programme_id)


def _view(row: Consent) -> ConsentView:
    return ConsentView(
        id=row.id,
        purpose=row.purpose,
        programme_id=row.programme_id,
        text_version=row.text_version,
        text_sha256=row.text_sha256,
        channel=row.channel,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
    )

"""The followers' own part of an export or erasure."""

from sqlalchemy import delete, select, update

from bot.followers.consents import ConsentService
from bot.followers.models import Consent, Follower, FollowEvent, Profile
from bot.followers.privacy import JsonValue, erased_holder
from bot.followers.service import FollowerService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database


class FollowerData:
    """Implements ``PersonalData`` for followers, consents and prefill values.

    Consents stay, because the law asks for proof of them for years; their OpenID gives way to a keyed hash.
    """

    subject = "followers"

    def __init__(
        self, database: Database, cipher: FieldCipher, *, followers: FollowerService, consents: ConsentService
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._followers = followers
        self._consents = consents

    async def export(self, openid: str) -> JsonValue:
        """Return the follower's row, consents and kept answers."""
        follower = await self._followers.find(openid)
        prefill = await self._followers.prefill(openid)
        return {
            "subscribed": follower.subscribed if follower else None,
            "first_scene": follower.first_scene if follower else None,
            "latest_scene": follower.latest_scene if follower else None,
            "followed_at": follower.followed_at.isoformat() if follower and follower.followed_at else None,
            "last_seen_at": follower.last_seen_at.isoformat() if follower else None,
            "county": follower.county if follower else None,
            "category": follower.category if follower else None,
            "unit": follower.unit if follower else None,
            "kept_answers": dict(prefill.values) if prefill else {},
            "consents": [
                {
                    "purpose": consent.purpose,
                    "programme_id": consent.programme_id,
                    "text_version": consent.text_version,
                    "text_sha256": consent.text_sha256,
                    "channel": consent.channel,
                    "given_at": consent.given_at.isoformat(),
                    "withdrawn_at": consent.withdrawn_at.isoformat() if consent.withdrawn_at else None,
                }
                for consent in await self._consents.consents_of(openid)
            ],
        }

    async def erase(self, openid: str) -> int:
        """Delete the follower and the kept answers, and strip the OpenID from the consents."""
        holder = erased_holder(self._cipher, openid)
        async with self._database.transaction() as session:
            kept = list(await session.scalars(select(Consent.id).where(Consent.openid == openid)))
            if kept:
                await session.execute(update(Consent).where(Consent.id.in_(kept)).values(openid=holder))
            touched = len(kept)
            for table in (Profile, FollowEvent, Follower):
                gone = await session.execute(delete(table).where(table.openid == openid).returning(table.openid))
                touched += len(gone.all())
        return touched

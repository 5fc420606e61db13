"""A follower's rights over all of their data: one place that asks every subject to export or erase its part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.models import Erasure
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
"""What an export consists of; moments are ISO 8601 texts."""

ERASE: Final = "privacy:follower:erase"
BY_FOLLOWER: Final = "follower"
ERASED_CONTEXT = "followers.erased"
ERASED_PREFIX = "erased:"
HOLDER_HASH_CHARS = 56
"""So that the replacement fits the 64 characters of an OpenID column."""


def holder_hash(cipher: FieldCipher, openid: str) -> str:
    """Return what the trail calls a follower: the same for the same one, and it does not give the OpenID away."""
    return cipher.lookup_hash(openid, ERASED_CONTEXT)[:HOLDER_HASH_CHARS]


def erased_holder(cipher: FieldCipher, openid: str) -> str:
    """Return what stands in place of an OpenID on records that have to stay after an erasure."""
    return ERASED_PREFIX + holder_hash(cipher, openid)


class PersonalData(Protocol):
    """One subject's part of a follower's data. Every package that keeps an OpenID provides one."""

    @property
    def subject(self) -> str:
        """Return the subject's name, which is the key of its part in an export: ``"legal"``, ``"inbox"`` …"""
        ...

    async def export(self, openid: str) -> JsonValue:
        """Return everything the subject holds of this follower, opened and readable; empty when there is nothing."""
        ...

    async def erase(self, openid: str) -> int:
        """Delete or de-identify what the subject holds and return the number of rows touched.

        Repeating it is harmless and returns 0. What the law says must stay is stripped of the OpenID instead.
        """
        ...


@dataclass(frozen=True, slots=True)
class PersonalFile:
    """A photo or document of a follower, by its id in the private files; ``name`` is what an export calls it."""

    name: str
    file_id: str


@runtime_checkable
class HoldsFiles(Protocol):
    """What a subject that keeps files of followers provides as well."""

    async def files(self, openid: str) -> Sequence[PersonalFile]:
        """Return the follower's files."""
        ...


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What was erased, by subject."""

    rows_by_subject: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows_by_subject.values())


class PrivacyService:
    """Export and erasure across all subjects. ``holders`` come from the composition, in the order they are asked."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        holders: Sequence[PersonalData],
        trail: AuditWriter | None = None,
    ) -> None:
        names = [holder.subject for holder in holders]
        if len(set(names)) != len(names):
            raise ValueError(f"two holders share a subject name: {sorted(names)}")
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._holders = tuple(holders)
        self._trail = trail

    async def export(self, openid: str) -> dict[str, JsonValue]:
        """Return a JSON-able copy of everything that is kept of this follower, by subject."""
        parts: dict[str, JsonValue] = {"openid": openid, "exported_at": self._clock.now().isoformat()}
        for holder in self._holders:
            parts[holder.subject] = await holder.export(openid)
        return parts

    async def files(self, openid: str) -> list[PersonalFile]:
        """Return every file that is kept of this follower."""
        return [
            file for holder in self._holders if isinstance(holder, HoldsFiles) for file in await holder.files(openid)
        ]

    async def erase(self, openid: str, *, requested_by: str, reason: str = "", source: str = "") -> ErasureReport:
        """Erase a follower everywhere and keep a proof without the OpenID, and a row in the trail.

        ``requested_by`` is ``"follower"``, ``"unfollowed"`` or a staff username. Every subject erases in a
        transaction of its own; after a failure in one of them the whole call can simply be repeated. A follower's
        own message that is worked on twice finds nothing the second time, and is proved by the first alone.
        """
        counts: dict[str, int] = {}
        for holder in self._holders:
            counts[holder.subject] = await holder.erase(openid)
        report = ErasureReport(counts)
        proof = Erasure(
            holder_hash=self._cipher.lookup_hash(openid, ERASED_CONTEXT),
            requested_by=requested_by,
            rows_by_subject=counts,
            at=self._clock.now(),
        )
        async with self._database.transaction() as session:
            if not report.total and requested_by == BY_FOLLOWER and await _is_proved(session, proof):
                return report
            session.add(proof)
            if self._trail is not None:
                erased = holder_hash(self._cipher, openid)
                record = AuditRecord(requested_by, ERASE, "follower", erased, reason, source)
                await self._trail.append(session, record)
        return report


async def _is_proved(session: AsyncSession, proof: Erasure) -> bool:
    """Say whether the same holder was erased before at the same request."""
    same = (Erasure.holder_hash == proof.holder_hash, Erasure.requested_by == proof.requested_by)
    return await session.scalar(select(Erasure.id).where(*same).limit(1)) is not None

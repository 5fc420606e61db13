"""Taking over what a unit registered for somebody: from then on it is their own to change and to withdraw."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.registrations.journal import UNIT_PREFIX, remark
from bot.registrations.ledger import Ledger
from bot.registrations.models import Registration
from bot.registrations.outcomes import Claimed, ClaimOutcome, NotFound
from bot.registrations.statuses import Actor, ActorKind


@dataclass(frozen=True, slots=True)
class Claiming:
    """Claims in the caller's transaction."""

    ledger: Ledger

    async def claim(self, session: AsyncSession, id_number: str, phone: str, openid: str) -> ClaimOutcome:
        """Hand over what fits both the number and the phone; see ``RegistrationService.claim``.

        Either alone may be known to others. What does not fit is answered like what is not there.
        """
        sealer = self.ledger.sealer
        query = (
            select(Registration)
            .where(
                Registration.subject_hash == sealer.subject_hash(id_number),
                Registration.phone_hash == sealer.phone_hash(phone),
                Registration.openid.startswith(UNIT_PREFIX, autoescape=True),
            )
            .order_by(Registration.id)
            .with_for_update(key_share=True)
        )
        found = (await session.scalars(query)).all()
        owner, now = Actor(ActorKind.FOLLOWER, openid), self.ledger.clock.now()
        for registration in found:
            registration.openid = openid
            session.add(remark(registration, owner, now, reason="claimed"))
        return Claimed(tuple(registration.receipt for registration in found)) if found else NotFound()

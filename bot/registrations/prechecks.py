"""What is looked at before a registration is stored or changed: the window, the pre-check, the duplicate."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Programme, ProgrammeStatus, ReviewMode
from bot.programmes.rules import Closed, Finding, NotOpenYet, Person, Weight, precheck, window_state
from bot.registrations.models import Registration
from bot.registrations.outcomes import Duplicate, NotOpen
from bot.registrations.sealing import Sealer
from bot.registrations.statuses import AGAIN_ALLOWED, EDITABLE, Status
from bot.values.clock import Clock
from bot.values.identity import Sex


class Applicant(Protocol):
    """Whoever the registration is for, as an application or an opened registration has them."""

    @property
    def id_number(self) -> str | None: ...
    @property
    def birth_date(self) -> date | None: ...
    @property
    def sex(self) -> Sex | None: ...


@dataclass(frozen=True, slots=True)
class Prechecks:
    """The checks that need to look into earlier registrations."""

    sealer: Sealer
    clock: Clock

    async def findings(self, session: AsyncSession, programme: Programme, person: Applicant) -> tuple[Finding, ...]:
        """Return the pre-check; the interval is measured from the last time this person was served in this kind."""
        last = await self._last_served(session, programme, person.id_number)
        return precheck(programme, Person(person.birth_date, person.sex, last), self.clock.now().date())

    async def _last_served(self, session: AsyncSession, programme: Programme, id_number: str | None) -> date | None:
        if id_number is None or programme.repeat_interval_months is None:
            return None
        query = select(func.max(Registration.served_on)).where(
            Registration.subject_hash == self.sealer.subject_hash(id_number),
            Registration.kind == programme.kind.value,
            Registration.programme_id != programme.id,
        )
        return (await session.execute(query)).scalar_one()

    async def duplicate_of(
        self, session: AsyncSession, programme_id: str, id_number: str | None, openid: str, *, but: int | None = None
    ) -> Duplicate | None:
        """Return the registration that this person has in the programme already (other than number ``but``)."""
        if id_number is None:
            return None
        query = select(Registration.id, Registration.receipt, Registration.status, Registration.openid).where(
            Registration.programme_id == programme_id,
            Registration.subject_hash == self.sealer.subject_hash(id_number),
            Registration.status.not_in([status.value for status in AGAIN_ALLOWED]),
        )
        found = (await session.execute(query)).one_or_none()
        if found is None or found.id == but:
            return None
        status, mine = Status(found.status), found.openid == openid
        return Duplicate(found.receipt if mine else None, status, editable=mine and status in EDITABLE)


def not_open(programme: Programme, now: datetime) -> NotOpen | None:
    """Return when a programme that takes nothing now opens or closed, or ``None`` when it is open."""
    if programme.status is ProgrammeStatus.DRAFT:
        return NotOpen(None, None)
    match window_state(programme, now):
        case NotOpenYet(opens_at):
            return NotOpen(opens_at, None)
        case Closed(closed_at):
            return NotOpen(None, closed_at)
        case _:
            return None


def is_clean(programme: Programme, findings: tuple[Finding, ...]) -> bool:
    """Say whether a place confirms by itself: the programme allows it and no finding asks for a person's look."""
    return programme.review_mode is ReviewMode.ON_PLACE and not any(f.weight is Weight.REVIEW for f in findings)

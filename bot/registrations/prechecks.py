"""What is looked at before a registration is stored or changed: the window, the pre-check, the duplicate."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import select
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
class _Earlier:
    id: int
    programme_id: str
    kind: str
    status: Status
    openid: str
    receipt: str
    served_on: date | None


@dataclass(frozen=True, slots=True)
class Past:
    """What one person registered for so far, in every programme."""

    earlier: tuple[_Earlier, ...] = ()

    def duplicate(self, programme_id: str, openid: str, *, but: int | None = None) -> Duplicate | None:
        """Return the registration that the person has in this programme already (other than number ``but``)."""
        for known in self.earlier:
            if known.programme_id == programme_id and known.status not in AGAIN_ALLOWED and known.id != but:
                mine = known.openid == openid
                return Duplicate(known.receipt if mine else None, known.status, mine and known.status in EDITABLE)
        return None

    def last_served(self, programme: Programme, said: date | None = None) -> date | None:
        """Return when the person was last served in another programme of the same kind, or elsewhere as ``said``."""
        days = [
            known.served_on
            for known in self.earlier
            if known.served_on is not None and known.kind == programme.kind and known.programme_id != programme.id
        ]
        return max(days if said is None else [*days, said], default=None)


@dataclass(frozen=True, slots=True)
class Prechecks:
    """The checks that need to look into earlier registrations."""

    sealer: Sealer
    clock: Clock

    async def past_of(self, session: AsyncSession, id_number: str | None) -> Past:
        """Return what the person with this number registered for; nothing is known of somebody without a number."""
        if id_number is None:
            return Past()
        query = select(
            Registration.id,
            Registration.programme_id,
            Registration.kind,
            Registration.status,
            Registration.openid,
            Registration.receipt,
            Registration.served_on,
        ).where(Registration.subject_hash == self.sealer.subject_hash(id_number))
        rows = await session.execute(query)
        return Past(tuple(_Earlier(a, b, c, Status(d), e, f, g) for a, b, c, d, e, f, g in rows))

    def findings(
        self, programme: Programme, person: Applicant, past: Past, *, said: date | None = None
    ) -> tuple[Finding, ...]:
        """Return the pre-check; the interval is measured from the last time this person was served in this kind."""
        known = Person(person.birth_date, person.sex, past.last_served(programme, said))
        return precheck(programme, known, self.clock.now().date())


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

"""Who may be in twice: the same person elsewhere, or the same phone in one programme. Hints, never refusals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import ProgrammeRow
from bot.registrations.models import Registration
from bot.registrations.statuses import LIVE, Status

DOUBLES_MAX = 50
"""More are never shown: one phone behind fifty registrations is a finding whatever the fifty-first is."""
_GIVEN_UP = (Status.CANCELLED.value, Status.VOID.value)


class Likeness(StrEnum):
    """Why another registration is shown beside one."""

    PERSON = "person"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Double:
    """Another registration of the same person, in any programme, or with the same phone in the same one."""

    receipt: str
    programme_id: str
    programme_title: str
    status: Status
    likeness: Likeness
    name_masked: str
    county: str | None
    served_on: date | None
    created_at: datetime


async def note_duplicates(session: AsyncSession, registration: Registration) -> None:
    """Mark ``registration`` when a live one of the same person, or one with the same phone here, was there before.

    Only the later one is marked: it leads a reviewer to the other, and no row of somebody else is touched.
    """
    found = select(exists().where(_other_than(registration), or_(*_alike(registration))))
    registration.has_duplicates = bool((await session.execute(found)).scalar_one())


async def doubles_of(session: AsyncSession, registration: Registration) -> tuple[Double, ...]:
    """Return what else the person is registered for, and who else gave this phone here; the newest first."""
    same_person = Registration.subject_hash == registration.subject_hash
    same_phone = and_(
        Registration.programme_id == registration.programme_id, Registration.phone_hash == registration.phone_hash
    )
    known = ((registration.subject_hash, same_person), (registration.phone_hash, same_phone))
    alike = [same for value, same in known if value is not None]
    if not alike:
        return ()
    query = (
        select(Registration, ProgrammeRow)
        .join(ProgrammeRow, ProgrammeRow.id == Registration.programme_id)
        .where(_other_than(registration), or_(*alike))
        .order_by(Registration.created_at.desc(), Registration.id.desc())
        .limit(DOUBLES_MAX)
    )
    rows = (await session.execute(query)).all()
    return tuple(_double(other, programme, registration) for other, programme in rows)


def absences(doubles: Sequence[Double]) -> int:
    """Return how often the same person was registered and did not come."""
    return sum(one.likeness is Likeness.PERSON and one.status is Status.NO_SHOW for one in doubles)


def _double(other: Registration, programme: ProgrammeRow, registration: Registration) -> Double:
    is_person = other.subject_hash is not None and other.subject_hash == registration.subject_hash
    return Double(
        receipt=other.receipt,
        programme_id=other.programme_id,
        programme_title=programme.document.title,
        status=Status(other.status),
        likeness=Likeness.PERSON if is_person else Likeness.PHONE,
        name_masked=other.name_masked,
        county=other.county,
        served_on=other.served_on,
        created_at=other.created_at,
    )


def _other_than(registration: Registration) -> ColumnElement[bool]:
    # A registration that is just being made has no number yet.
    return Registration.id != (registration.id or 0)


def _alike(registration: Registration) -> list[ColumnElement[bool]]:
    live = [status.value for status in LIVE]
    found: list[ColumnElement[bool]] = [
        and_(
            Registration.phone_hash == registration.phone_hash,
            Registration.programme_id == registration.programme_id,
            Registration.status.not_in(_GIVEN_UP),
        )
    ]
    if registration.subject_hash is not None:
        found.append(and_(Registration.subject_hash == registration.subject_hash, Registration.status.in_(live)))
    return found

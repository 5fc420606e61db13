"""Which files a registration still needs, by the programme's conditions and the applicant's own answers."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Programme
from bot.programmes.rules import facts_of, is_minor, materials_needed
from bot.registrations.models import Material, Registration
from bot.registrations.outcomes import Particulars
from bot.registrations.sealing import Sealer


def facts(particulars: Particulars, today: date) -> Mapping[str, str]:
    """Return what the programme's conditions ask about."""
    return facts_of(particulars.answers, minor=is_minor(particulars.birth_date, today))


async def missing_materials(
    session: AsyncSession, sealer: Sealer, registration: Registration, programme: Programme, today: date
) -> tuple[str, ...]:
    """Return the codes of the files that are still to be handed in when applying."""
    needed = materials_needed(programme, facts(sealer.read(registration), today))
    if not needed:
        return ()
    codes = select(Material.code).where(Material.registration_id == registration.id)
    handed_in = set(await session.scalars(codes))
    return tuple(code for code in needed if code not in handed_in)

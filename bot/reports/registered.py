"""Who registered: by programme, status, county and day, with small groups of screenings left out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.errors import UnknownProgramme
from bot.programmes.models import ProgrammeKind, ProgrammeRow
from bot.registrations.models import Registration
from bot.registrations.statuses import Status
from bot.reports.models import CountyStatuses, Period, ProgrammeFigures, Registered
from bot.reports.rules import suppressed, suppressed_total
from bot.storage.sql import Database
from bot.storage.sql_time import local_day

SENSITIVE: Final = ProgrammeKind.HEALTH_SCREENING.value
STORED: Final = tuple(status.value for status in Status if status is not Status.DRAFT)
"""Named in each query, so that it seeks along the indexes that begin with programme and status."""

SCREENED: Final[ColumnElement[bool]] = Registration.kind == literal_column(f"'{SENSITIVE}'")
"""Written out, so that both databases count along the index of screenings alone, in its order."""

Counts = Mapping[tuple[str, str], int]
"""Registrations by status and county; the county is empty where none is known."""


class RegistrationFigures:
    """Reads who registered. ``county`` narrows to one county.

    A screening is always counted as a whole, from its first registration to the last: whoever could choose the days
    would get a single day's few from two neighbouring periods, however small groups are hidden in each.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def programmes(
        self, period: Period, *, county: str | None = None, with_screenings: bool = True
    ) -> list[Registered]:
        """Return the programmes that somebody registered for in the period, the latest first.

        Screenings are those that were open in the period; without them, what a period adds up to stays the same.
        """
        async with self._database.reading() as session:
            query = (
                select(ProgrammeRow).where(ProgrammeRow.open_at < period.end).order_by(ProgrammeRow.open_at.desc())
            )
            rows = (await session.scalars(query)).all()
            is_open = [row.id for row in rows if row.kind == SENSITIVE and row.close_at >= period.begin]
            whole = is_open if with_screenings else []
            dated = [row.id for row in rows if row.kind != SENSITIVE]
            counts = await _counts(session, dated, _within(period, county))
            counts |= await _counts(session, whole, [SCREENED, *_within(None, county)])
        return [_registered(row, counts[row.id]) for row in rows if row.id in counts]

    async def programme(self, programme_id: str, period: Period, *, county: str | None = None) -> ProgrammeFigures:
        """Return one programme by county, status and day. Raises UnknownProgramme.

        Of a screening, counties are told apart and statuses are, but not the statuses of a county.
        """
        async with self._database.reading() as session:
            row = await session.get(ProgrammeRow, programme_id)
            if row is None:
                raise UnknownProgramme(programme_id=programme_id)
            is_whole = row.kind == SENSITIVE
            within = [SCREENED, *_within(None, county)] if is_whole else _within(period, county)
            counts = (await _counts(session, [programme_id], within)).get(programme_id, {})
            days = {} if is_whole else await _by_day(session, programme_id, within)
        registered = _registered(row, counts)
        return ProgrammeFigures(
            registered,
            [
                CountyStatuses(code, total, {} if is_whole else _statuses(counts, code))
                for code, total in registered.by_county
            ],
            [] if is_whole else [(day, days.get(day, 0)) for day in period.each_day()],
        )


def _within(period: Period | None, county: str | None) -> list[ColumnElement[bool]]:
    within: list[ColumnElement[bool]] = [Registration.status.in_(STORED)]
    if period is not None:
        within += [Registration.created_at >= period.begin, Registration.created_at < period.end]
    if county is not None:
        within.append(Registration.county == county)
    return within


async def _counts(
    session: AsyncSession, programme_ids: Sequence[str], within: Iterable[ColumnElement[bool]]
) -> dict[str, Counts]:
    by = (Registration.programme_id, Registration.status, Registration.county)
    query = select(*by, func.count()).where(Registration.programme_id.in_(programme_ids), *within).group_by(*by)
    found: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    if not programme_ids:
        return {}
    for programme_id, status, county, count in await session.execute(query):
        found[programme_id][status, county or ""] = count
    return dict(found)


async def _by_day(session: AsyncSession, programme_id: str, within: Iterable[ColumnElement[bool]]) -> dict[date, int]:
    day = local_day(Registration.created_at)
    query = select(day, func.count()).where(Registration.programme_id == programme_id, *within).group_by(day)
    return dict((await session.execute(query)).all())


def _statuses(counts: Counts, county: str) -> dict[str, int]:
    return {status: count for (status, where), count in counts.items() if where == county}


def _registered(row: ProgrammeRow, counts: Counts) -> Registered:
    statuses, counties = Counter[str](), Counter[str]()
    for (status, county), count in counts.items():
        statuses[status] += count
        counties[county] += count
    total = statuses.total()
    is_whole = row.kind == SENSITIVE
    by_status: dict[str, int | None] = suppressed(statuses) if is_whole else dict(statuses)
    by_county: dict[str, int | None] = suppressed(counties) if is_whole else dict(counties)
    return Registered(
        programme_id=row.id,
        title=row.document.title,
        kind=row.kind,
        is_whole=is_whole,
        total=suppressed_total(total) if is_whole else total,
        by_status={status: by_status[status] for status in STORED if status in by_status},
        # Hidden ones stand by their codes, not by how many they are.
        by_county=sorted(by_county.items(), key=lambda one: (-(one[1] or 0), one[0])),
    )

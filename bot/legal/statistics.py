"""The figures that the federation publishes: cases and people by topic, county, month, way and outcome."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import String, cast, func, select

from bot.legal.models import LegalCase
from bot.storage.sql import Database
from bot.values.clock import LOCAL_ZONE

SMALLEST_GROUP: Final = 3
"""A row about fewer cases could tell whose they are; such rows are put together."""
OTHERS: Final = "others"
DIMENSIONS: Final = ("topic", "county", "contact_way", "outcome", "status")


@dataclass(frozen=True, slots=True)
class Count:
    """件次 and 人次: how many cases, and how many people they are about."""

    cases: int
    people: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.cases + other.cases, self.people + other.people)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts in all, of group matters and urgent ones, and by code of each dimension, the largest first."""

    total: Count
    group: Count
    urgent: Count
    by: Mapping[str, Sequence[tuple[str, Count]]]
    by_month: Sequence[tuple[str, Count]]


class LegalStatistics:
    """Aggregates over SQL, in as many queries as there are tables on the page, however many cases there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, first: date, last: date, *, county: str | None = None) -> Figures:
        """Return the figures of cases registered from ``first`` to ``last``, both included."""
        begin = datetime.combine(first, time.min, LOCAL_ZONE)
        end = datetime.combine(last + timedelta(days=1), time.min, LOCAL_ZONE)
        within = [LegalCase.created_at >= begin, LegalCase.created_at < end]
        if county is not None:
            within.append(LegalCase.county == county)
        people = func.coalesce(func.sum(LegalCase.people_count), 0)
        flags = select(LegalCase.is_group, LegalCase.is_urgent, func.count(), people).where(*within)
        # A receipt holds its day (FL26-0615-0007), which both databases cut the same way and no time zone moves.
        month = func.substr(cast(LegalCase.receipt, String), 3, 5)
        async with self._database.reading() as session:
            by_flags = (await session.execute(flags.group_by(LegalCase.is_group, LegalCase.is_urgent))).all()
            by: dict[str, Sequence[tuple[str, Count]]] = {}
            for name in DIMENSIONS:
                column = getattr(LegalCase, name)
                rows = await session.execute(select(column, func.count(), people).where(*within).group_by(column))
                by[name] = merged({code or "": Count(cases, int(count)) for code, cases, count in rows})
            months = await session.execute(select(month, func.count(), people).where(*within).group_by(month))
            by_month = sorted((_month(text), Count(cases, int(count))) for text, cases, count in months)
        return Figures(
            total=_sum(Count(cases, int(count)) for _, _, cases, count in by_flags),
            group=_sum(Count(cases, int(count)) for group, _, cases, count in by_flags if group),
            urgent=_sum(Count(cases, int(count)) for _, urgent, cases, count in by_flags if urgent),
            by=by,
            by_month=by_month,
        )


def merged(counts: Mapping[str, Count]) -> list[tuple[str, Count]]:
    """Return the counts, largest first, with those below SMALLEST_GROUP put together as OTHERS.

    A single small row would stand alone under that name and be as telling as before, so the next larger joins it.
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1].cases, item[0]))
    kept = [item for item in ranked if item[1].cases >= SMALLEST_GROUP]
    small = [count for _, count in ranked if count.cases < SMALLEST_GROUP]
    if small and _sum(small).cases < SMALLEST_GROUP and kept:
        small.append(kept.pop()[1])
    return [*kept, (OTHERS, _sum(small))] if small else kept


def _sum(counts: Iterable[Count]) -> Count:
    return sum(counts, Count(0, 0))


def _month(text: str) -> str:
    return f"20{text[:2]}-{text[3:5]}"

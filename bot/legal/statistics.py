"""The figures that the federation publishes: cases and people by topic, county, month, way and outcome."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.legal.models import LegalCase
from bot.storage.sql import Database
from bot.values.clock import LOCAL_ZONE

SMALLEST_GROUP: Final = 3
"""A row about fewer cases could tell whose they are; such rows are put together."""
OTHERS: Final = "others"
DIMENSIONS: Final = ("topic", "county", "contact_way", "outcome", "status")
PARTS: Final = (("topic", "contact_way", "is_group", "is_urgent"), ("county", "outcome", "status", "month"))
"""What is counted in one go. Each sorts all cases once; one for all would have about as many groups as cases."""


@dataclass(frozen=True, slots=True)
class Count:
    """件次 and 人次: how many cases, and how many people they are about."""

    cases: int
    people: int

    def __add__(self, other: "Count") -> "Count":
        return Count(self.cases + other.cases, self.people + other.people)


NONE: Final = Count(0, 0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts in all, of group matters and urgent ones, and by code of each dimension, the largest first."""

    total: Count
    group: Count
    urgent: Count
    by: Mapping[str, Sequence[tuple[str, Count]]]
    by_month: Sequence[tuple[str, Count]]


class LegalStatistics:
    """Aggregates over SQL, in one query for each of the ``PARTS``, however many cases there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, first: date, last: date, *, county: str | None = None) -> Figures:
        """Return the figures of cases registered from ``first`` to ``last``, both included."""
        begin = datetime.combine(first, time.min, LOCAL_ZONE)
        end = datetime.combine(last + timedelta(days=1), time.min, LOCAL_ZONE)
        within = [LegalCase.created_at >= begin, LegalCase.created_at < end]
        if county is not None:
            within.append(LegalCase.county == county)
        async with self._database.reading() as session:
            by = await _counts(session, within)
        return Figures(
            total=_sum(by["is_group"].values()),
            group=by["is_group"].get(True, NONE),
            urgent=by["is_urgent"].get(True, NONE),
            by={name: merged({code or "": count for code, count in by[name].items()}) for name in DIMENSIONS},
            by_month=sorted((_month(text), count) for text, count in by["month"].items()),
        )


async def _counts(session: AsyncSession, within: Sequence[ColumnElement[bool]]) -> Mapping[str, dict[Any, Count]]:
    """Return the counts of each column by its values."""
    # A receipt holds its day (FL26-0615-0007), which both databases cut the same way and no time zone moves.
    month = func.substr(cast(LegalCase.receipt, String), 3, 5)
    people = func.coalesce(func.sum(LegalCase.people_count), 0)
    found: dict[str, dict[Any, Count]] = defaultdict(lambda: defaultdict(lambda: NONE))
    for names in PARTS:
        columns = [month if name == "month" else getattr(LegalCase, name) for name in names]
        query = select(*columns, func.count(), people).where(*within).group_by(*columns)
        for *values, cases, many in await session.execute(query):
            for name, value in zip(names, values, strict=True):
                found[name][value] += Count(cases, int(many))
    return found


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
    return sum(counts, NONE)


def _month(text: str) -> str:
    return f"20{text[:2]}-{text[3:5]}"

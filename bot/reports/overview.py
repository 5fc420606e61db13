"""All figures of a period together, as the page and the workbook show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.reports.models import ChatFigures, Conversion, Messages, Period, Registered
from bot.reports.registered import RegistrationFigures
from bot.reports.service import Reports
from bot.storage.sql import Database


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything about a period. ``messages`` is ``None`` and ``conversions`` empty for whoever sees one county.

    The period before another has no screenings: they are counted as a whole, so that nothing is beside them.
    """

    period: Period
    messages: Messages | None
    conversions: Sequence[Conversion]
    programmes: Sequence[Registered]
    chats: ChatFigures

    @property
    def registered(self) -> int:
        """How many registered in the period, screenings aside, which are counted as a whole."""
        return sum(one.total or 0 for one in self.programmes if not one.is_whole)

    def total_of(self, programme_id: str) -> int:
        """Return how many registered for a programme that is counted by periods."""
        found = (one.total for one in self.programmes if one.programme_id == programme_id and not one.is_whole)
        return next(found, None) or 0


class Overview:
    """Reads them all, in a constant number of queries."""

    def __init__(self, database: Database) -> None:
        self.reports = Reports(database)
        self.registrations = RegistrationFigures(database)

    async def figures(self, period: Period, *, county: str | None = None) -> Figures:
        """Return the figures of a period; ``county`` narrows to one, whose messages nobody knows apart."""
        return await self._figures(period, county, with_screenings=True)

    async def before(self, period: Period, *, county: str | None = None) -> Figures:
        """Return the figures of the period before ``period``, to be shown beside it."""
        return await self._figures(period.previous, county, with_screenings=False)

    async def _figures(self, period: Period, county: str | None, *, with_screenings: bool) -> Figures:
        return Figures(
            period=period,
            messages=await self.reports.messages(period) if county is None else None,
            conversions=await self.reports.conversions(period) if county is None else (),
            programmes=await self.registrations.programmes(period, county=county, with_screenings=with_screenings),
            chats=await self.reports.chats(period, county=county),
        )

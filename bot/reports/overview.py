"""All figures of a period together, as the page and the workbook show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.reports.models import ChatFigures, Conversion, Messages, Period, Registered
from bot.reports.registered import RegistrationFigures
from bot.reports.service import Reports
from bot.storage.sql import Database


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything about a period. ``messages`` is ``None`` and ``conversions`` empty for whoever sees one county."""

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
        return Figures(
            period=period,
            messages=await self.reports.messages(period) if county is None else None,
            conversions=await self.reports.conversions(period) if county is None else (),
            programmes=await self.registrations.programmes(period, county=county),
            chats=await self.reports.chats(period, county=county),
        )

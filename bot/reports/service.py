"""The figures of a period, each in a constant number of queries, however much was written."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Row, case, func, select

from bot.inbox.models import Satisfaction
from bot.reports.models import (
    NO_INTENT,
    Asker,
    ChatDay,
    ChatFigures,
    ChatMeasure,
    Conversion,
    Messages,
    Period,
    TurnDay,
    TurnHour,
    Turns,
    Waits,
)
from bot.reports.rollups import ASKED_ABOUT, HOURS
from bot.storage.sql import Database

Key = TypeVar("Key")

SURE: Final = "sure"
_FIELD_OF: Final[Mapping[str, str]] = {SURE: "understood", "unsure": "asked_back", "lost": "lost", "": "guided"}


class Reports:
    """Reads figures. ``county`` narrows to one county where a figure knows counties."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def messages(self, period: Period, *, intent: str | None = None) -> Messages:
        """Return how much was written and how much of it was understood, from the roll-ups.

        ``intent`` narrows to what was taken for it; hours are not told apart by intent and are empty then.
        """
        within: list[ColumnElement[bool]] = [TurnDay.day.between(period.first, period.last)]
        if intent is not None:
            within.append(TurnDay.intent == intent)
        by_day = select(TurnDay.day, TurnDay.certainty, func.sum(TurnDay.turns)).where(*within)
        by_intent = select(TurnDay.intent, func.sum(TurnDay.turns)).where(
            *within, TurnDay.certainty == SURE, TurnDay.intent != NO_INTENT
        )
        by_hour = select(TurnHour.hour, TurnHour.certainty, func.sum(TurnHour.turns)).where(
            TurnHour.day.between(period.first, period.last)
        )
        async with self._database.reading() as session:
            days = _by(await session.execute(by_day.group_by(TurnDay.day, TurnDay.certainty)))
            intents = (await session.execute(by_intent.group_by(TurnDay.intent))).all()
            hours: Mapping[int, Turns] = {}
            if intent is None:
                hours = _by(await session.execute(by_hour.group_by(TurnHour.hour, TurnHour.certainty)))
        return Messages(
            all=sum(days.values(), Turns()),
            by_day=[(day, days.get(day, Turns())) for day in period.each_day()],
            by_hour=[(hour, hours.get(hour, Turns())) for hour in range(HOURS)],
            by_intent=sorted(((name, int(turns)) for name, turns in intents), key=lambda one: (-one[1], one[0])),
        )

    async def conversions(self, period: Period) -> list[Conversion]:
        """Return for each service how many of those who asked about it registered within fourteen days.

        Asked: the assistant took a message of theirs for a question about the service (``faq_work_study``,
        ``faq_health_screening``) in the period. Registered: within the fourteen days after one of those questions
        they handed in a registration for a programme of that kind, whatever became of it. A follower counts once
        however often they ask. Registrations before the question count for nothing.
        """
        who = func.count(Asker.openid.distinct())
        who_registered = func.count(case((Asker.has_registered, Asker.openid)).distinct())
        query = (
            select(Asker.intent, who, who_registered)
            .where(Asker.intent.in_(ASKED_ABOUT.values()), Asker.day.between(period.first, period.last))
            .group_by(Asker.intent)
        )
        async with self._database.reading() as session:
            found = {intent: (asked, registered) for intent, asked, registered in await session.execute(query)}
        return [Conversion(kind, *found.get(intent, (0, 0))) for kind, intent in ASKED_ABOUT.items()]

    async def chats(self, period: Period, *, county: str | None = None) -> ChatFigures:
        """Return how many chats were opened, how soon they were answered and closed, and what people said of it.

        Each thing counts on its own day: a chat of Friday that was closed on Monday is among Monday's ends.
        """
        by = (ChatDay.measure, ChatDay.value)
        within: list[ColumnElement[bool]] = [ChatDay.day.between(period.first, period.last)]
        if county is not None:
            within.append(ChatDay.county == county)
        counts = select(*by, func.sum(ChatDay.chats)).where(*within).group_by(*by)
        opened = (
            select(ChatDay.day, func.sum(ChatDay.chats))
            .where(*within, ChatDay.measure == ChatMeasure.OPENED)
            .group_by(ChatDay.day)
        )
        found: dict[str, dict[int, int]] = {measure: {} for measure in ChatMeasure}
        async with self._database.reading() as session:
            for measure, value, chats in await session.execute(counts):
                found[measure][value] = int(chats)
            days = {day: int(chats) for day, chats in await session.execute(opened)}
        ratings = found[ChatMeasure.RATING]
        return ChatFigures(
            opened=sum(days.values()),
            first_answer=Waits(found[ChatMeasure.FIRST_ANSWER]),
            resolution=Waits(found[ChatMeasure.RESOLUTION]),
            satisfied=ratings.get(Satisfaction.SATISFIED, 0),
            fair=ratings.get(Satisfaction.FAIR, 0),
            dissatisfied=ratings.get(Satisfaction.DISSATISFIED, 0),
            by_day=[(one, days.get(one, 0)) for one in period.each_day()],
        )


def _by(rows: Iterable[Row[Key, str, int]]) -> dict[Key, Turns]:
    found: dict[Key, Turns] = {}
    for key, certainty, turns in rows:
        found[key] = found.get(key, Turns()) + Turns(**{_FIELD_OF[certainty]: int(turns)})
    return found

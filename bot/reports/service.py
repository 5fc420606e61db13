"""The figures of a period, each in a constant number of queries."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import and_, func, select

from bot.inbox.models import Chat, Satisfaction
from bot.programmes.models import ProgrammeKind, ProgrammeRow
from bot.registrations.models import Registration
from bot.reports.models import (
    NO_INTENT,
    ChatFigures,
    Conversion,
    Messages,
    Period,
    Registered,
    TurnDay,
    TurnHour,
)
from bot.reports.rules import percentile, suppressed
from bot.storage.sql import Database
from bot.turns.models import LoggedTurn
from bot.values.clock import LOCAL_ZONE

CONVERTED_WITHIN: Final = timedelta(days=14)
ASKED_ABOUT: Final[Mapping[str, str]] = {
    ProgrammeKind.WORK_STUDY.value: "faq_work_study",
    ProgrammeKind.HEALTH_SCREENING.value: "faq_health_screening",
}


class Reports:
    """Reads figures. ``county`` narrows to one county where a figure knows counties."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def messages(self, period: Period) -> Messages:
        """Return how much was written and how much of it was understood, from the roll-ups."""
        within = and_(TurnDay.day >= period.first, TurnDay.day <= period.last)
        by_hour = (
            select(TurnHour.hour, func.sum(TurnHour.turns))
            .where(TurnHour.day >= period.first, TurnHour.day <= period.last)
            .group_by(TurnHour.hour)
        )
        async with self._database.reading() as session:
            rows = (await session.execute(select(TurnDay).where(within))).scalars().all()
            hours = {int(hour): int(turns) for hour, turns in await session.execute(by_hour)}
        days: dict[date, int] = {period.first + timedelta(days=number): 0 for number in range(period.days)}
        intents: dict[str, int] = {}
        certainties = dict.fromkeys(("sure", "unsure", "lost"), 0)
        for row in rows:
            days[row.day] += row.turns
            if row.certainty in certainties:
                certainties[row.certainty] += row.turns
            if row.intent != NO_INTENT and row.certainty == "sure":
                intents[row.intent] = intents.get(row.intent, 0) + row.turns
        return Messages(
            total=sum(days.values()),
            asked=sum(certainties.values()),
            understood=certainties["sure"],
            asked_back=certainties["unsure"],
            lost=certainties["lost"],
            by_day=sorted(days.items()),
            by_hour=[(hour, hours.get(hour, 0)) for hour in range(24)],
            by_intent=sorted(intents.items(), key=lambda item: (-item[1], item[0])),
        )

    async def registrations(self, period: Period, *, county: str | None = None) -> list[Registered]:
        """Return what was handed in, by programme, status and county; small groups of screenings are left out."""
        begin, end = bounds(period)
        query = (
            select(Registration.programme_id, Registration.status, Registration.county, func.count())
            .where(Registration.created_at >= begin, Registration.created_at < end)
            .group_by(Registration.programme_id, Registration.status, Registration.county)
        )
        if county is not None:
            query = query.where(Registration.county == county)
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
            programmes = (await session.scalars(select(ProgrammeRow).order_by(ProgrammeRow.open_at.desc()))).all()
        found = []
        for programme in programmes:
            mine = [(status, where or "", count) for name, status, where, count in rows if name == programme.id]
            if mine:
                found.append(_registered(programme, mine))
        return found

    async def conversions(self, period: Period) -> list[Conversion]:
        """Return for each service how many of those who asked about it registered within fourteen days.

        A follower counts once, from their first question in the period. Earlier registrations count for nothing.
        """
        begin, end = bounds(period)
        found = []
        async with self._database.reading() as session:
            for kind, intent in ASKED_ABOUT.items():
                asked = (
                    select(LoggedTurn.openid, func.min(LoggedTurn.received_at).label("at"))
                    .where(LoggedTurn.intent == intent, LoggedTurn.received_at >= begin, LoggedTurn.received_at < end)
                    .group_by(LoggedTurn.openid)
                )
                firsts = {row.openid: row.at for row in await session.execute(asked)}
                followed = select(Registration.openid, Registration.created_at).where(
                    Registration.kind == kind,
                    Registration.created_at >= begin,
                    Registration.created_at < end + CONVERTED_WITHIN,
                )
                registered = {
                    openid
                    for openid, at in await session.execute(followed)
                    if openid in firsts and firsts[openid] <= at <= firsts[openid] + CONVERTED_WITHIN
                }
                found.append(Conversion(kind, len(firsts), len(registered)))
        return found

    async def chats(self, period: Period, *, county: str | None = None) -> ChatFigures:
        """Return how quickly people were answered, and what they said of it."""
        begin, end = bounds(period)
        query = select(Chat.opened_at, Chat.first_answer_at, Chat.closed_at, Chat.satisfaction).where(
            Chat.opened_at >= begin, Chat.opened_at < end
        )
        if county is not None:
            query = query.where(Chat.county == county)
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
        first = [_minutes(opened, answered) for opened, answered, _, _ in rows if answered is not None]
        whole = [_minutes(opened, closed) for opened, _, closed, _ in rows if closed is not None]
        ratings = [rating for *_, rating in rows]
        return ChatFigures(
            opened=len(rows),
            answered=len(first),
            closed=len(whole),
            first_answer_median=percentile(first, 0.5),
            first_answer_p90=percentile(first, 0.9),
            resolution_median=percentile(whole, 0.5),
            resolution_p90=percentile(whole, 0.9),
            satisfied=ratings.count(Satisfaction.SATISFIED),
            fair=ratings.count(Satisfaction.FAIR),
            dissatisfied=ratings.count(Satisfaction.DISSATISFIED),
        )


def bounds(period: Period) -> tuple[datetime, datetime]:
    """Return the moment at which a period begins and the one at which it is over, in Tongren."""
    begin = datetime.combine(period.first, time.min, LOCAL_ZONE)
    return begin, datetime.combine(period.last + timedelta(days=1), time.min, LOCAL_ZONE)


def previous(period: Period) -> Period:
    """Return the period of the same length before it."""
    return Period(period.first - timedelta(days=period.days), period.first - timedelta(days=1))


def _registered(programme: ProgrammeRow, mine: list[tuple[str, str, int]]) -> Registered:
    statuses: dict[str, int] = {}
    counties: dict[str, int] = {}
    for status, county, count in mine:
        statuses[status] = statuses.get(status, 0) + count
        counties[county] = counties.get(county, 0) + count
    total = sum(statuses.values())
    by_status: dict[str, int | None] = dict(statuses)
    by_county: dict[str, int | None] = dict(counties)
    shown_total: int | None = total
    if programme.kind == ProgrammeKind.HEALTH_SCREENING:
        by_status, by_county = suppressed(statuses), suppressed(counties)
        shown_total = suppressed({"": total})[""]
    ranked = sorted(by_county.items(), key=lambda item: (-(item[1] or 0), item[0]))
    return Registered(programme.id, programme.document.title, programme.kind, shown_total, by_status, ranked)


def _minutes(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 60

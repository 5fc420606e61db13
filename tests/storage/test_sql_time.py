"""Moments in SQL mean the same on either database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.inbox.models import Chat
from bot.storage.sql import Database
from bot.storage.sql_time import local_day, local_hour, minutes_between
from bot.values.clock import LOCAL_ZONE

MIDNIGHT = datetime(2026, 6, 15, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("moment", "day", "hour"),
    [
        (MIDNIGHT, date(2026, 6, 15), 0),
        (MIDNIGHT - timedelta(microseconds=1), date(2026, 6, 14), 23),
        (datetime(2026, 6, 14, 16, 30, tzinfo=UTC), date(2026, 6, 15), 0),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1), 0),
        (datetime(2026, 6, 15, 1, 59, 59, 999_999, tzinfo=UTC), date(2026, 6, 15), 9),
    ],
)
async def test_day_and_hour_are_those_of_tongren(database: Database, moment: datetime, day: date, hour: int) -> None:
    async with database.transaction() as session:
        session.add(Chat(openid="o", topic="other", idempotency_key="k", opened_at=moment))
        await session.flush()
        found = (await session.execute(select(local_day(Chat.opened_at), local_hour(Chat.opened_at)))).one()
    assert tuple(found) == (day, hour)


@pytest.mark.parametrize(
    ("after", "minutes"),
    [
        (timedelta(0), 0),
        (timedelta(seconds=59.9), 0),
        (timedelta(minutes=10), 10),
        (timedelta(minutes=10, seconds=59), 10),
        (timedelta(days=3, minutes=1), 4321),
        (None, None),
    ],
)
async def test_minutes_are_whole_ones_that_have_passed(
    database: Database, after: timedelta | None, minutes: int | None
) -> None:
    closed = None if after is None else MIDNIGHT + after
    async with database.transaction() as session:
        chat = Chat(openid="o", topic="other", idempotency_key="k", opened_at=MIDNIGHT, closed_at=closed)
        session.add(chat)
        await session.flush()
        found = await session.scalar(select(minutes_between(Chat.opened_at, Chat.closed_at)))
    assert found == minutes

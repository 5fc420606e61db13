"""Turns to count."""

from datetime import date, datetime, timedelta

from bot.reports.models import Period
from bot.turns.log import TurnLog, TurnRecord
from bot.values.clock import LOCAL_ZONE, Clock

JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))


def turn(
    key: str, at: datetime, *, intent: str | None = None, certainty: str | None = None, openid: str = "o"
) -> TurnRecord:
    """Return the record of one turn."""
    return TurnRecord(
        key=key,
        openid=openid,
        received_at=at,
        kind="TextMessage",
        said="…",
        answered=(),
        intent=intent,
        confidence=None,
        certainty=certainty,
        flow=None,
        trace=(),
        took_ms=5,
        late=False,
    )


async def written(log: TurnLog, clock: Clock) -> None:
    """Write six turns: five of today (three of them understood or not, one hours before) and one of last night."""
    now = clock.now()
    await log.write(
        [
            turn("1", now, intent="check_status", certainty="sure"),
            turn("2", now, intent="check_status", certainty="sure"),
            turn("3", now, intent="complaint", certainty="unsure"),
            turn("4", now, certainty="lost"),
            turn("5", now - timedelta(hours=3)),
            turn("6", datetime(2026, 6, 14, 23, 59, tzinfo=LOCAL_ZONE), intent="greet", certainty="sure"),
        ]
    )

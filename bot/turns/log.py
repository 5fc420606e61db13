"""The record of turns: written to a Redis stream with the commit, moved to SQL in batches by the worker."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.turns.models import LoggedDay, LoggedTurn
from bot.values.clock import LOCAL_ZONE

SAID, ANSWERED = "turn_log.said", "turn_log.answered"


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """A turn as it is logged. ``said`` and ``answered`` are masked before they come here."""

    key: str
    openid: str
    received_at: datetime
    kind: str
    said: str
    answered: Sequence[str]
    intent: str | None
    confidence: float | None
    certainty: str | None
    flow: str | None
    trace: Sequence[Mapping[str, Any]]
    took_ms: int
    late: bool
    guesses: Sequence[Sequence[Any]] = ()
    """The likeliest intents with their confidences, when the NLU was asked; ``model_id`` is empty for keywords."""
    model_id: str = ""

    def to_json(self) -> bytes:
        """Return the stream entry."""
        content = {name: getattr(self, name) for name in self.__slots__}
        content["received_at"] = self.received_at.isoformat()
        return json.dumps(content, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, entry: bytes) -> "TurnRecord":
        """Read a stream entry."""
        content = json.loads(entry)
        content["received_at"] = datetime.fromisoformat(content["received_at"])
        return cls(**content)


class TurnLog:
    """The log in SQL; also its part of a follower's rights."""

    subject = "turns"

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    async def write(self, records: Sequence[TurnRecord]) -> None:
        """Store ``records``; one that is there already is left as it is, so that a batch may be repeated."""
        if not records:
            return
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        statement = insert(LoggedTurn).on_conflict_do_nothing(index_elements=["key"])
        days = sorted({record.received_at.astimezone(LOCAL_ZONE).date() for record in records})
        # In the transaction of the turns, so that nobody takes the day for counted before they are there.
        note = insert(LoggedDay).values([{"day": day, "writes": 1} for day in days])
        note = note.on_conflict_do_update(index_elements=["day"], set_={"writes": LoggedDay.writes + 1})
        async with self._database.transaction() as session:
            await session.execute(statement, [self._row(record) for record in records])
            await session.execute(note)

    def _row(self, record: TurnRecord) -> dict[str, Any]:
        return {
            "key": record.key,
            "openid": record.openid,
            "received_at": record.received_at,
            "kind": record.kind,
            "said": self._cipher.seal(record.said, SAID) if record.said else None,
            "answered": self._cipher.seal("\n\n".join(record.answered), ANSWERED) if record.answered else None,
            "intent": record.intent,
            "confidence": record.confidence,
            "certainty": record.certainty,
            "flow": record.flow,
            "trace": list(record.trace),
            "took_ms": record.took_ms,
            "late": record.late,
            "guesses": [list(guess) for guess in record.guesses],
            "model_id": record.model_id,
        }

    async def people_between(self, openids: Select[Any], start: datetime, end: datetime) -> int:
        """Return how many of ``openids`` (a query of one column) sent a message from ``start`` until ``end``."""
        query = select(func.count(func.distinct(LoggedTurn.openid))).where(
            LoggedTurn.received_at >= start,
            LoggedTurn.received_at < end,
            LoggedTurn.kind.like("%Message"),
            LoggedTurn.openid.in_(openids),
        )
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def before(self, openid: str, moment: datetime, count: int) -> list[TurnRecord]:
        """Return the follower's last ``count`` turns before ``moment``, newest first."""
        query = (
            select(LoggedTurn)
            .where(LoggedTurn.openid == openid, LoggedTurn.received_at < moment)
            .order_by(LoggedTurn.received_at.desc())
            .limit(count)
        )
        async with self._database.reading() as session:
            return [self._record(row) for row in await session.scalars(query)]

    def _record(self, row: LoggedTurn) -> TurnRecord:
        return TurnRecord(
            key=row.key,
            openid=row.openid,
            received_at=row.received_at,
            kind=row.kind,
            said=self._cipher.open(row.said, SAID) if row.said else "",
            answered=[self._cipher.open(row.answered, ANSWERED)] if row.answered else [],
            intent=row.intent,
            confidence=row.confidence,
            certainty=row.certainty,
            flow=row.flow,
            trace=row.trace,
            took_ms=row.took_ms,
            late=row.late,
            guesses=row.guesses or (),
            model_id=row.model_id or "",
        )

    async def export(self, openid: str) -> list[dict[str, str | None]]:
        """Return the follower's turns, oldest first, with their texts."""
        query = select(LoggedTurn).where(LoggedTurn.openid == openid).order_by(LoggedTurn.received_at)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [
            {
                "received_at": row.received_at.isoformat(),
                "kind": row.kind,
                "said": self._cipher.open(row.said, SAID) if row.said else "",
                "answered": self._cipher.open(row.answered, ANSWERED) if row.answered else "",
                "intent": row.intent,
            }
            for row in rows
        ]

    async def erase(self, openid: str) -> int:
        """Delete the follower's turns; return how many."""
        async with self._database.transaction() as session:
            result = await session.execute(delete(LoggedTurn).where(LoggedTurn.openid == openid))
        return int(getattr(result, "rowcount", 0))

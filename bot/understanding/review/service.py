"""The review list: what lands on it, and what people make of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.understanding.models import INTENTS, Guess
from bot.understanding.review.errors import NoSuchIntent, NoSuchItem
from bot.understanding.review.models import (
    Decided,
    DecidedBefore,
    Filter,
    Finding,
    Outcome,
    Page,
    Reason,
    ReviewItem,
    ReviewRow,
    Status,
    Turn,
)
from bot.understanding.review.stand_ins import trainable
from bot.values.clock import Clock

SAID, REWORDED, EXPORTED = "review_items.said", "review_items.reworded", "review_items.exported"
LARGEST_PAGE: Final = 200
KEPT_GUESSES: Final = 5


class ReviewList:
    """The list over SQL. Each call is a transaction of its own; texts are sealed."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    # --- What lands on it -------------------------------------------------------------------------------------

    async def add(self, turn: Turn, reason: Reason) -> None:
        """Put a turn on the list; one that is there already is left as it is."""
        async with self._database.transaction() as session:
            await self._insert(session, turn, reason)

    async def note(self, finding: Finding) -> None:
        """Keep what a later turn says about an earlier one, which lands on the list unless it is there.

        The first finding stays, and what people decided is not touched; repeating it changes nothing.
        """
        about = finding.about
        async with self._database.transaction() as session:
            await self._insert(session, about, Reason.CORRECTED)
            await session.execute(
                update(ReviewRow)
                .where(ReviewRow.key == about.key, ReviewRow.outcome.is_(None))
                .values(outcome=finding.outcome.value, suggested=finding.suggested)
            )

    async def _insert(self, session: AsyncSession, turn: Turn, reason: Reason) -> None:
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        row = {
            "key": turn.key,
            "openid": turn.openid,
            "at": turn.at,
            "said": self._cipher.seal(turn.said, SAID),
            "guesses": [[guess.intent, guess.confidence] for guess in turn.guesses[:KEPT_GUESSES]],
            "guessed": turn.guesses[0].intent if turn.guesses else None,
            "model_id": turn.model_id,
            "reason": reason.value,
            "status": Status.OPEN.value,
        }
        await session.execute(insert(ReviewRow).values(row).on_conflict_do_nothing(index_elements=["key"]))

    # --- Looking ----------------------------------------------------------------------------------------------

    async def page(self, wanted: Filter, *, limit: int = 50, after: int | None = None) -> Page:
        """Return the rows that fit, newest first, at most LARGEST_PAGE of them, and how many fit in all.

        ``after`` goes on behind the row with that id; a row that is gone meanwhile begins anew.
        """
        fits = _conditions(wanted)
        newest_first = select(ReviewRow).where(*fits).order_by(ReviewRow.at.desc(), ReviewRow.id.desc())
        async with self._database.reading() as session:
            last = await session.get(ReviewRow, after) if after is not None else None
            if last is not None:
                newest_first = newest_first.where(
                    or_(ReviewRow.at < last.at, and_(ReviewRow.at == last.at, ReviewRow.id < last.id))
                )
            rows = await session.scalars(newest_first.limit(min(limit, LARGEST_PAGE)))
            total = await session.scalar(select(func.count()).select_from(ReviewRow).where(*fits))
        return Page([self._item(row) for row in rows], total or 0)

    async def get(self, item: int) -> ReviewItem:
        """Return one row. Raises NoSuchItem."""
        async with self._database.reading() as session:
            row = await session.get(ReviewRow, item)
        if row is None:
            raise NoSuchItem(item=item)
        return self._item(row)

    async def counts(self) -> Mapping[Status, int]:
        """Return how many rows have each status."""
        query = select(ReviewRow.status, func.count()).group_by(ReviewRow.status)
        async with self._database.reading() as session:
            found = {str(status): int(count) for status, count in await session.execute(query)}
        return {status: found.get(status.value, 0) for status in Status}

    # --- Deciding ---------------------------------------------------------------------------------------------

    async def relabel(self, item: int, label: str, by: str, *, wording: str | None = None) -> Decided | DecidedBefore:
        """Say what the message meant; ``wording`` replaces the line that would be trained on.

        Raises NoSuchItem, NoSuchIntent.
        """
        if label not in INTENTS:
            raise NoSuchIntent(intent=label)
        reworded = self._cipher.seal(wording, REWORDED) if wording else None
        return await self._decide(item, Status.RELABELLED, label, by, reworded)

    async def dismiss(self, item: int, by: str) -> Decided | DecidedBefore:
        """Say that there is nothing to learn from the message. Raises NoSuchItem."""
        return await self._decide(item, Status.DISMISSED, None, by, None)

    async def undo(self, item: int) -> ReviewItem:
        """Open the row again; what was exported of it goes with the next export. Raises NoSuchItem."""
        async with self._database.transaction() as session:
            row = await _locked(session, item)
            row.status, row.label, row.reworded, row.decided_by, row.decided_at = (
                Status.OPEN.value,
                None,
                None,
                None,
                None,
            )
            return self._item(row)

    async def _decide(
        self, item: int, status: Status, label: str | None, by: str, reworded: bytes | None
    ) -> Decided | DecidedBefore:
        async with self._database.transaction() as session:
            row = await _locked(session, item)
            if row.status != Status.OPEN.value:
                is_same = row.status == status.value and row.label == label
                return Decided(self._item(row)) if is_same else DecidedBefore(self._item(row))
            row.status, row.label, row.reworded = status.value, label, reworded
            row.decided_by, row.decided_at = by, self._clock.now()
            return Decided(self._item(row))

    # --- Export and age ---------------------------------------------------------------------------------------

    async def relabelled(self) -> Sequence[ReviewItem]:
        """Return every relabelled row, oldest first."""
        query = select(ReviewRow).where(ReviewRow.status == Status.RELABELLED.value).order_by(ReviewRow.id)
        async with self._database.reading() as session:
            return [self._item(row) for row in await session.scalars(query)]

    async def exported_lines(self) -> frozenset[str]:
        """Return the lines of the exported file that rows of the list stand for."""
        query = select(ReviewRow.exported).where(ReviewRow.exported.is_not(None))
        async with self._database.reading() as session:
            return frozenset(self._cipher.open(line, EXPORTED) for line in await session.scalars(query) if line)

    async def mark_exported(self, lines: Mapping[int, str]) -> None:
        """Remember which row stands in the exported file as which line; all others do not."""
        async with self._database.transaction() as session:
            await session.execute(
                update(ReviewRow)
                .where(ReviewRow.exported.is_not(None), ReviewRow.id.not_in(lines))
                .values(exported=None)
            )
            for item, line in lines.items():
                sealed = self._cipher.seal(line, EXPORTED)
                await session.execute(update(ReviewRow).where(ReviewRow.id == item).values(exported=sealed))

    async def purge(self, keep_days: int) -> int:
        """Delete rows older than ``keep_days`` days; lines that were exported stay. Return how many went."""
        before = self._clock.now() - timedelta(days=keep_days)
        async with self._database.transaction() as session:
            result = await session.execute(delete(ReviewRow).where(ReviewRow.at < before))
        return int(getattr(result, "rowcount", 0))

    # --- Rows -------------------------------------------------------------------------------------------------

    def _item(self, row: ReviewRow) -> ReviewItem:
        said = self._cipher.open(row.said, SAID)
        reworded = self._cipher.open(row.reworded, REWORDED) if row.reworded else None
        return ReviewItem(
            id=row.id,
            at=row.at,
            said=said,
            line=trainable(said if reworded is None else reworded),
            guesses=tuple(Guess(str(intent), float(confidence)) for intent, confidence in row.guesses),
            model_id=row.model_id,
            reason=Reason(row.reason),
            outcome=Outcome(row.outcome) if row.outcome else None,
            suggested=row.suggested,
            status=Status(row.status),
            label=row.label,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            is_exported=row.exported is not None,
        )


def suggestions(item: ReviewItem) -> tuple[str, ...]:
    """Return the intents to offer for one click: what the follower made of it first, then the guesses."""
    first = (item.suggested,) if item.suggested is not None else ()
    return tuple(dict.fromkeys((*first, *(guess.intent for guess in item.guesses))))


async def _locked(session: AsyncSession, item: int) -> ReviewRow:
    row = await session.get(ReviewRow, item, with_for_update=True)
    if row is None:
        raise NoSuchItem(item=item)
    return row


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    fits: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        fits.append(ReviewRow.status == wanted.status.value)
    if wanted.reason is not None:
        fits.append(ReviewRow.reason == wanted.reason.value)
    if wanted.guessed is not None:
        fits.append(ReviewRow.guessed == wanted.guessed)
    if wanted.label is not None:
        fits.append(ReviewRow.label == wanted.label)
    if wanted.since is not None:
        fits.append(ReviewRow.at >= wanted.since)
    return fits


class ReviewData:
    """The list's part of a follower's rights. Implements ``PersonalData``."""

    subject = "review"

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    async def export(self, openid: str) -> list[dict[str, Any]]:
        """Return the follower's messages on the list, oldest first."""
        query = select(ReviewRow).where(ReviewRow.openid == openid).order_by(ReviewRow.id)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [
            {
                "at": row.at.isoformat(),
                "said": self._cipher.open(row.said, SAID),
                "reason": row.reason,
                "label": row.label,
            }
            for row in rows
        ]

    async def erase(self, openid: str) -> int:
        """Delete the follower's rows and return how many; exported lines hold nothing personal and stay."""
        async with self._database.transaction() as session:
            result = await session.execute(delete(ReviewRow).where(ReviewRow.openid == openid))
        return int(getattr(result, "rowcount", 0))

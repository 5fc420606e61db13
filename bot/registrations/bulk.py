"""One decision about many registrations: written down as a run, and what became of each of them.

``bulk_work`` carries runs out in the background.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.snapshots import JsonValue
from bot.registrations.desk_models import BulkRow, BulkRun
from bot.registrations.errors import NotUndoable, ReasonMissing, TooManyAtOnce, UnknownBulkRun
from bot.registrations.steps import BULK_STEPS, OWN_REASONS, UNDONE_BY, Step
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock

BULK_MAX = 5_000
DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do with many. ``county`` is how far ``by`` may reach; ``items`` and ``until`` are for ``RETURN``."""

    step: Step
    receipts: Sequence[str]
    by: str
    reason: str
    key: str
    county: str | None = None
    note: str = ""
    items: Sequence[str] = ()
    until: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """How far a run is. ``can_undo``: some of what it did can be taken back, and nobody has yet (``undone_by``)."""

    id: int
    step: Step
    by: str
    reason: str
    note: str
    total: int
    done: int
    refused: int
    created_at: datetime
    finished_at: datetime | None
    undo_of: int | None
    undone_by: int | None
    can_undo: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """What became of one: ``outcome`` is ``DONE``, a code of why not, or ``None`` while nobody looked at it yet."""

    ordinal: int
    receipt: str
    outcome: str | None
    fields: Mapping[str, JsonValue]


class BulkReview:
    """Plans runs and shows what became of them; ``BulkWork`` carries them out."""

    def __init__(self, database: Database, clock: Clock, audit: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    async def plan(self, order: Order) -> RunView:
        """Write a run down; the same ``key`` gives the same run.

        Raises TooManyAtOnce for more than ``BULK_MAX`` or none at all, ReasonMissing, ValueError for a step that is
        not among ``BULK_STEPS``.
        """
        if order.step not in BULK_STEPS:
            raise ValueError(f"{order.step} is decided one by one")
        receipts = list(dict.fromkeys(order.receipts))
        if not 0 < len(receipts) <= BULK_MAX:
            raise TooManyAtOnce(most=BULK_MAX, asked=len(receipts))
        if not order.reason:
            raise ReasonMissing(source="", target=order.step.target or order.step.value)
        return await self._plan(order, receipts, undo_of=None)

    async def undo(self, run_id: int, *, by: str, key: str, county: str | None, source: str) -> RunView:
        """Write down a run that takes back what ``run_id`` did; raises UnknownBulkRun, NotUndoable."""
        run = await self.get(run_id)
        if not run.can_undo:
            raise NotUndoable(step=run.step.value)
        done = select(BulkRow.receipt).where(BulkRow.run_id == run_id, BulkRow.outcome == DONE)
        async with self._database.reading() as session:
            receipts = (await session.scalars(done.order_by(BulkRow.ordinal))).all()
        step = UNDONE_BY[run.step]
        order = Order(
            step=step,
            receipts=receipts,
            by=by,
            reason=OWN_REASONS[step],
            key=key,
            county=county,
            source=source,
        )
        return await self._plan(order, receipts, undo_of=run_id)

    async def get(self, run_id: int) -> RunView:
        """Return how far a run is; raises UnknownBulkRun."""
        async with self._database.reading() as session:
            run = await session.get(BulkRun, run_id)
            if run is None:
                raise UnknownBulkRun(run=run_id)
            return (await _views(session, [run]))[0]

    async def latest(
        self, *, by: str | None = None, limit: int = 20, before: int | None = None
    ) -> tuple[RunView, ...]:
        """Return the runs (of one member of staff, ``by``), the newest first; ``before`` goes on from a number."""
        query = select(BulkRun).order_by(BulkRun.id.desc()).limit(limit)
        if by is not None:
            query = query.where(BulkRun.by == by)
        if before is not None:
            query = query.where(BulkRun.id < before)
        async with self._database.reading() as session:
            return await _views(session, (await session.scalars(query)).all())

    async def rows(
        self, run_id: int, *, refused_only: bool = False, after: int = 0, limit: int = 100
    ) -> tuple[RowView, ...]:
        """Return what became of each, in the order they were given; ``after`` is the ordinal of the last one seen."""
        query = select(BulkRow).where(BulkRow.run_id == run_id, BulkRow.ordinal > after)
        if refused_only:
            query = query.where(BulkRow.outcome != DONE)
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(BulkRow.ordinal).limit(limit))
            return tuple(RowView(row.ordinal, row.receipt, row.outcome, row.fields) for row in rows)

    async def _plan(self, order: Order, receipts: Sequence[str], *, undo_of: int | None) -> RunView:
        try:
            async with self._database.transaction() as session:
                return await self._store(session, order, receipts, undo_of)
        except IntegrityError:
            async with self._database.reading() as session:
                run = (await session.scalars(select(BulkRun).where(BulkRun.key == order.key))).one()
                return (await _views(session, [run]))[0]

    async def _store(
        self, session: AsyncSession, order: Order, receipts: Sequence[str], undo_of: int | None
    ) -> RunView:
        run = BulkRun(
            key=order.key,
            step=order.step.value,
            by=order.by,
            source=order.source,
            county=order.county,
            reason=order.reason,
            note=order.note,
            items=list(order.items),
            until=order.until,
            undo_of=undo_of,
            total=len(receipts),
            created_at=self._clock.now(),
        )
        session.add(run)
        await session.flush()
        await session.execute(
            insert(BulkRow),
            [
                {"run_id": run.id, "ordinal": ordinal, "receipt": receipt, "outcome": None, "fields": {}}
                for ordinal, receipt in enumerate(receipts, 1)
            ],
        )
        reason = f"{order.step}:{order.reason}:{len(receipts)}"
        record = AuditRecord(order.by, "registrations:bulk:start", "bulk_run", str(run.id), reason, order.source)
        await self._audit.append(session, record)
        return (await _views(session, [run]))[0]


async def counts(session: AsyncSession, run_id: int) -> tuple[int, int]:
    """Return how many of a run were done and how many refused so far."""
    return (await _counts(session, [run_id])).get(run_id, (0, 0))


async def _counts(session: AsyncSession, runs: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    query = select(BulkRow.run_id, BulkRow.outcome, func.count()).where(
        BulkRow.run_id.in_(runs), BulkRow.outcome.is_not(None)
    )
    found: dict[int, tuple[int, int]] = {}
    for run_id, outcome, count in await session.execute(query.group_by(BulkRow.run_id, BulkRow.outcome)):
        done, refused = found.get(run_id, (0, 0))
        found[run_id] = (done + count, refused) if outcome == DONE else (done, refused + count)
    return found


async def _views(session: AsyncSession, runs: Sequence[BulkRun]) -> tuple[RunView, ...]:
    ids = [run.id for run in runs]
    counted = await _counts(session, ids)
    undoing = select(BulkRun.undo_of, func.min(BulkRun.id)).where(BulkRun.undo_of.in_(ids)).group_by(BulkRun.undo_of)
    undone = dict((await session.execute(undoing)).all())
    return tuple(_view(run, *counted.get(run.id, (0, 0)), undone.get(run.id)) for run in runs)


def _view(run: BulkRun, done: int, refused: int, undone_by: int | None) -> RunView:
    step = Step(run.step)
    return RunView(
        id=run.id,
        step=step,
        by=run.by,
        reason=run.reason,
        note=run.note,
        total=run.total,
        done=done,
        refused=refused,
        created_at=run.created_at,
        finished_at=run.finished_at,
        undo_of=run.undo_of,
        undone_by=undone_by,
        can_undo=step in UNDONE_BY and done > 0 and undone_by is None and run.finished_at is not None,
    )

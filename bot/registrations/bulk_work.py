"""Carrying a bulk run out, one registration after the other, in the background.

Each is decided by ``ReviewService`` as if by hand: the same checks, places, notices and audit rows. One that cannot
be moved is refused with its reason and holds nobody else up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from bot.programmes.snapshots import JsonValue
from bot.registrations.bulk import DONE, counts
from bot.registrations.correcting import Mistake
from bot.registrations.desk_models import BulkRow, BulkRun
from bot.registrations.errors import UnknownBulkRun
from bot.registrations.models import Registration
from bot.registrations.outcomes import AlreadyIn, Moved, NoPlace
from bot.registrations.review import Decision, ReviewService
from bot.registrations.statuses import Actor, ActorKind, Status
from bot.registrations.steps import Step, Terms, take
from bot.staff.tasks.errors import TaskCancelled
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.errors import BotError

KIND = "registrations_bulk"
NO_PLACE = "no_place"
OUT_OF_REACH = "out_of_reach"
ALREADY_IN = "already_in"
CLOCKS_APART = timedelta(minutes=1)
"""A run is written down by one machine and carried out by another."""


class BulkTask:
    """Implements ``TaskHandler``; the only parameter is ``run``, the run's number."""

    def __init__(self, work: "BulkWork") -> None:
        self._work = work

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Decide about each registration that is left; cancelled in between, what was done stays done."""
        run_id = task.params["run"]
        assert isinstance(run_id, int), "a run is started with its number"
        left, total = await self._work.left(run_id)
        try:
            for position, ordinal in enumerate(left, total - len(left)):
                await task.progress(position, total)
                await self._work.do(run_id, ordinal)
        except TaskCancelled:
            await self._work.finish(run_id)
            raise
        done, refused = await self._work.finish(run_id)
        return TaskResult({"run": run_id, "done": done, "refused": refused})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one registration."""

    code: str
    fields: Mapping[str, JsonValue]


class BulkWork:
    """Carries a run out. It can be broken off anywhere and goes on where it stopped."""

    def __init__(self, database: Database, clock: Clock, reviews: ReviewService) -> None:
        self._database = database
        self._clock = clock
        self._reviews = reviews

    async def left(self, run_id: int) -> tuple[Sequence[int], int]:
        """Return the ordinals that nobody looked at yet, and how many there are in all; raises UnknownBulkRun."""
        async with self._database.reading() as session:
            run = await session.get(BulkRun, run_id)
            if run is None:
                raise UnknownBulkRun(run=run_id)
            open_rows = select(BulkRow.ordinal).where(BulkRow.run_id == run_id, BulkRow.outcome.is_(None))
            return (await session.scalars(open_rows.order_by(BulkRow.ordinal))).all(), run.total

    async def do(self, run_id: int, ordinal: int) -> None:
        """Decide about one registration of the run and note what became of it."""
        async with self._database.reading() as session:
            run = await session.get_one(BulkRun, run_id)
            row = await session.get_one(BulkRow, (run_id, ordinal))
            found = select(Registration.county).where(Registration.receipt == row.receipt)
            counties = (await session.scalars(found)).all()
            undone = None if run.undo_of is None else await session.get_one(BulkRun, run.undo_of)
        if run.county is not None and run.county not in counties:
            outcome = Outcome(OUT_OF_REACH, {})
        else:
            outcome = await self._decide(run, row, undone)
        async with self._database.transaction() as session:
            here = (BulkRow.run_id == run_id, BulkRow.ordinal == ordinal)
            noted = update(BulkRow).where(*here).values(outcome=outcome.code, fields=dict(outcome.fields))
            await session.execute(noted)

    async def finish(self, run_id: int) -> tuple[int, int]:
        """Mark the run as finished and return how many were done and how many refused."""
        async with self._database.transaction() as session:
            run = await session.get_one(BulkRun, run_id)
            run.finished_at = self._clock.now()
            done, refused = await counts(session, run_id)
        return done, refused

    async def _decide(self, run: BulkRun, row: BulkRow, undone: BulkRun | None) -> Outcome:
        decision = Decision(
            receipt=row.receipt,
            by=Actor(ActorKind.REVIEWER, run.by),
            key=f"bulk-{run.id}-{row.ordinal}",
            reason=run.reason,
            note=run.note,
            source=run.source,
        )
        terms = Terms(items=run.items, until=run.until, mistake=None if undone is None else _mistake(undone))
        try:
            outcome = await take(self._reviews, Step(run.step), decision, terms)
        except BotError as error:
            return Outcome(error.code, error.fields)
        match outcome:
            case Moved():
                return Outcome(DONE, {})
            case AlreadyIn(_, since):
                return Outcome(ALREADY_IN, {"since": f"{since:%H:%M}"})
            case NoPlace(what):
                return Outcome(NO_PLACE, {"what": what})


def _mistake(undone: BulkRun) -> Mistake:
    """Return what of each registration a run decided: only that is taken back, nothing that happened since."""
    assert undone.finished_at is not None, "a run is taken back when it is over"
    status = Step(undone.step).target or Status.APPROVED
    return Mistake(undone.by, undone.created_at - CLOCKS_APART, undone.finished_at, status)

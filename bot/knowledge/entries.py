"""The entries' table: reading, seeding and editing, with a revision kept for every version."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.knowledge.errors import EntryChanged, NoSuchEntry
from bot.knowledge.models import Entry, EntryStatus, KnowledgeEntry, KnowledgeRevision, KnowledgeState
from bot.knowledge.rules import check_entry
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

STATE_ID = 1
SEED_AUTHOR = "seed"


class EntryTable:
    """Knowledge entries as rows. Every change raises the counter that tells all processes to index again."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def counter(self) -> int:
        """Return how many changes there have been; 0 before the first."""
        async with self._database.reading() as session:
            return await session.scalar(select(KnowledgeState.counter).where(KnowledgeState.id == STATE_ID)) or 0

    async def entries(self, *, status: EntryStatus | None = None) -> list[Entry]:
        """Return all entries, or those of one status, by code."""
        wanted = select(KnowledgeEntry).order_by(KnowledgeEntry.code)
        if status is not None:
            wanted = wanted.where(KnowledgeEntry.status == status.value)
        async with self._database.reading() as session:
            return [_entry(row) for row in await session.scalars(wanted)]

    async def get(self, code: str) -> Entry:
        """Return one entry, whatever its status; raises NoSuchEntry."""
        async with self._database.reading() as session:
            row = await session.get(KnowledgeEntry, code)
        if row is None:
            raise NoSuchEntry(entry=code)
        return _entry(row)

    async def seed(self, entries: Sequence[Entry]) -> int:
        """Add the entries whose code is not there yet and return how many; what people edited stays."""
        async with self._database.transaction() as session:
            state = await _locked_state(session)
            known = set(await session.scalars(select(KnowledgeEntry.code)))
            fresh = [entry for entry in entries if entry.code not in known]
            for entry in fresh:
                self._store(session, KnowledgeEntry(code=entry.code), entry, SEED_AUTHOR)
            state.counter += 1 if fresh else 0
        return len(fresh)

    async def save(self, edited: Entry, *, by: str) -> Entry | Problem:
        """Store what an editor made of an entry and return it with its new version.

        ``edited.version`` is the version the editor saw. Returns a Problem when what was written does not do. Raises
        NoSuchEntry, and EntryChanged when somebody else was quicker; the same text sent twice counts once.
        """
        async with self._database.transaction() as session:
            state = await _locked_state(session)
            row = await session.get(KnowledgeEntry, edited.code)
            if row is None:
                raise NoSuchEntry(entry=edited.code)
            current = _entry(row)
            saved = replace(edited, version=edited.version + 1)
            if current == saved and row.updated_by == by:
                return current
            if current.version != edited.version:
                raise EntryChanged(entry=edited.code, version=current.version)
            problem = check_entry(edited)
            if problem is not None:
                return problem
            self._store(session, row, saved, by)
            state.counter += 1
            return saved

    def _store(self, session: AsyncSession, row: KnowledgeEntry, entry: Entry, by: str) -> None:
        row.question, row.variants = entry.question, list(entry.variants)
        row.answer, row.fallback_answer, row.basis = entry.answer, entry.fallback_answer, entry.basis
        row.intents, row.service, row.next_step = list(entry.intents), entry.service, entry.next_step
        row.valid_until, row.status, row.note = entry.valid_until, entry.status.value, entry.note
        row.version, row.updated_at, row.updated_by = entry.version, self._clock.now(), by
        session.add(row)
        content = {**asdict(entry), "valid_until": entry.valid_until.isoformat() if entry.valid_until else None}
        session.add(
            KnowledgeRevision(code=entry.code, version=entry.version, content=content, at=self._clock.now(), by=by)
        )


async def _locked_state(session: AsyncSession) -> KnowledgeState:
    wanted = select(KnowledgeState).where(KnowledgeState.id == STATE_ID).with_for_update()
    wanted = wanted.execution_options(populate_existing=True)
    state = (await session.scalars(wanted)).one_or_none()
    if state is not None:
        return state
    try:
        async with session.begin_nested():
            session.add(KnowledgeState(id=STATE_ID, counter=0))
    except IntegrityError:
        pass  # Another process seeds at the same moment; the locked read below waits for it.
    return (await session.scalars(wanted)).one()


def _entry(row: KnowledgeEntry) -> Entry:
    return Entry(
        code=row.code,
        question=row.question,
        variants=tuple(row.variants),
        answer=row.answer,
        fallback_answer=row.fallback_answer,
        basis=row.basis,
        intents=tuple(row.intents),
        service=row.service,
        next_step=row.next_step,
        valid_until=row.valid_until,
        status=EntryStatus(row.status),
        note=row.note,
        version=row.version,
    )

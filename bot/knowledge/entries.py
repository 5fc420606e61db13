"""The entries' table: reading, seeding and editing, with a revision kept for every version."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.knowledge.checks import check_entry
from bot.knowledge.errors import EntryChanged, NoSuchEntry
from bot.knowledge.models import (
    Entry,
    EntryStatus,
    KnowledgeEntry,
    KnowledgeRevision,
    KnowledgeState,
    Revision,
)
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

STATE_ID = 1
SEED_AUTHOR = "seed"


class EntryTable:
    """Knowledge entries as rows. Every change raises the counter that tells all processes to index again.

    What people change is written to ``trail`` with it; ``source`` is the address that they came from.
    """

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter | None = None) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

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
        """Add entries that are not there, renew those that nobody edited, and return how many.

        What people edited stays. So a newer seed reaches a database that an older one has filled.
        """
        async with self._database.transaction() as session:
            state = await _locked_state(session)
            rows = {row.code: row for row in await session.scalars(select(KnowledgeEntry))}
            changed = 0
            for entry in entries:
                row = rows.get(entry.code)
                if row is None:
                    self._store(session, KnowledgeEntry(code=entry.code), entry, SEED_AUTHOR)
                elif row.updated_by == SEED_AUTHOR and _entry(row) != replace(entry, version=row.version):
                    self._store(session, row, replace(entry, version=row.version + 1), SEED_AUTHOR)
                else:
                    continue
                changed += 1
            state.counter += 1 if changed else 0
        return changed

    async def history(self, code: str) -> list[Revision]:
        """Return every version of an entry, the newest first; none for an entry that there is not."""
        wanted = select(KnowledgeRevision).where(KnowledgeRevision.code == code)
        async with self._database.reading() as session:
            rows = await session.scalars(wanted.order_by(KnowledgeRevision.version.desc()))
            return [Revision(row.version, row.at, row.by, _content(row.content)) for row in rows]

    async def create(self, entry: Entry, *, by: str, source: str = "") -> Entry | Problem:
        """Store a new entry, its first version, and return it; sent twice it counts once.

        Returns a Problem when what was written does not do, or when the code is another entry's.
        """
        first = replace(entry, version=1)
        problem = check_entry(first)
        if problem is not None:
            return problem
        async with self._database.transaction() as session:
            state = await _locked_state(session)
            row = await session.get(KnowledgeEntry, first.code)
            if row is not None:
                is_repeated = _entry(row) == first and row.updated_by == by
                return first if is_repeated else Problem("knowledge.code_taken", {"code": first.code})
            self._store(session, KnowledgeEntry(code=first.code), first, by)
            await self._note(session, first, "create", by, source)
            state.counter += 1
        return first

    async def free_code(self, section: str) -> str:
        """Return the next code of a section: ``K19`` after K18. ``section`` is a capital letter."""
        wanted = select(KnowledgeEntry.code).where(KnowledgeEntry.code.startswith(section, autoescape=True))
        async with self._database.reading() as session:
            numbers = [int(code[1:]) for code in await session.scalars(wanted) if code[1:].isdecimal()]
        return f"{section}{max(numbers, default=0) + 1:02}"

    async def publish(self, code: str, version: int, *, by: str, source: str = "") -> Entry | Problem:
        """Let an entry answer, as it is in ``version``; see ``save``. An entry whose last day is over does not do."""
        return await self._set_status(code, version, EntryStatus.PUBLISHED, by, source)

    async def retire(self, code: str, version: int, *, by: str, source: str = "") -> Entry | Problem:
        """Take an entry out of use; its versions are kept, and ``publish`` brings it back. See ``save``."""
        return await self._set_status(code, version, EntryStatus.RETIRED, by, source)

    async def _set_status(
        self, code: str, version: int, status: EntryStatus, by: str, source: str
    ) -> Entry | Problem:
        current = await self.get(code)
        changed = replace(current, version=version, status=status)
        # What waited to be checked has been: the note about it would be wrong from now on.
        if status is EntryStatus.PUBLISHED and current.status is EntryStatus.DRAFT:
            changed = replace(changed, note="")
        return await self.save(changed, by=by, source=source)

    async def save(self, edited: Entry, *, by: str, source: str = "") -> Entry | Problem:
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
            problem = check_entry(edited) or self._is_over(edited)
            if problem is not None:
                return problem
            step = "save" if current.status is saved.status else saved.status.value
            self._store(session, row, saved, by)
            await self._note(session, saved, step, by, source)
            state.counter += 1
            return saved

    async def _note(self, session: AsyncSession, entry: Entry, step: str, by: str, source: str) -> None:
        if self._trail is not None:
            action, version = f"knowledge:entry:{step}", f"version {entry.version}"
            await self._trail.append(session, AuditRecord(by, action, "knowledge_entry", entry.code, version, source))

    def _is_over(self, entry: Entry) -> Problem | None:
        is_over = entry.valid_until is not None and entry.valid_until < self._clock.now().date()
        return Problem("knowledge.already_over") if is_over and entry.status is EntryStatus.PUBLISHED else None

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


def _content(content: Mapping[str, Any]) -> Entry:
    """Return an entry as a revision keeps it."""
    until = content["valid_until"]
    return Entry(
        **{
            **content,
            "variants": tuple(content["variants"]),
            "intents": tuple(content["intents"]),
            "valid_until": date.fromisoformat(until) if until else None,
            "status": EntryStatus(content["status"]),
        }
    )

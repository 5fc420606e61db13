"""Answers to questions, from entries that staff edit."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import structlog

from bot.knowledge.entries import EntryTable
from bot.knowledge.models import Answer, Close, Entry, EntryStatus, Found, Near, NotFound
from bot.knowledge.rules import (
    RECOGNISED,
    WITH_MEANING,
    WITHOUT_MEANING,
    Scored,
    Thresholds,
    clearly_best,
    may_answer,
    rank,
    worth_offering,
)
from bot.knowledge.scores import Retriever
from bot.values.clock import Clock

log = structlog.get_logger(__name__)

DEFAULT_RECHECK = timedelta(seconds=5)
"""How old the knowledge of a process may be after somebody edited an entry elsewhere."""
NOBODY_KNOWS: Final[Mapping[str, float]] = MappingProxyType({})


class KnowledgeService:
    """Finds the entry that answers a text. Keeps the entries in memory and follows edits by a counter in SQL.

    Questions are indexed in a task of its own while the old index answers; ``close`` ends it.
    """

    def __init__(
        self,
        table: EntryTable,
        clock: Clock,
        *,
        retriever: Retriever,
        recheck: timedelta = DEFAULT_RECHECK,
    ) -> None:
        self._table = table
        self._clock = clock
        self._retriever = retriever
        self._recheck = recheck
        self._entries: dict[str, Entry] = {}
        self._counter = 0
        self._checked_at: datetime | None = None
        self._refreshing = asyncio.Lock()
        self._indexing: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._is_stale = False
        self._has_index = False

    async def answer_for(self, text: str, *, chances: Mapping[str, float] = NOBODY_KNOWS) -> Answer:
        """Return the entry that answers ``text``, those to ask back with, or that none does.

        ``chances`` says how likely the message has each intent: entries of likely ones come first, others are not
        hidden. A draft or an outdated entry that fits best stays unsaid, and no other is said in its place.
        """
        await self.refresh()
        scores = await self._retriever.scores(text)
        known = {code: score for code, score in scores.by_code.items() if code in self._entries}
        intents = {code: self._entries[code].intents for code in known}
        thresholds = WITH_MEANING if scores.with_meaning else WITHOUT_MEANING
        return self._decide(rank(known, intents, chances), thresholds)

    async def nearest(self, text: str, *, limit: int = 5) -> list[Near]:
        """Return the entries that fit ``text`` best, drafts and outdated ones too, for staff to see."""
        await self.refresh(now=True)
        scores = await self._retriever.scores(text)
        known = {code: score for code, score in scores.by_code.items() if code in self._entries}
        return [Near(self._entries[one.code], one.score) for one in rank(known, {}, NOBODY_KNOWS)[:limit]]

    async def recognised_as(self, text: str) -> str | None:
        """Return the intent of the entry whose questions ``text`` is so near to that no other intent is likely."""
        await self.refresh()
        scores = await self._retriever.scores(text)
        known = {code: score for code, score in scores.by_code.items() if code in self._entries}
        best = clearly_best(rank(known, {}, NOBODY_KNOWS), RECOGNISED)
        entry = self._entries[best.code] if best is not None else None
        return entry.intents[0] if entry is not None and self._may_answer(entry) else None

    async def entry(self, code: str) -> Entry | None:
        """Return an entry that may answer today, for a choice that was offered before; None when it may not."""
        await self.refresh()
        found = self._entries.get(code)
        return found if found is not None and self._may_answer(found) else None

    async def refresh(self, *, now: bool = False) -> None:
        """Read the entries again if they changed, and have them indexed.

        Looks at most once every ``recheck``. ``now`` looks at once and waits until everything is indexed, as the
        first look does.
        """
        async with self._refreshing:
            moment = self._clock.now()
            is_fresh = self._checked_at is not None and moment - self._checked_at < self._recheck
            if now or not is_fresh or not self._entries:
                await self._read()
                self._checked_at = moment
        if self._indexing is not None and (now or not self._has_index):
            await asyncio.shield(self._indexing)

    def warm_up(self) -> None:
        """Begin to read and index the entries now, so that the first question need not wait for it."""
        if self._warming is None:
            self._warming = asyncio.create_task(self._warm_up(), name="knowledge warm-up")

    async def close(self) -> None:
        """End the indexing that may be under way."""
        tasks = [task for task in (self._warming, self._indexing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _warm_up(self) -> None:
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - The first question tries again, and its turn tells what is wrong.
            log.warning("knowledge not warmed up", error=type(error).__name__)

    async def _read(self) -> None:
        counter = await self._table.counter()
        if counter != self._counter:
            entries = [entry for entry in await self._table.entries() if entry.status is not EntryStatus.RETIRED]
            self._entries, self._counter = {entry.code: entry for entry in entries}, counter
            self._is_stale = True
        is_idle = self._indexing is None or self._indexing.done()
        if is_idle and self._entries and (self._is_stale or not self._retriever.is_complete):
            self._indexing = asyncio.create_task(self._index(), name="knowledge index")

    async def _index(self) -> None:
        while True:
            self._is_stale = False
            questions = {entry.code: (entry.question, *entry.variants) for entry in self._entries.values()}
            try:
                await self._retriever.rebuild(questions)
            except Exception as error:  # noqa: BLE001 - Whatever is wrong, the old index must go on answering.
                log.error("knowledge not indexed", error=type(error).__name__)
                return
            self._has_index = True
            if not self._is_stale:
                return

    def _decide(self, scored: Sequence[Scored], thresholds: Thresholds) -> Answer:
        clear = clearly_best(scored, thresholds)
        if clear is not None:
            entry = self._entries[clear.code]
            return Found(entry, min(1.0, clear.score)) if self._may_answer(entry) else NotFound(unchecked=entry.code)
        offered = worth_offering(scored, thresholds)
        entries = tuple(entry for item in offered if self._may_answer(entry := self._entries[item.code]))
        if entries:
            return Close(entries)
        return NotFound(unchecked=offered[0].code) if offered else NotFound()

    def _may_answer(self, entry: Entry) -> bool:
        return may_answer(entry, self._clock.now().date())

"""Answers to questions, from entries that staff edit."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.knowledge.entries import EntryTable
from bot.knowledge.models import Answer, Close, Entry, EntryStatus, Found, NotFound
from bot.knowledge.retrieval import Retriever, Scored
from bot.knowledge.rules import CLOSE_MAX, Thresholds, clearly_nearest, may_answer, worth_offering
from bot.values.clock import Clock

DEFAULT_RECHECK = timedelta(seconds=5)
"""How old the knowledge of a process may be after somebody edited an entry elsewhere."""

CANDIDATES = 2 * CLOSE_MAX


class KnowledgeService:
    """Finds the entry that answers a text. Keeps the entries in memory and follows edits by a counter in SQL."""

    def __init__(
        self,
        table: EntryTable,
        clock: Clock,
        *,
        retriever: Retriever,
        thresholds: Thresholds = Thresholds(),  # noqa: B008  frozen, so that sharing it is harmless
        recheck: timedelta = DEFAULT_RECHECK,
    ) -> None:
        self._table = table
        self._clock = clock
        self._retriever = retriever
        self._thresholds = thresholds
        self._recheck = recheck
        self._entries: dict[str, Entry] = {}
        self._counter = -1
        self._checked_at: datetime | None = None
        self._refreshing = asyncio.Lock()

    async def answer_for(self, text: str, *, intent: str | None = None) -> Answer:
        """Return the entry that answers ``text``, those to ask back with, or that none does.

        ``intent`` is what the message was understood as: its entries are looked at first, all others when none of
        them is near. A draft or an outdated entry that is nearest stays unsaid, and no other is said in its place.
        """
        await self.refresh()
        narrowed = self._among(intent)
        scored = self._nearest(text, narrowed) if narrowed else []
        if not worth_offering(scored, self._thresholds):
            scored = self._nearest(text, set(self._entries))
        return self._decide(scored)

    async def entry(self, code: str) -> Entry | None:
        """Return an entry that may answer today, for a choice that was offered before; None when it may not."""
        await self.refresh()
        found = self._entries.get(code)
        return found if found is not None and self._may_answer(found) else None

    async def refresh(self, *, now: bool = False) -> None:
        """Read and index the entries again if they changed; looks at most once every ``recheck`` unless ``now``."""
        async with self._refreshing:
            moment = self._clock.now()
            if not now and self._checked_at is not None and moment - self._checked_at < self._recheck:
                return
            counter = await self._table.counter()
            if counter != self._counter:
                entries = [entry for entry in await self._table.entries() if entry.status is not EntryStatus.RETIRED]
                questions = {entry.code: (entry.question, *entry.variants) for entry in entries}
                # Indexing takes a while, and the loop has others to serve meanwhile.
                await asyncio.to_thread(self._retriever.rebuild, questions)
                self._entries, self._counter = {entry.code: entry for entry in entries}, counter
            self._checked_at = moment

    def _among(self, intent: str | None) -> set[str]:
        return {code for code, entry in self._entries.items() if intent is not None and intent in entry.intents}

    def _nearest(self, text: str, among: set[str]) -> list[Scored]:
        return self._retriever.nearest(text, limit=CANDIDATES, among=among)

    def _decide(self, scored: Sequence[Scored]) -> Answer:
        clear = clearly_nearest(scored, self._thresholds)
        if clear is not None:
            entry = self._entries[clear.code]
            return Found(entry, clear.score) if self._may_answer(entry) else NotFound(unchecked=entry.code)
        offered = worth_offering(scored, self._thresholds)
        entries = tuple(entry for item in offered if self._may_answer(entry := self._entries[item.code]))
        if entries:
            return Close(entries)
        return NotFound(unchecked=offered[0].code) if offered else NotFound()

    def _may_answer(self, entry: Entry) -> bool:
        return may_answer(entry, self._clock.now().date())

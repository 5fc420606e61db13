"""What every follower has said and seen, in order, and who is watching."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from bot.simulator.bubbles import Bubble
from bot.simulator.models import About, Channel, Entry, EntryAdded, Said, Shown, Update

WatchQueue = asyncio.Queue[Update | None]


class Transcript:
    """The conversations of all followers. Numbers (``seq``) rise over all of them."""

    def __init__(self) -> None:
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        self._last_seq = 0
        self._queues: set[WatchQueue] = set()

    @property
    def last_seq(self) -> int:
        """The number of the newest entry, 0 before the first."""
        return self._last_seq

    def say(self, openid: str, at: datetime, kind: str, text: str, media_id: str = "") -> Said:
        """Add what the follower's side shows."""
        said = Said(self._next(), openid, at, kind, text, media_id)
        self._add(said)
        return said

    def show(self, openid: str, at: datetime, channel: Channel, bubble: Bubble, about: About) -> Shown:
        """Add what the account's side shows."""
        shown = Shown(self._next(), openid, at, channel, bubble, about)
        self._add(shown)
        return shown

    def entries(self, openid: str, after: int = 0) -> list[Entry]:
        """Return a conversation from ``after`` (a ``seq``) on, both sides."""
        return [entry for entry in self._entries.get(openid, ()) if entry.seq > after]

    def shown(self, openid: str, after: int = 0) -> list[Shown]:
        """Return what the follower saw, in order."""
        return [entry for entry in self.entries(openid, after) if isinstance(entry, Shown)]

    def newest_sent(self, count: int) -> list[Shown]:
        """Return the newest messages, over all followers, that answered no delivery."""
        every = (shown for openid in self._entries for shown in self.shown(openid)[-count:])
        sent = [shown for shown in every if shown.channel not in {Channel.PASSIVE, Channel.NOTICE}]
        return sorted(sent, key=lambda shown: shown.seq)[-count:]

    def clear(self) -> None:
        """Forget every conversation; numbers go on rising."""
        self._entries.clear()

    def publish(self, update: Update) -> None:
        """Tell the watchers."""
        for queue in self._queues:
            queue.put_nowait(update)

    @contextmanager
    def watch(self) -> Iterator[WatchQueue]:
        """Yield a queue of what happens from now on; None in it means that the platform closes."""
        queue: WatchQueue = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """Let every watcher end."""
        for queue in self._queues:
            queue.put_nowait(None)

    async def wait_for(
        self, openid: str, predicate: Callable[[Shown], bool], timeout_s: float, after: int = 0
    ) -> Shown:
        """Return the first shown message after ``after`` that fits, waiting for it; raises TimeoutError."""
        with self.watch() as queue:
            for shown in self.shown(openid, after):
                if predicate(shown):
                    return shown
            async with asyncio.timeout(timeout_s):
                while True:
                    match await queue.get():
                        case EntryAdded(Shown() as shown) if shown.openid == openid and predicate(shown):
                            return shown

    def _next(self) -> int:
        self._last_seq += 1
        return self._last_seq

    def _add(self, entry: Entry) -> None:
        self._entries[entry.openid].append(entry)
        self.publish(EntryAdded(entry))

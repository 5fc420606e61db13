"""What can go wrong with knowledge entries."""

from typing import ClassVar

from bot.values.errors import BotError


class NoSuchEntry(BotError):
    """No entry has that code."""

    code: ClassVar[str] = "knowledge.no_such_entry"


class EntryChanged(BotError):
    """Somebody else changed the entry since it was read. ``version`` is the current one."""

    code: ClassVar[str] = "knowledge.entry_changed"


class SeedInvalid(BotError):
    """The seed file has a fault. ``place`` and ``reason`` say where and why."""

    code: ClassVar[str] = "knowledge.seed_invalid"

"""What can go wrong with programmes, as codes."""

from typing import ClassVar

from bot.values.errors import BotError


class UnknownProgramme(BotError):
    """No programme has that id. Fields: ``programme_id``."""

    code: ClassVar[str] = "programme.unknown"


class UnknownRow(BotError):
    """No site, slot or post has that id. Fields: ``table``, ``id``."""

    code: ClassVar[str] = "programme.unknown_row"


class EditConflict(BotError):
    """Somebody else changed the programme since it was read. Fields: ``programme_id``, ``read``, ``stored``."""

    code: ClassVar[str] = "programme.edit_conflict"


class InvalidProgramme(BotError):
    """The rules contradict each other. Fields: ``problem`` (a code from ``rules.faults``)."""

    code: ClassVar[str] = "programme.invalid"


class SnapshotUnreadable(BotError):
    """Stored JSON does not fit the type it should hold. Fields: ``kind``."""

    code: ClassVar[str] = "programme.snapshot_unreadable"


class NotReady(BotError):
    """The programme cannot be opened yet. Fields: ``programme_id``, ``lacks`` (how many things are missing)."""

    code: ClassVar[str] = "programme.not_ready"


class UnknownVersion(BotError):
    """The programme never had that version. Fields: ``programme_id``, ``version``."""

    code: ClassVar[str] = "programme.unknown_version"

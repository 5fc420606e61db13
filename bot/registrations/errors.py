"""What can go wrong with registrations, as codes. Outcomes that people meet every day are values, not errors."""

from typing import ClassVar

from bot.values.errors import BotError


class IllegalTransition(BotError):
    """The state machine has no such move for this actor. Fields: ``source``, ``target``, ``actor``."""

    code: ClassVar[str] = "registration.illegal_transition"


class ReasonMissing(BotError):
    """Staff moved a registration without saying why. Fields: ``source``, ``target``."""

    code: ClassVar[str] = "registration.reason_missing"


class UnknownReason(BotError):
    """The reason code is not in ``reasons.yml``, or not for that move. Fields: ``reason``, ``target``."""

    code: ClassVar[str] = "registration.unknown_reason"


class UnknownRegistration(BotError):
    """No registration has that receipt. Fields: ``receipt``."""

    code: ClassVar[str] = "registration.unknown"


class AlreadyRegistered(BotError):
    """Another registration of the same person in this programme is under way. Fields: ``programme_id``."""

    code: ClassVar[str] = "registration.already_registered"


class PlaceMoved(BotError):
    """The registration changed its place while its old one was being locked; the call can be repeated at once."""

    code: ClassVar[str] = "registration.place_moved"


class BadCursor(BotError):
    """Where a list goes on cannot be read; the list begins anew from its first page."""

    code: ClassVar[str] = "registration.bad_cursor"


class UnknownMaterialFile(BotError):
    """The registration has no such file. Fields: ``receipt``, ``material``."""

    code: ClassVar[str] = "registration.unknown_material"


class ItemsMissing(BotError):
    """A registration was sent back without saying for what, or for something unknown. Fields: ``items``."""

    code: ClassVar[str] = "registration.items_missing"


class DeadlinePassed(BotError):
    """What is asked for would be due before now. Fields: ``until``."""

    code: ClassVar[str] = "registration.deadline_passed"


class TooManyAtOnce(BotError):
    """Nothing was ticked, or more than can be decided at once. Fields: ``most``, ``asked``."""

    code: ClassVar[str] = "registration.too_many_at_once"


class NotDueYet(BotError):
    """Nobody is absent or served before the day of the appointment. Fields: ``day``."""

    code: ClassVar[str] = "registration.not_due_yet"


class MovedSince(BotError):
    """What was to be taken back is not the last that happened. Fields: ``receipt``."""

    code: ClassVar[str] = "registration.moved_since"


class UnknownBulkRun(BotError):
    """There is no such run. Fields: ``run``."""

    code: ClassVar[str] = "registration.unknown_bulk_run"


class NotUndoable(BotError):
    """What the run did cannot be taken back, or was already. Fields: ``step``."""

    code: ClassVar[str] = "registration.not_undoable"


class UnknownSite(BotError):
    """There is no such site. Fields: ``site``."""

    code: ClassVar[str] = "registration.unknown_site"


class UnknownUnitList(BotError):
    """There is no such list. Fields: ``list``."""

    code: ClassVar[str] = "registration.unknown_unit_list"


class ListIsOver(BotError):
    """The list is stored, being stored, or was given up. Fields: ``state``."""

    code: ClassVar[str] = "registration.list_is_over"


class NothingToExport(BotError):
    """The filters find nothing."""

    code: ClassVar[str] = "registration.nothing_to_export"


class ExportTooLarge(BotError):
    """More than one file should hold. Fields: ``rows``, ``most``."""

    code: ClassVar[str] = "registration.export_too_large"


class UnknownPost(BotError):
    """A place was to be given in a post, and none was named."""

    code: ClassVar[str] = "registration.unknown_post"

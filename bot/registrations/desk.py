"""Everything that staff work on registrations with, put together once for the console and once for the worker."""

from dataclasses import dataclass
from pathlib import Path

from bot.registrations.answers import AnswerSheet
from bot.registrations.attendance import AttendanceDesk
from bot.registrations.bulk import BulkReview
from bot.registrations.bulk_work import BulkTask, BulkWork
from bot.registrations.dossier import DossierReader
from bot.registrations.export_columns import CellWriter, Label
from bot.registrations.exporting import ExportTask
from bot.registrations.listing import RegistrationList
from bot.registrations.places import PlaceLock
from bot.registrations.reasons import ReasonTable
from bot.registrations.records import RegistrationRecords
from bot.registrations.review import ReviewService
from bot.registrations.saved_views import SavedViews
from bot.registrations.sealing import Sealer
from bot.registrations.searching import Search
from bot.registrations.unit_lists import UnitLists
from bot.registrations.unit_reading import ListReading
from bot.registrations.unit_work import UnitListTask
from bot.staff.audit import AuditWriter
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the desk stands on. ``files`` are those that applicants handed in, ``task_files`` those of staff."""

    database: Database
    cipher: FieldCipher
    clock: Clock
    lock: PlaceLock
    audit: AuditWriter
    files: PrivateFiles
    task_files: PrivateFiles
    scratch: Path


@dataclass(frozen=True, slots=True)
class Desk:
    """The services of staff; the three last are the handlers of background tasks."""

    sheet: AnswerSheet
    reasons: ReasonTable
    list: RegistrationList
    search: Search
    views: SavedViews
    dossiers: DossierReader
    records: RegistrationRecords
    reviews: ReviewService
    bulk: BulkReview
    attendance: AttendanceDesk
    unit_lists: UnitLists
    bulk_task: BulkTask
    export_task: ExportTask
    unit_list_task: UnitListTask


def desk_on(ground: Ground, sheet: AnswerSheet, label: Label) -> Desk:
    """Return the desk; ``sheet`` knows the answers of the flows, ``label`` what codes are called in a file."""
    database, cipher, clock, audit = ground.database, ground.cipher, ground.clock, ground.audit
    sealer, reasons, search = Sealer(cipher), ReasonTable.from_file(), Search(cipher)
    listing = RegistrationList(database, clock)
    reviews = ReviewService(database, cipher, clock, ground.lock, audit=audit, reasons=reasons)
    reading = ListReading(sealer, clock, sheet)
    return Desk(
        sheet=sheet,
        reasons=reasons,
        list=listing,
        search=search,
        views=SavedViews(database, clock),
        dossiers=DossierReader(database, cipher, clock, sheet),
        records=RegistrationRecords(database, cipher, clock, audit, ground.files),
        reviews=reviews,
        bulk=BulkReview(database, clock, audit),
        attendance=AttendanceDesk(database, cipher, audit, sheet),
        unit_lists=UnitLists(database, cipher, clock, audit=audit, files=ground.task_files, sheet=sheet),
        bulk_task=BulkTask(BulkWork(database, clock, reviews)),
        export_task=ExportTask(
            database,
            clock,
            listing=listing,
            search=search,
            writer=CellWriter(sealer, sheet, label),
            files=ground.task_files,
            audit=audit,
            scratch=ground.scratch,
        ),
        unit_list_task=UnitListTask(database, cipher, clock, ground.lock, files=ground.task_files, reading=reading),
    )

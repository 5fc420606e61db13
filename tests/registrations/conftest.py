"""The services under test, on the database of the test."""

from pathlib import Path

import pytest

from bot.programmes.service import ProgrammeService
from bot.registrations.places import RowPlaceLock
from bot.registrations.reasons import ReasonTable
from bot.registrations.records import RegistrationRecords
from bot.registrations.review import ReviewService
from bot.registrations.service import RegistrationService
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def programmes(database: Database, clock: MovedClock) -> ProgrammeService:
    return ProgrammeService(database, clock)


@pytest.fixture
def registrations(database: Database, cipher: FieldCipher, clock: MovedClock) -> RegistrationService:
    return RegistrationService(database, cipher, clock, RowPlaceLock())


@pytest.fixture
def audit(database: Database, cipher: FieldCipher, clock: MovedClock) -> AuditTrail:
    return AuditTrail(database, cipher, clock)


@pytest.fixture
def review(database: Database, cipher: FieldCipher, clock: MovedClock, audit: AuditTrail) -> ReviewService:
    reasons = ReasonTable.from_file()
    return ReviewService(database, cipher, clock, RowPlaceLock(), audit=audit, reasons=reasons)


@pytest.fixture
def files(tmp_path: Path, cipher: FieldCipher) -> PrivateFiles:
    return PrivateFiles(tmp_path / "files", cipher)


@pytest.fixture
def records(
    database: Database, cipher: FieldCipher, clock: MovedClock, audit: AuditTrail, files: PrivateFiles
) -> RegistrationRecords:
    return RegistrationRecords(database, cipher, clock, audit, files)

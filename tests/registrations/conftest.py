"""The services under test, on the database of the test."""

import pytest

from bot.programmes.service import ProgrammeService
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def programmes(database: Database, clock: MovedClock) -> ProgrammeService:
    return ProgrammeService(database, clock)


@pytest.fixture
def registrations(database: Database, cipher: FieldCipher, clock: MovedClock) -> RegistrationService:
    return RegistrationService(database, cipher, clock, RowPlaceLock())

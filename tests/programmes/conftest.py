"""The services that staff use, on the database of the test."""

import pytest

from bot.programmes.editing import By, ProgrammeEditor
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.places_editing import PlaceEditor
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def trail(database: Database, cipher: FieldCipher, clock: MovedClock) -> AuditTrail:
    return AuditTrail(database, cipher, clock)


@pytest.fixture
def editor(database: Database, clock: MovedClock, trail: AuditTrail) -> ProgrammeEditor:
    return ProgrammeEditor(database, clock, trail=trail)


@pytest.fixture
def places(database: Database, clock: MovedClock, trail: AuditTrail) -> PlaceEditor:
    return PlaceEditor(database, clock, trail=trail)


@pytest.fixture
def overview(database: Database) -> ProgrammeOverview:
    return ProgrammeOverview(database)


@pytest.fixture
def by() -> By:
    return By("liu", "10.0.0.1", "按通知")

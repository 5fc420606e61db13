"""The log of turns, and what counts it, over each database."""

import pytest

from bot.reports.registered import RegistrationFigures
from bot.reports.rollups import TurnRollups
from bot.reports.service import Reports
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.turns.log import TurnLog
from bot.values.clock import MovedClock


@pytest.fixture
def log(database: Database, cipher: FieldCipher) -> TurnLog:
    return TurnLog(database, cipher)


@pytest.fixture
def rollups(database: Database, clock: MovedClock) -> TurnRollups:
    return TurnRollups(database, clock)


@pytest.fixture
def reports(database: Database) -> Reports:
    return Reports(database)


@pytest.fixture
def registrations(database: Database) -> RegistrationFigures:
    return RegistrationFigures(database)

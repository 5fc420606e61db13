"""Staff accounts and the trail over each database, with a hash that is quick on purpose."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.staff.audit import AuditTrail
from bot.staff.rules import PermissionTable
from bot.staff.service import StaffService
from bot.staff.tasks.service import TaskBook
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.staff.doing import Told, Workshop


@pytest.fixture(scope="session")
def permissions() -> PermissionTable:
    return PermissionTable.load()


@pytest.fixture
def trail(database: Database, cipher: FieldCipher, clock: MovedClock) -> AuditTrail:
    return AuditTrail(database, cipher, clock)


@pytest.fixture(scope="session")
def quick_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def staff(
    database: Database,
    clock: MovedClock,
    permissions: PermissionTable,
    trail: AuditTrail,
    quick_hasher: PasswordHasher,
) -> StaffService:
    return StaffService(database, clock, permissions=permissions, trail=trail, hasher=quick_hasher)


@pytest.fixture
def told() -> Told:
    """The queue of the tests."""
    return Told()


@pytest.fixture
def files(tmp_path: Path, cipher: FieldCipher) -> PrivateFiles:
    """Where results of tasks are kept."""
    return PrivateFiles(tmp_path / "task-files", cipher)


@pytest.fixture
def book(
    database: Database, cipher: FieldCipher, clock: MovedClock, trail: AuditTrail, told: Told, files: PrivateFiles
) -> TaskBook:
    """The book of tasks."""
    return TaskBook(database, cipher, clock, trail=trail, queue=told, files=files)


@pytest.fixture
def workshop(database: Database, cipher: FieldCipher, clock: MovedClock) -> Workshop:
    """Makes workers' runners."""
    return Workshop(database, cipher, clock)

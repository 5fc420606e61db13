"""Staff accounts and the trail over each database, with a hash that is quick on purpose."""

import pytest
from argon2 import PasswordHasher

from bot.staff.audit import AuditTrail
from bot.staff.rules import PermissionTable
from bot.staff.service import StaffService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


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

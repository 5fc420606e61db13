"""Staff accounts and the trail over each database, with a hash that is quick on purpose."""

from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.staff.audit import AuditTrail
from bot.staff.credentials import CredentialService
from bot.staff.lockout import Lockout
from bot.staff.passwords import Passwords
from bot.staff.rules import PermissionTable
from bot.staff.second_factor import SecondFactorService
from bot.staff.service import StaffService
from bot.staff.sessions import SessionService
from bot.staff.sign_in import SignInService
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
def passwords(quick_hasher: PasswordHasher) -> Passwords:
    return Passwords(quick_hasher)


@pytest.fixture
def sessions(database: Database, cipher: FieldCipher, clock: MovedClock, trail: AuditTrail) -> SessionService:
    return SessionService(
        database, cipher, clock, trail=trail, idle=timedelta(minutes=30), longest=timedelta(hours=12)
    )


@pytest.fixture
def lockout(database: Database, clock: MovedClock, trail: AuditTrail) -> Lockout:
    return Lockout(database, clock, trail)


@pytest.fixture
def second_factor(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    trail: AuditTrail,
    sessions: SessionService,
    lockout: Lockout,
) -> SecondFactorService:
    """Code generators, which auditors may not go without."""
    return SecondFactorService(
        database, cipher, clock, trail=trail, sessions=sessions, lockout=lockout, required_roles=["auditor"]
    )


@pytest.fixture
def sign_in(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    trail: AuditTrail,
    passwords: Passwords,
    lockout: Lockout,
    second_factor: SecondFactorService,
) -> SignInService:
    return SignInService(
        database,
        cipher,
        clock,
        trail=trail,
        passwords=passwords,
        lockout=lockout,
        second_factor=second_factor,
    )


@pytest.fixture
def credentials(
    database: Database,
    clock: MovedClock,
    trail: AuditTrail,
    passwords: Passwords,
    sessions: SessionService,
    lockout: Lockout,
) -> CredentialService:
    return CredentialService(database, clock, trail=trail, passwords=passwords, sessions=sessions, lockout=lockout)


@pytest.fixture
def staff(
    database: Database,
    clock: MovedClock,
    permissions: PermissionTable,
    trail: AuditTrail,
    sessions: SessionService,
    passwords: Passwords,
) -> StaffService:
    return StaffService(database, clock, permissions=permissions, trail=trail, sessions=sessions, passwords=passwords)


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

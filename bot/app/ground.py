"""What every service over SQL stands on."""

from dataclasses import dataclass

from bot.settings import Settings
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class Ground:
    """The settings, the time, the seal, the database, and the trail that writes are noted in."""

    settings: Settings
    clock: Clock
    cipher: FieldCipher
    database: Database
    audit: AuditTrail

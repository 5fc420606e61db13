"""Staff: their accounts, how they sign in, what they may do, and the trail of what they did."""

from dataclasses import dataclass
from datetime import timedelta

from bot.app.ground import Ground
from bot.settings import SettingInvalid, Settings
from bot.staff.checks import TrailChecks
from bot.staff.credentials import CredentialService
from bot.staff.lockout import Lockout
from bot.staff.passwords import Passwords
from bot.staff.rules import PermissionTable
from bot.staff.second_factor import SecondFactorService
from bot.staff.service import StaffService
from bot.staff.sessions import SessionService
from bot.staff.sign_in import SignInService
from bot.staff.trail import TrailSearch
from bot.staff.unmasking import UnmaskingService


@dataclass(frozen=True, slots=True)
class People:
    """The services of staff accounts."""

    staff: StaffService
    sign_in: SignInService
    credentials: CredentialService
    second_factor: SecondFactorService
    lockout: Lockout
    sessions: SessionService
    unmasking: UnmaskingService
    permissions: PermissionTable
    trail_search: TrailSearch
    trail_checks: TrailChecks


def build_people(ground: Ground) -> People:
    """Build them; raises SettingInvalid when the roles that need a code are none of ours."""
    database, cipher, clock, trail = ground.database, ground.cipher, ground.clock, ground.audit
    permissions = _permissions(ground.settings)
    passwords, lockout = Passwords(), Lockout(database, clock, trail)
    sessions = SessionService(
        database,
        cipher,
        clock,
        trail=trail,
        idle=timedelta(seconds=ground.settings.console.idle_s),
        longest=timedelta(seconds=ground.settings.console.session_s),
    )
    second_factor = SecondFactorService(
        database,
        cipher,
        clock,
        trail=trail,
        sessions=sessions,
        lockout=lockout,
        required_roles=ground.settings.console.code_roles,
    )
    return People(
        staff=StaffService(
            database, clock, permissions=permissions, trail=trail, sessions=sessions, passwords=passwords
        ),
        sign_in=SignInService(
            database, cipher, clock, trail=trail, passwords=passwords, lockout=lockout, second_factor=second_factor
        ),
        credentials=CredentialService(
            database, clock, trail=trail, passwords=passwords, sessions=sessions, lockout=lockout
        ),
        second_factor=second_factor,
        lockout=lockout,
        sessions=sessions,
        unmasking=UnmaskingService(database, clock, permissions=permissions, trail=trail),
        permissions=permissions,
        trail_search=TrailSearch(database),
        trail_checks=TrailChecks(database, clock, trail),
    )


def _permissions(settings: Settings) -> PermissionTable:
    permissions = PermissionTable.load()
    if unknown := settings.console.code_roles - permissions.roles.keys():
        raise SettingInvalid(name="BOT_CONSOLE_CODE_ROLES", problem=f"names unknown roles: {sorted(unknown)}")
    return permissions

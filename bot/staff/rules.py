"""The pure rules of staff accounts: who may do what, what a username and a password must be."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import yaml

from bot.staff.errors import NotPermitted, UnknownRole
from bot.staff.guessable import DISTINCT_MIN, is_guessable
from bot.staff.models import StaffView
from bot.values.problem import Problem

PERMISSIONS_FILE = Path(__file__).with_name("permissions.yml")
PASSWORD_MIN_CHARS = 10
PASSWORD_MAX_CHARS = 200
"""Long enough for any sentence; hashing something without bounds would be a gift to an attacker."""
NAME_MAX_CHARS = 64
NAME_PART_MIN_CHARS = 4
REASON_MIN_CHARS = 4
REASON_MAX_CHARS = 200

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_PERMISSION = re.compile(r"[a-z_]+:[a-z_]+:[a-z_]+")


class Reach(IntEnum):
    """How far a permission goes; the wider one wins when roles differ."""

    OWN = 1
    COUNTY = 2
    ALL = 3


@dataclass(frozen=True, slots=True)
class PermissionTable:
    """Roles with their Chinese labels, and for each ``scope:resource:action`` the reach of each role."""

    roles: Mapping[str, str]
    permissions: Mapping[str, Mapping[str, Reach]]

    @classmethod
    def load(cls, path: Path = PERMISSIONS_FILE) -> "PermissionTable":
        """Read the table; raises ValueError that names a faulty permission, role or reach."""
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        table = cls(dict(data["roles"]), {name: _reaches(name, row) for name, row in data["permissions"].items()})
        unknown = {role for row in table.permissions.values() for role in row} - set(table.roles)
        if unknown:
            raise ValueError(f"permissions name unknown roles: {sorted(unknown)}")
        return table

    def reach(self, roles: Iterable[str], permission: str) -> Reach | None:
        """Return how far these roles reach with that permission, or None; raises KeyError for an unknown one."""
        row = self.permissions[permission]
        return max((row[role] for role in roles if role in row), default=None)

    def require(self, roles: Iterable[str], permission: str) -> Reach:
        """Return the reach, or raise NotPermitted."""
        reach = self.reach(roles, permission)
        if reach is None:
            raise NotPermitted(permission=permission)
        return reach

    def holders(self, permission: str) -> tuple[str, ...]:
        """Return what the roles are called that have a permission; raises KeyError for an unknown one."""
        return tuple(self.roles[role] for role in self.roles if role in self.permissions[permission])

    def covers(
        self, account: StaffView, permission: str, *, county: str | None = None, owner: str | None = None
    ) -> bool:
        """Say whether ``permission`` reaches a record of ``county`` that is ``owner``'s, for this account."""
        match self.reach(account.roles, permission):
            case None:
                return False
            case Reach.ALL:
                return True
            case Reach.COUNTY:
                return county is not None and county == account.county
            case Reach.OWN:
                return owner is not None and owner == account.username

    def is_administrator(self, roles: Iterable[str]) -> bool:
        """Say whether ``roles`` may change every account."""
        return self.reach(roles, "staff:account:edit") is Reach.ALL

    def check_roles(self, roles: Iterable[str]) -> None:
        """Raise UnknownRole for the first role that the table does not have."""
        for role in roles:
            if role not in self.roles:
                raise UnknownRole(role=role)


def check_username(username: str) -> Problem | None:
    """Say what is wrong with a new username: it starts with a letter and has 2 to 32 of a–z, 0–9, dot, dash, _."""
    return None if _USERNAME.fullmatch(username) else Problem("staff.username_form")


def check_display_name(name: str) -> Problem | None:
    """Say what is wrong with the name that colleagues see."""
    if not name.strip():
        return Problem("staff.name_needed")
    if len(name) > NAME_MAX_CHARS:
        return Problem("staff.name_too_long", {"max_chars": NAME_MAX_CHARS, "chars": len(name)})
    return None


def check_password(password: str, username: str, display_name: str = "") -> Problem | None:
    """Say what is wrong with a new password. Length is what counts; what somebody would try first is refused."""
    if len(password) < PASSWORD_MIN_CHARS:
        return Problem("staff.password_too_short", {"min_chars": PASSWORD_MIN_CHARS})
    if len(password) > PASSWORD_MAX_CHARS:
        return Problem("staff.password_too_long", {"max_chars": PASSWORD_MAX_CHARS})
    lowered = password.lower()
    # A username of two or three letters is part of too many words; alone or with a number it is refused below.
    if (len(username) >= NAME_PART_MIN_CHARS and username in lowered) or (display_name and display_name in password):
        return Problem("staff.password_has_username")
    if len(set(lowered)) < DISTINCT_MIN:
        return Problem("staff.password_monotonous")
    if is_guessable(password, username):
        return Problem("staff.password_guessable")
    return None


def check_county(table: PermissionTable, roles: Collection[str], county: str | None) -> Problem | None:
    """Say whether an account with ``roles`` lacks the county that some of its permissions are limited to."""
    widest = (table.reach(roles, permission) for permission in table.permissions)
    return Problem("staff.county_needed") if county is None and Reach.COUNTY in widest else None


def check_reason(reason: str) -> Problem | None:
    """Say what is wrong with a reason for the trail: a few words that another person understands."""
    chars = len(reason.strip())
    if chars < REASON_MIN_CHARS:
        return Problem("staff.reason_too_short", {"min_chars": REASON_MIN_CHARS})
    if chars > REASON_MAX_CHARS:
        return Problem("staff.reason_too_long", {"max_chars": REASON_MAX_CHARS, "chars": chars})
    return None


def differences(before: StaffView, after: StaffView, roles: Mapping[str, str]) -> str:
    """Return what an edit changed, in words for the trail: ``角色 律师 → 律师、审计员;区县 520603 → ``."""
    pairs = (
        ("姓名", before.display_name, after.display_name),
        ("角色", names_of(before.roles, roles), names_of(after.roles, roles)),
        ("区县", before.county or "", after.county or ""),
    )
    return ";".join(f"{field} {was} → {now}" for field, was, now in pairs if was != now)


def names_of(codes: Iterable[str], roles: Mapping[str, str]) -> str:
    """Return what roles are called, one after the other."""
    return "、".join(roles.get(code, code) for code in codes)


def _reaches(name: str, row: Mapping[str, str]) -> dict[str, Reach]:
    if not _PERMISSION.fullmatch(name):
        raise ValueError(f"{name!r} is not of the form scope:resource:action")
    try:
        return {role: Reach[reach.upper()] for role, reach in row.items()}
    except KeyError as error:
        raise ValueError(f"{name}: unknown reach {error.args[0]!r}") from error

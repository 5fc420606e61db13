"""The permission table as data."""

from pathlib import Path

import pytest

from bot.staff.errors import NotPermitted, UnknownRole
from bot.staff.rules import PermissionTable, Reach


def test_every_permission_has_a_holder_and_every_role_a_permission(permissions: PermissionTable) -> None:
    held = {role for row in permissions.permissions.values() for role in row}
    assert held == set(permissions.roles)
    assert all(permissions.permissions.values())
    assert set(permissions.roles) == {
        "administrator",
        "programme_manager",
        "county_reviewer",
        "lawyer",
        "chat_agent",
        "campaign_operator",
        "campaign_approver",
        "auditor",
    }


@pytest.mark.parametrize(
    ("roles", "permission", "reach"),
    [
        (["county_reviewer"], "registrations:application:review", Reach.COUNTY),
        (["lawyer"], "legal:case:read", Reach.OWN),
        (["lawyer", "county_reviewer"], "legal:case:read", Reach.COUNTY),
        (["administrator", "lawyer"], "legal:case:read", Reach.ALL),
        (["chat_agent"], "legal:case:read", None),
        (["lawyer"], "registrations:application:read", None),
        (["auditor"], "registrations:application:review", None),
        (["campaign_operator"], "campaigns:campaign:approve", None),
        ([], "inbox:chat:read", None),
    ],
)
def test_how_far_roles_reach(
    permissions: PermissionTable, roles: list[str], permission: str, reach: Reach | None
) -> None:
    assert permissions.reach(roles, permission) == reach


def test_nobody_both_sends_and_approves_a_campaign(permissions: PermissionTable) -> None:
    approve, send = (permissions.permissions[f"campaigns:campaign:{action}"] for action in ("approve", "send"))
    assert set(approve).isdisjoint(send)


def test_the_auditor_changes_nothing(permissions: PermissionTable) -> None:
    held = {name for name, row in permissions.permissions.items() if "auditor" in row}
    assert {name for name in held if not name.endswith(":read")} == {"staff:trail:export"}


def test_what_is_missing_is_refused(permissions: PermissionTable) -> None:
    assert permissions.require(["lawyer"], "legal:case:advise") is Reach.OWN
    with pytest.raises(NotPermitted):
        permissions.require(["lawyer"], "staff:account:edit")
    with pytest.raises(KeyError):
        permissions.reach(["lawyer"], "legal:case:no_such_action")
    with pytest.raises(UnknownRole):
        permissions.check_roles(["lawyer", "emperor"])


@pytest.mark.parametrize(
    "line", ["legal:case: {lawyer: all}", "legal:case:read: {lawyer: everywhere}", "legal:case:read: {emperor: all}"]
)
def test_a_faulty_table_does_not_load(tmp_path: Path, line: str) -> None:
    faulty = tmp_path / "permissions.yml"
    faulty.write_text(f"roles:\n  lawyer: L\npermissions:\n  {line}\n")
    with pytest.raises(ValueError, match=r"EVERYWHERE|emperor|scope:resource:action"):
        PermissionTable.load(faulty)

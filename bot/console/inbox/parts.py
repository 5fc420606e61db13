"""What the inbox's pages are made of: the services behind them, and how far each permission reaches."""

from dataclasses import dataclass
from typing import Final

from bot.console.visit import Visit
from bot.followers.references import FollowerReferences
from bot.followers.service import FollowerService
from bot.inbox.agents import AgentDirectory
from bot.inbox.calendar_table import CalendarTable
from bot.inbox.canned import CannedReplies
from bot.inbox.desk import ChatDesk
from bot.inbox.duty import AlertDuty
from bot.inbox.filters import Scope
from bot.inbox.lists import ChatLists
from bot.inbox.office import InboxOffice
from bot.legal.service import LegalService
from bot.registrations.service import RegistrationService
from bot.turns.allowances import AllowanceLedger
from bot.values.clock import Clock

READ, ANSWER, ASSIGN, UNMASK = "inbox:chat:read", "inbox:chat:answer", "inbox:chat:assign", "inbox:chat:unmask"
ALERTS: Final = "inbox:alert:read"
FOLLOWERS: Final = "privacy:follower:read"


@dataclass(frozen=True, slots=True)
class InboxParts:
    """The services behind the inbox's pages."""

    desk: ChatDesk
    lists: ChatLists
    office: InboxOffice
    replies: CannedReplies
    agents: AgentDirectory
    calendar: CalendarTable
    ledger: AllowanceLedger
    followers: FollowerService
    registrations: RegistrationService
    cases: LegalService
    duty: AlertDuty
    references: FollowerReferences
    clock: Clock
    has_template: bool


def scope_of(visit: Visit, permission: str) -> Scope:
    """Return how far a permission reaches for the viewer; raises NotPermitted."""
    return Scope(visit.county_for(permission), visit.owner_for(permission))

"""Everything of campaigns over SQL in one hand, for pages, commands and workers."""

from dataclasses import dataclass

from bot.campaigns.automatic import AutomaticMessages
from bot.campaigns.opt_out_desk import OptOutDesk
from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.planning import Planner
from bot.campaigns.progress import CampaignLists
from bot.campaigns.publications import Publications
from bot.campaigns.reconciling import JobReports
from bot.campaigns.rules import AccountKind
from bot.campaigns.service import CampaignService
from bot.campaigns.testers import Testers
from bot.staff.audit import AuditWriter
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class CampaignDesk:
    """The services of campaigns."""

    service: CampaignService
    planner: Planner
    lists: CampaignLists
    opt_outs: OptOuts
    reports: JobReports
    automatic: AutomaticMessages
    opt_out_desk: OptOutDesk
    testers: Testers
    publications: Publications


def open_desk(
    database: Database,
    clock: Clock,
    trail: AuditWriter,
    *,
    account: AccountKind,
    testers: frozenset[str] = frozenset(),
) -> CampaignDesk:
    """Return the services; with ``testers`` campaigns reach those OpenIDs alone."""
    planner = Planner(database, clock, account=account, testers=testers)
    return CampaignDesk(
        service=CampaignService(database, clock, planner=planner, trail=trail),
        planner=planner,
        lists=CampaignLists(database, clock),
        opt_outs=OptOuts(database, clock),
        reports=JobReports(database, clock),
        automatic=AutomaticMessages(database, clock, trail=trail),
        opt_out_desk=OptOutDesk(database, clock, trail=trail),
        testers=Testers(database, clock, trail=trail),
        publications=Publications(database, clock, trail=trail),
    )

"""The staff console with the pages of every area."""

from actions.health_screening import ANSWERS as SCREENING_ANSWERS
from actions.knowledge import KnowledgeActions
from actions.work_study import ANSWERS as WORK_STUDY_ANSWERS
from bot.app.assistant import Bot
from bot.app.campaigns import (
    campaign_calls_of,
    campaign_pictures_of,
    campaign_results_of,
    platform_tags_of,
    publication_calls_of,
)
from bot.app.records import Records
from bot.app.tasks import registration_desk
from bot.campaigns.figures import CampaignComparison
from bot.console.account import AccountPages
from bot.console.campaigns.compose import CampaignCompose
from bot.console.campaigns.opt_outs import CampaignOptOutPages
from bot.console.campaigns.pages import CampaignPages
from bot.console.campaigns.parts import CampaignParts
from bot.console.campaigns.publishing import CampaignPublication
from bot.console.campaigns.results import CampaignResultPages
from bot.console.campaigns.rules import CampaignRulePages
from bot.console.campaigns.steps import CampaignSteps
from bot.console.campaigns.tags import CampaignTagPages
from bot.console.campaigns.testers import CampaignTesterPages
from bot.console.followers import FollowerPages, FollowerServices
from bot.console.inbox.alerts import AlertPages
from bot.console.inbox.canned import CannedPages
from bot.console.inbox.handovers import InboxHandovers
from bot.console.inbox.office import InboxOfficePages
from bot.console.inbox.pages import InboxPages
from bot.console.inbox.parts import InboxParts
from bot.console.inbox.screen import InboxScreen
from bot.console.inbox.steps import InboxSteps
from bot.console.knowledge import KnowledgePages
from bot.console.legal.office import LegalOffice
from bot.console.legal.pages import LegalPages
from bot.console.legal.words import CaseWords
from bot.console.live import LiveChats
from bot.console.programmes.moving import ProgrammeMoving
from bot.console.programmes.occupancy import ProgrammeOccupancy
from bot.console.programmes.pages import ProgrammePages
from bot.console.programmes.places import ProgrammePlaces
from bot.console.programmes.preview import ProgrammePreview
from bot.console.programmes.sections import ProgrammeSections
from bot.console.programmes.slots import ProgrammeSlots
from bot.console.programmes.words import facts_of
from bot.console.registrations.attendance import AttendancePages
from bot.console.registrations.bulk import RegistrationBulk
from bot.console.registrations.decisions import RegistrationDecisions
from bot.console.registrations.detail import RegistrationDetail
from bot.console.registrations.exports import RegistrationExports
from bot.console.registrations.pages import RegistrationPages
from bot.console.registrations.unit_lists import UnitListPages
from bot.console.reports import ReportPages
from bot.console.review import ReviewPages
from bot.console.routing import Area
from bot.console.server import Console, ConsoleSettings
from bot.console.staff import StaffPages
from bot.console.tasks import TaskPages
from bot.console.trail import TrailPages
from bot.followers.references import FollowerReferences
from bot.inbox.agents import AgentDirectory
from bot.inbox.asides import ChatAsides
from bot.inbox.calendar_table import CalendarTable
from bot.inbox.canned import CannedReplies
from bot.inbox.duty import AlertDuty
from bot.inbox.feed import ChangeFeed
from bot.inbox.lists import ChatLists
from bot.inbox.office import InboxOffice
from bot.inbox.search import ChatSearch
from bot.inbox.transfers import ChatTransfers
from bot.legal.evidence import EvidenceViewer
from bot.legal.replies import LegalReplies
from bot.programmes.editing import ProgrammeEditor
from bot.programmes.models import ProgrammeKind
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.places_editing import PlaceEditor
from bot.registrations.occupancy import Occupancy
from bot.registrations.reasons import ReasonTable
from bot.reports.overview import Overview
from bot.staff.names import StaffNames
from bot.turns.allowances import AllowanceLedger
from bot.turns.typing import TypingSign
from nlu.fingerprint import MODELS
from nlu.registry import Registry


def console_of(bot: Bot) -> Console:
    """Return the staff console with the pages of every area."""
    records, address = bot.records, bot.records.settings.console
    return Console(
        records.sign_in,
        records.second_factor,
        records.sessions,
        records.permissions,
        records.cipher,
        console_areas(bot),
        ConsoleSettings(
            https=address.https,
            trust_proxy=address.proxy,
            session_s=address.session_s,
            is_demo=records.settings.demo,
        ),
        names=StaffNames(records.database),
        problems={code: response.variants[0].text for code, response in bot.catalog.responses.items()},
        reasons=ReasonTable.from_file().texts(),
    )


def console_areas(bot: Bot) -> tuple[Area, ...]:
    """Return the areas of the console, in the order of its menu."""
    records = bot.records
    answers = KnowledgeActions(records.knowledge, records.programmes, records.registrations, records.clock)
    return (
        *inbox_areas(bot),
        *registration_areas(bot),
        *programme_areas(bot),
        KnowledgePages(records.entries, records.knowledge, answers, bot.renderer, records.clock),
        LegalPages(
            records.case_desk,
            records.case_queue,
            records.cases,
            records.topics,
            LegalReplies(records.inbox, records.desk),
            EvidenceViewer(records.database, records.files, records.clock, trail=records.audit),
            CaseWords(bot.catalog.slots),
        ),
        LegalOffice(records.case_desk, records.case_queue, records.case_statistics, records.staff, records.clock),
        TaskPages(records.tasks),
        ReportPages(Overview(records.database), records.tasks, records.clock),
        ReviewPages(records.reviews, records.audit, Registry(MODELS).history),
        InboxOfficePages(InboxOffice(records.database, trail=records.audit), records.clock),
        *campaign_areas(bot),
        *_people_areas(records),
    )


def inbox_areas(bot: Bot) -> tuple[Area, ...]:
    """Return the pages of chats with followers."""
    records = bot.records
    database, cipher, clock = records.database, records.cipher, records.clock
    parts = InboxParts(
        desk=records.desk,
        lists=ChatLists(database, cipher, clock),
        office=InboxOffice(database, trail=records.audit),
        replies=CannedReplies(database, clock, trail=records.audit),
        agents=AgentDirectory(database, clock, records.permissions),
        calendar=CalendarTable(database),
        ledger=AllowanceLedger(bot.link, clock),
        followers=records.followers,
        registrations=records.registrations,
        cases=records.cases,
        duty=AlertDuty(database, cipher, clock, trail=records.audit),
        references=FollowerReferences(cipher),
        clock=clock,
        has_template=bool(records.settings.wechat.status_template),
    )
    screen, asides = InboxScreen(parts), ChatAsides(database, cipher, clock, trail=records.audit)
    transfers = ChatTransfers(database, cipher, clock, trail=records.audit)
    live, search = LiveChats(ChangeFeed(database, clock)), ChatSearch(database, cipher, clock)
    return (
        InboxPages(parts, screen, live, search, asides, records.files, records.unmasking),
        InboxSteps(parts, screen, asides, records.files, TypingSign(bot.api, bot.link, clock)),
        InboxHandovers(parts, screen, transfers),
        AlertPages(parts.duty),
        CannedPages(parts.replies, parts.office),
    )


def campaign_areas(bot: Bot) -> tuple[Area, ...]:
    """Return the pages of campaigns."""
    records = bot.records
    results = campaign_results_of(records)
    parts = CampaignParts(
        desk=records.campaigns,
        calls=campaign_calls_of(bot),
        publication_calls=publication_calls_of(bot),
        results=results,
        comparison=CampaignComparison(records.database, records.campaigns.lists),
        programmes=records.programmes,
        tasks=records.tasks,
        pictures=campaign_pictures_of(records),
        tags=platform_tags_of(bot),
        finder=records.finder,
        references=FollowerReferences(records.cipher),
        clock=records.clock,
        database=records.database,
    )
    return (
        CampaignCompose(parts),
        CampaignPages(parts),
        CampaignRulePages(parts),
        CampaignOptOutPages(parts),
        CampaignTesterPages(parts),
        CampaignTagPages(parts),
        CampaignResultPages(parts),
        CampaignSteps(parts),
        CampaignPublication(parts),
    )


def _people_areas(records: Records) -> tuple[Area, ...]:
    followers = FollowerServices(
        records.finder,
        records.followers,
        records.consents,
        records.registrations,
        records.privacy,
        records.unmasking,
        records.tasks,
    )
    return (
        StaffPages(
            records.staff,
            records.credentials,
            records.second_factor,
            records.sessions,
            records.audit,
            records.clock,
        ),
        FollowerPages(followers, records.cipher, records.clock),
        TrailPages(records.trail_search, records.trail_checks, records.tasks),
        AccountPages(records.credentials, records.second_factor, records.sessions),
    )


def registration_areas(bot: Bot) -> tuple[Area, ...]:
    """Return the pages of registrations."""
    records = bot.records
    desk = registration_desk(records, bot.catalog)
    return (
        RegistrationPages(desk, records.programmes, records.clock),
        RegistrationBulk(desk, records.programmes, records.tasks, records.clock),
        RegistrationExports(desk, records.tasks),
        UnitListPages(desk, records.programmes, records.tasks),
        RegistrationDetail(desk, records.unmasking),
        RegistrationDecisions(desk, records.clock),
        AttendancePages(desk, records.clock),
    )


def programme_areas(bot: Bot) -> tuple[Area, ...]:
    """Return the areas about programmes."""
    records = bot.records
    overview, occupancy = ProgrammeOverview(records.database), Occupancy(records.database, records.clock)
    editor = ProgrammeEditor(records.database, records.clock, trail=records.audit)
    places = PlaceEditor(records.database, records.clock, trail=records.audit)
    answers = {
        ProgrammeKind.WORK_STUDY: WORK_STUDY_ANSWERS,
        ProgrammeKind.HEALTH_SCREENING: SCREENING_ANSWERS,
        ProgrammeKind.LEGAL_CONSULTATION: (),
    }
    facts = facts_of(bot.catalog.slots, answers)
    return (
        ProgrammePages(records.programmes, overview, editor, occupancy, records.clock, facts),
        ProgrammeSections(records.programmes, editor, facts),
        ProgrammeSlots(records.programmes, overview, places, occupancy, records.clock),
        ProgrammePlaces(records.programmes, overview, places, occupancy),
        ProgrammeMoving(records.programmes, overview, records.registrations, occupancy, records.tasks),
        ProgrammeOccupancy(records.programmes, overview, occupancy, records.clock),
        ProgrammePreview(records.programmes, records.registrations, bot.renderer, records.clock, facts),
    )

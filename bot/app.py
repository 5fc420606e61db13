"""The one composition: builds every part from the settings, and closes them in the right order."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
from redis.asyncio import Redis

from actions.campaigns import CampaignActions
from actions.consents import ConsentActions
from actions.followers import FollowerActions
from actions.health_screening import ANSWERS as SCREENING_ANSWERS
from actions.health_screening import HealthScreeningActions
from actions.knowledge import KnowledgeActions
from actions.legal import LegalActions
from actions.materials import MaterialDesk, PictureSource
from actions.people import PeopleActions
from actions.programmes import ProgrammeDesk
from actions.rebooking import RebookingActions
from actions.registrations import RegistrationActions
from actions.work_study import ANSWERS as WORK_STUDY_ANSWERS
from actions.work_study import WorkStudyActions
from bot.campaigns.batches import Batches
from bot.campaigns.calls import CampaignCalls
from bot.campaigns.desk import CampaignDesk, open_desk
from bot.campaigns.export import KIND as CAMPAIGN_RESULTS
from bot.campaigns.export import CampaignExport
from bot.campaigns.pace import Pace
from bot.campaigns.personal_data import CampaignData
from bot.campaigns.reconciling import Reconciler
from bot.campaigns.results import CampaignResults
from bot.campaigns.sending import BatchSender
from bot.campaigns.stopping import Stops
from bot.console.account import AccountPages
from bot.console.attendance import AttendancePages
from bot.console.campaign_compose import CampaignCompose
from bot.console.campaign_parts import CampaignParts
from bot.console.campaign_results import CampaignResultPages
from bot.console.campaign_rules import CampaignRulePages
from bot.console.campaign_steps import CampaignSteps
from bot.console.campaigns import CampaignPages
from bot.console.canned import CannedPages
from bot.console.followers import FollowerPages, FollowerServices
from bot.console.inbox import InboxPages
from bot.console.inbox_alerts import AlertPages
from bot.console.inbox_handovers import InboxHandovers
from bot.console.inbox_office import InboxOfficePages
from bot.console.inbox_parts import InboxParts
from bot.console.inbox_screen import InboxScreen
from bot.console.inbox_steps import InboxSteps
from bot.console.knowledge import KnowledgePages
from bot.console.legal import LegalPages
from bot.console.legal_office import LegalOffice
from bot.console.live import LiveChats
from bot.console.programme_moving import ProgrammeMoving
from bot.console.programme_occupancy import ProgrammeOccupancy
from bot.console.programme_places import ProgrammePlaces
from bot.console.programme_preview import ProgrammePreview
from bot.console.programme_sections import ProgrammeSections
from bot.console.programme_slots import ProgrammeSlots
from bot.console.programme_words import facts_of
from bot.console.programmes import ProgrammePages
from bot.console.registration_bulk import RegistrationBulk
from bot.console.registration_decisions import RegistrationDecisions
from bot.console.registration_detail import RegistrationDetail
from bot.console.registration_exports import RegistrationExports
from bot.console.registrations import RegistrationPages
from bot.console.reports import ReportPages
from bot.console.review import ReviewPages
from bot.console.routing import Area
from bot.console.server import Console, ConsoleSettings
from bot.console.staff import StaffPages
from bot.console.tasks import TaskPages
from bot.console.texts import Texts
from bot.console.trail import TrailPages
from bot.console.unit_lists import UnitListPages
from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.engine import Engine
from bot.dialogue.events import Action, ActionTable
from bot.dialogue.loader import load_catalog
from bot.dialogue.models import EngineSettings
from bot.dialogue.outcomes import Spoken
from bot.dialogue.render import Renderer
from bot.dialogue.standard_validators import standard_validators
from bot.followers.consents import ConsentService
from bot.followers.export import EXPORT as FOLLOWER_EXPORT
from bot.followers.export import FollowerExport
from bot.followers.finding import FollowerFinder
from bot.followers.personal_data import FollowerData
from bot.followers.privacy import PersonalData, PrivacyService
from bot.followers.references import FollowerReferences
from bot.followers.service import FollowerService
from bot.inbox.agents import AgentDirectory
from bot.inbox.alerts import AlertService
from bot.inbox.asides import ChatAsides
from bot.inbox.calendar_table import CalendarTable
from bot.inbox.canned import CannedReplies
from bot.inbox.desk import ChatDesk
from bot.inbox.duty import AlertDuty
from bot.inbox.feed import ChangeFeed
from bot.inbox.lists import ChatLists
from bot.inbox.notifier import LogNotifier
from bot.inbox.office import InboxOffice
from bot.inbox.outbound import OutboundQueue
from bot.inbox.personal_data import InboxData
from bot.inbox.pictures import PictureQueue
from bot.inbox.retention import ChatRetention
from bot.inbox.running import RunningChats
from bot.inbox.search import ChatSearch
from bot.inbox.service import InboxService
from bot.inbox.transfers import ChatTransfers
from bot.knowledge.entries import EntryTable
from bot.knowledge.retrieval import HybridRetriever
from bot.knowledge.service import KnowledgeService
from bot.legal.deadline_table import DeadlineTable
from bot.legal.desk import LegalDesk
from bot.legal.personal_data import LegalData
from bot.legal.queue import LegalQueue
from bot.legal.replies import LegalReplies
from bot.legal.service import LegalService
from bot.legal.statistics import LegalStatistics
from bot.legal.topics import TopicCatalogue
from bot.programmes.editing import ProgrammeEditor
from bot.programmes.models import ProgrammeKind
from bot.programmes.overview import ProgrammeOverview
from bot.programmes.places_editing import PlaceEditor
from bot.programmes.service import ProgrammeService
from bot.registrations import bulk_work, exporting, moving_work, unit_work
from bot.registrations.answers import AnswerSheet
from bot.registrations.desk import Desk, Ground, desk_on
from bot.registrations.moving import SlotMoving
from bot.registrations.moving_work import SlotMoveTask
from bot.registrations.notices import NoticeBook
from bot.registrations.occupancy import Occupancy
from bot.registrations.personal_data import RegistrationData
from bot.registrations.places import RowPlaceLock
from bot.registrations.reasons import ReasonTable
from bot.registrations.service import RegistrationService
from bot.reports.chat_rollups import ChatRollups
from bot.reports.export import KIND as REPORTS_EXPORT
from bot.reports.export import ReportExport
from bot.reports.overview import Overview
from bot.reports.personal_data import ReportData
from bot.reports.rollups import TurnRollups
from bot.settings import SettingInvalid, Settings, load_settings
from bot.staff.audit import AuditTrail
from bot.staff.checks import TRAIL_CHECK, TrailChecks
from bot.staff.credentials import CredentialService
from bot.staff.lockout import Lockout
from bot.staff.passwords import Passwords
from bot.staff.rules import PermissionTable
from bot.staff.second_factor import SecondFactorService
from bot.staff.service import StaffService
from bot.staff.sessions import SessionService
from bot.staff.sign_in import SignInService
from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.running import TaskHandler
from bot.staff.tasks.service import NoTaskQueue, TaskBook, TaskQueue
from bot.staff.trail import TrailSearch
from bot.staff.trail_export import TRAIL_EXPORT, TrailExport
from bot.staff.unmasking import UnmaskingService
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.redis import RedisLink
from bot.storage.sql import Database
from bot.storage.task_queue import TaskStream
from bot.turns.allowances import AllowanceLedger
from bot.turns.chats import InboxChats
from bot.turns.conversation import Conversation
from bot.turns.log import TurnLog
from bot.turns.personal_data import DialogueData
from bot.turns.replies import as_outgoing
from bot.turns.service import TurnService
from bot.turns.store import Arrivals, TurnStore
from bot.turns.typing import TypingSign
from bot.understanding.client import NluClient
from bot.understanding.embedding import Embedding, HttpEmbedding
from bot.understanding.review.service import ReviewData, ReviewList
from bot.values.clock import Clock, SystemClock
from bot.wechat.client import Media, WeChatApi
from bot.wechat.codec import Codec
from bot.wechat.mass import MassApi
from bot.wechat.token import StableToken
from bot.worker.automatic import AutomaticSender
from bot.worker.campaigns import BATCH_STREAM, BATCHES_AT_A_TIME, CampaignWorker
from bot.worker.chat_pictures import ChatPictures
from bot.worker.chats import ChatAnswers
from bot.worker.log import LogMover
from bot.worker.outbox import OutboxRelay, Outcome
from bot.worker.pending import PendingSweeper
from bot.worker.registrations import RegistrationNotices
from bot.worker.review import ReviewCollector
from bot.worker.service import Job, Listener, Worker
from bot.worker.shards import ShardLeases
from bot.worker.tasks import StaffTasks
from bot.worker.upkeep import Upkeep
from nlu.fingerprint import MODELS
from nlu.registry import Registry

RATING_RESPONSE = "utter_rate_service"
HANDED_BACK_RESPONSE = "utter_handed_back"
NOT_NOW_PAUSE_S = 1.0
"""How long the outbox rests when the platform takes nothing at all."""


@dataclass(frozen=True, slots=True)
class Records:
    """The business over SQL: every service, without Redis and without the platform."""

    settings: Settings
    clock: Clock
    cipher: FieldCipher
    database: Database
    programmes: ProgrammeService
    registrations: RegistrationService
    notices: NoticeBook
    followers: FollowerService
    consents: ConsentService
    cases: LegalService
    topics: TopicCatalogue
    case_queue: LegalQueue
    case_desk: LegalDesk
    case_statistics: LegalStatistics
    inbox: InboxService
    desk: ChatDesk
    alerts: AlertService
    entries: EntryTable
    knowledge: KnowledgeService
    staff: StaffService
    sign_in: SignInService
    credentials: CredentialService
    second_factor: SecondFactorService
    lockout: Lockout
    sessions: SessionService
    unmasking: UnmaskingService
    permissions: PermissionTable
    audit: AuditTrail
    trail_search: TrailSearch
    trail_checks: TrailChecks
    turn_log: TurnLog
    reviews: ReviewList
    privacy: PrivacyService
    finder: FollowerFinder
    campaigns: CampaignDesk
    files: PrivateFiles
    task_files: PrivateFiles
    tasks: TaskBook


@dataclass(frozen=True, slots=True)
class Bot:
    """The whole assistant in one process: the records, and what answers followers."""

    records: Records
    link: RedisLink
    redis: Redis
    task_stream: TaskStream
    batch_stream: TaskStream
    api: WeChatApi
    codec: Codec
    store: TurnStore
    turns: TurnService
    actions: ActionTable
    catalog: FlowCatalog
    engine: Engine
    renderer: Renderer


def cipher_of(settings: Settings) -> FieldCipher:
    """Return the field encryption; raises SettingInvalid when ``BOT_FIELD_KEYS`` is missing or wrong."""
    if not settings.field_keys:
        raise SettingInvalid(name="BOT_FIELD_KEYS", problem="is required; `python -m bot keys` makes a new value")
    try:
        return FieldCipher.from_setting(settings.field_keys)
    except ValueError as error:
        raise SettingInvalid(name="BOT_FIELD_KEYS", problem=str(error)) from error


@asynccontextmanager
async def open_records(
    settings: Settings,
    clock: Clock | None = None,
    *,
    embedding: Embedding | None = None,
    task_queue: TaskQueue | None = None,
    beside: Sequence[PersonalData] = (),
) -> AsyncIterator[Records]:
    """Open the database and build every service over it.

    Without ``embedding`` questions are found by their words; without ``task_queue`` workers find tasks by looking.
    ``beside`` is who else keeps personal data, outside SQL.
    """
    clock = clock or SystemClock()
    cipher = cipher_of(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    try:
        records = _records(settings, clock, cipher, database, embedding, task_queue or NoTaskQueue(), beside)
        try:
            yield records
        finally:
            await records.knowledge.close()
    finally:
        await database.close()


def _records(
    settings: Settings,
    clock: Clock,
    cipher: FieldCipher,
    database: Database,
    embedding: Embedding | None,
    task_queue: TaskQueue,
    beside: Sequence[PersonalData] = (),
) -> Records:
    audit = AuditTrail(database, cipher, clock)
    permissions = PermissionTable.load()
    if unknown := settings.console.code_roles - permissions.roles.keys():
        raise SettingInvalid(name="BOT_CONSOLE_CODE_ROLES", problem=f"names unknown roles: {sorted(unknown)}")
    topics = TopicCatalogue.load()
    files = PrivateFiles(settings.data_dir / "files", cipher)
    task_files = PrivateFiles(settings.data_dir / "task-files", cipher)
    turn_log = TurnLog(database, cipher)
    followers = FollowerService(database, cipher, clock)
    consents = ConsentService(database, clock)
    sessions = SessionService(
        database,
        cipher,
        clock,
        trail=audit,
        idle=timedelta(seconds=settings.console.idle_s),
        longest=timedelta(seconds=settings.console.session_s),
    )
    passwords, lockout = Passwords(), Lockout(database, clock, audit)
    second_factor = SecondFactorService(
        database,
        cipher,
        clock,
        trail=audit,
        sessions=sessions,
        lockout=lockout,
        required_roles=settings.console.code_roles,
    )
    holders: tuple[PersonalData, ...] = (
        RegistrationData(database, cipher, clock, RowPlaceLock(), remove_file=files.delete),
        LegalData(database, cipher, clock, remove_file=files.delete),
        InboxData(database, cipher, clock, remove_file=files.delete),
        turn_log,
        ReportData(database),
        ReviewData(database, cipher),
        CampaignData(database),
        FollowerData(database, cipher, followers=followers, consents=consents),
        *beside,
    )
    search = TrailSearch(database)
    return Records(
        settings=settings,
        clock=clock,
        cipher=cipher,
        database=database,
        programmes=ProgrammeService(database, clock),
        registrations=RegistrationService(database, cipher, clock, RowPlaceLock()),
        notices=NoticeBook(database, clock),
        followers=followers,
        consents=consents,
        topics=topics,
        cases=LegalService(database, cipher, clock, topics=topics, deadline_table=DeadlineTable(database)),
        case_queue=LegalQueue(database, cipher, clock, trail=audit),
        case_desk=LegalDesk(database, cipher, clock, trail=audit),
        case_statistics=LegalStatistics(database),
        inbox=InboxService(database, cipher, clock),
        desk=ChatDesk(database, cipher, clock, trail=audit),
        alerts=AlertService(database, cipher, clock, notifier=LogNotifier()),
        entries=EntryTable(database, clock, trail=audit),
        knowledge=KnowledgeService(EntryTable(database, clock), clock, retriever=HybridRetriever(embedding)),
        staff=StaffService(
            database, clock, permissions=permissions, trail=audit, sessions=sessions, passwords=passwords
        ),
        sign_in=SignInService(
            database,
            cipher,
            clock,
            trail=audit,
            passwords=passwords,
            lockout=lockout,
            second_factor=second_factor,
        ),
        credentials=CredentialService(
            database, clock, trail=audit, passwords=passwords, sessions=sessions, lockout=lockout
        ),
        second_factor=second_factor,
        lockout=lockout,
        sessions=sessions,
        unmasking=UnmaskingService(database, clock, permissions=permissions, trail=audit),
        permissions=permissions,
        audit=audit,
        trail_search=search,
        trail_checks=TrailChecks(database, clock, audit),
        turn_log=turn_log,
        reviews=ReviewList(database, cipher, clock),
        privacy=PrivacyService(database, cipher, clock, holders=holders, trail=audit),
        finder=FollowerFinder(database, cipher),
        campaigns=open_desk(
            database,
            clock,
            audit,
            account=settings.wechat.account_type,
            testers=settings.wechat.campaign_testers,
        ),
        files=files,
        task_files=task_files,
        tasks=TaskBook(database, cipher, clock, trail=audit, queue=task_queue, files=task_files),
    )


@asynccontextmanager
async def open_bot(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Bot]:
    """Open everything that a gateway or worker process needs. Raises SettingInvalid, RedisUnavailable."""
    if not settings.wechat.app_id:
        raise SettingInvalid(name="BOT_WECHAT_APP_ID", problem="is required; `make run` works without it")
    if not settings.redis_url:
        raise SettingInvalid(name="BOT_REDIS_URL", problem="is required for a single process; `make run` starts one")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        clock = clock or SystemClock()
        embedding = HttpEmbedding(http, settings.nlu_url, clock)
        stream = TaskStream(settings.redis_url)
        stack.push_async_callback(stream.close)
        link = await stack.enter_async_context(RedisLink(settings.redis_url))
        store = TurnStore(link, cipher_of(settings), clock, state_ttl_s=settings.state_ttl_s)
        records = await stack.enter_async_context(
            open_records(settings, clock, embedding=embedding, task_queue=stream, beside=(DialogueData(store),))
        )
        redis = Redis.from_url(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        records.knowledge.warm_up()
        yield await _bot(settings, records, link, redis, stream, store, http, stack)


async def _bot(
    settings: Settings,
    records: Records,
    link: RedisLink,
    redis: Redis,
    stream: TaskStream,
    store: TurnStore,
    http: aiohttp.ClientSession,
    stack: AsyncExitStack,
) -> Bot:
    wechat = settings.wechat
    token = StableToken(redis, http, wechat.api_base, wechat.app_id, wechat.app_secret, records.clock)
    api = WeChatApi(http, token, wechat.api_base, wechat.app_id)
    catalog = load_catalog(settings.flows_dir)
    actions = action_table(records, PlatformPictures(api))
    validators = standard_validators()
    engine = Engine(catalog, validators, EngineSettings(draft_s=settings.state_ttl_s), actions=frozenset(actions))
    arrivals = Arrivals(link)
    await arrivals.start()
    stack.push_async_callback(arrivals.close)
    renderer = Renderer(catalog)
    conversation = Conversation(
        engine,
        renderer,
        actions,
        NluClient(http, settings.nlu_url, records.clock, timeout_s=settings.nlu_timeout_s),
        records.knowledge,
        InboxChats(records.inbox, RunningChats(records.database, records.clock), records.clock),
        records.followers,
        records.clock,
        nlu_budget_s=settings.nlu_timeout_s,
        job_reports=records.campaigns.reports,
    )
    turns = TurnService(store, arrivals, conversation, records.clock, link_choices=wechat.link_choices)
    codec = Codec(wechat.token, wechat.app_id, wechat.aes_keys, wechat.mode)
    batch_stream = TaskStream(settings.redis_url, name=BATCH_STREAM, at_a_time=BATCHES_AT_A_TIME)
    stack.push_async_callback(batch_stream.close)
    return Bot(
        records, link, redis, stream, batch_stream, api, codec, store, turns, actions, catalog, engine, renderer
    )


def action_table(records: Records, pictures: PictureSource) -> ActionTable:
    """Return every action by the name that flows use."""
    desk = ProgrammeDesk(records.programmes, records.clock)
    materials = MaterialDesk(records.registrations, records.files, pictures)
    registrations, followers, consents = records.registrations, records.followers, records.consents
    tables = (
        ConsentActions(records.programmes, consents).table(),
        CampaignActions(records.campaigns.opt_outs, records.campaigns.automatic, records.programmes).table(),
        WorkStudyActions(desk, registrations, consents, followers, materials, records.clock).table(),
        HealthScreeningActions(desk, registrations, followers, records.clock).table(),
        LegalActions(
            desk, records.cases, records.topics, records.alerts, records.files, pictures, records.clock
        ).table(),
        RegistrationActions(
            registrations, records.programmes, records.cases, materials, ReasonTable.from_file()
        ).table(),
        RebookingActions(registrations).table(),
        PeopleActions(records.inbox, records.alerts).table(),
        FollowerActions(followers, consents, registrations, records.cases, records.privacy).table(),
        KnowledgeActions(records.knowledge, records.programmes, registrations, records.clock).table(),
    )
    merged: dict[str, Action] = {}
    for table in tables:
        if twice := merged.keys() & table.keys():
            raise ValueError(f"two actions share a name: {sorted(twice)}")
        merged.update(table)
    return merged


def action_names() -> frozenset[str]:
    """Return the names of all actions; nothing is opened for it."""
    keys = FieldCipher.from_setting(FieldCipher.new_setting())
    records = _records(
        load_settings({}, env_file=None), SystemClock(), keys, Database("sqlite+aiosqlite://"), None, NoTaskQueue()
    )
    return frozenset(action_table(records, NoPictures()))


class NoPictures:
    """Has no pictures."""

    async def picture(self, media_id: str) -> bytes:
        """Raise LookupError for every id."""
        raise LookupError(media_id)


class PlatformPictures:
    """Pictures that the platform keeps for three days."""

    def __init__(self, api: WeChatApi) -> None:
        self._api = api

    async def picture(self, media_id: str) -> bytes:
        """Return the picture's bytes; a video's address is not one. Raises ApiCallFailed."""
        media = await self._api.download_media(media_id)
        return media.content if isinstance(media, Media) else b""


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
        problems={code: response.variants[0].text for code, response in bot.catalog.responses.items()},
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
            records.files,
        ),
        LegalOffice(records.case_desk, records.case_queue, records.case_statistics, records.staff, records.clock),
        TaskPages(records.tasks),
        ReportPages(Overview(records.database), records.tasks, records.clock),
        ReviewPages(records.reviews, records.audit, Registry(MODELS).history),
        InboxOfficePages(InboxOffice(records.database, trail=records.audit), records.clock),
        *campaign_areas(bot),
        *_people_areas(records),
    )


def campaign_areas(bot: Bot) -> tuple[Area, ...]:
    """Return the pages of campaigns."""
    records = bot.records
    results = CampaignResults(records.database, records.campaigns.lists, records.turn_log)
    parts = CampaignParts(records.campaigns, campaign_calls_of(bot), results, records.programmes, records.tasks)
    return (
        CampaignCompose(parts),
        CampaignPages(parts),
        CampaignRulePages(parts),
        CampaignResultPages(parts),
        CampaignSteps(parts),
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
        AlertPages(parts.duty, parts.agents),
        CannedPages(parts.replies, parts.office),
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


def registration_desk(records: Records, catalog: FlowCatalog) -> Desk:
    """Return what staff work on registrations with; the flows know the labels of answers."""
    ground = Ground(
        database=records.database,
        cipher=records.cipher,
        clock=records.clock,
        lock=RowPlaceLock(),
        audit=records.audit,
        files=records.files,
        task_files=records.task_files,
        scratch=records.settings.data_dir / "scratch",
    )
    return desk_on(ground, AnswerSheet(catalog.slots), Texts.load().label)


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


def task_handlers(records: Records) -> Mapping[str, TaskHandler]:
    """Return what does the long work of staff, by the kinds of tasks."""
    overview, label = Overview(records.database), Texts.load().label
    desk = registration_desk(records, load_catalog(records.settings.flows_dir))
    export = FollowerExport(
        records.database,
        records.cipher,
        records.clock,
        records.privacy,
        trail=records.audit,
        files=records.files,
        task_files=records.task_files,
    )
    trail_export = TrailExport(
        records.database, records.clock, records.trail_search, records.task_files, trail=records.audit
    )
    return {
        REPORTS_EXPORT: ReportExport(overview, records.task_files, records.clock, label),
        FOLLOWER_EXPORT: export,
        TRAIL_EXPORT: trail_export,
        TRAIL_CHECK: records.trail_checks,
        CAMPAIGN_RESULTS: CampaignExport(
            CampaignResults(records.database, records.campaigns.lists, records.turn_log),
            records.task_files,
            records.clock,
        ),
        bulk_work.KIND: desk.bulk_task,
        moving_work.KIND: SlotMoveTask(
            SlotMoving(records.database, records.clock, RowPlaceLock(), trail=records.audit)
        ),
        exporting.KIND: desk.export_task,
        unit_work.KIND: desk.unit_list_task,
    }


def task_runner_of(records: Records) -> TaskRunner:
    """Return what runs tasks in this process."""
    return TaskRunner(_task_leases(records), task_handlers(records))


def _task_leases(records: Records) -> TaskLeases:
    return TaskLeases(records.database, records.cipher, records.clock)


def worker_id() -> str:
    """Return a name for this worker process, unique for good."""
    return uuid.uuid4().hex


def with_redis(settings: Settings, url: str) -> Settings:
    """Return ``settings`` with the address of the embedded Redis."""
    return replace(settings, redis_url=url)


def worker_of(bot: Bot, name: str) -> Worker:
    """Return the worker with every background job."""
    records, redis, clock = bot.records, bot.redis, bot.records.clock
    leases = ShardLeases(redis, name, clock)
    relay = OutboxRelay(redis, bot.api, records.cipher, clock)
    mover = LogMover(redis, records.turn_log, records.cipher, ReviewCollector(records.turn_log, records.reviews))
    sweeper = PendingSweeper(redis, bot.turns, records.cipher, clock)
    outbound = OutboundQueue(records.database, records.cipher, clock)
    pictures = ChatPictures(PictureQueue(records.database, clock), outbound, records.files, bot.api, clock)
    answers = ChatAnswers(
        outbound,
        relay,
        pictures,
        clock,
        rating=as_outgoing(bot.renderer.render([Spoken(RATING_RESPONSE)])),
        handed_back=as_outgoing(bot.renderer.render([Spoken(HANDED_BACK_RESPONSE)])),
        template_id=records.settings.wechat.status_template,
    )
    notices = RegistrationNotices(
        records.notices, relay, bot.renderer, clock, template_id=records.settings.wechat.status_template
    )
    upkeep = Upkeep(
        records.registrations,
        records.cases,
        records.alerts,
        records.followers,
        records.privacy,
        records.reviews,
        records.tasks,
        records.lockout,
        records.sign_in,
        ChatRetention(records.database, clock, remove_file=records.files.delete),
        ChangeFeed(records.database, clock),
        review_days=records.settings.review_days,
        chat_days=records.settings.chat_days,
    )

    campaigns = campaign_worker_of(bot)
    automatic = AutomaticSender(records.campaigns.automatic, relay)
    staff_tasks = StaffTasks(bot.task_stream, _task_leases(records), task_runner_of(records))

    async def relayed() -> int:
        counts = await relay.relay(leases.held)
        if set(counts) == {Outcome.LATER}:
            await asyncio.sleep(NOT_NOW_PAUSE_S)
        return sum(counts.values())

    return Worker(
        leases,
        (
            Job("outbox", relayed, rest_s=0.05),
            Job("turn log", lambda: mover.move(leases.held), rest_s=0.5),
            Job("pending messages", lambda: sweeper.sweep(leases.held), rest_s=2.0),
            Job("chat answers", answers.send, rest_s=0.5),
            Job("chat pictures", pictures.fetch, rest_s=1.0),
            Job("registration notices", notices.send, rest_s=2.0),
            Job("staff tasks", staff_tasks.tell_again, rest_s=2.0),
            Job("campaigns", campaigns.start_due, rest_s=0.5),
            Job("campaign reports", campaigns.reconcile, rest_s=1.0),
            Job("automatic plans", automatic.plan, rest_s=60.0),
            Job("automatic messages", automatic.send, rest_s=2.0),
            Job("campaign sweep", campaigns.sweep, rest_s=15.0),
            Job("upkeep", upkeep.run, rest_s=60.0),
            Job("trail", records.trail_checks.check_if_due, rest_s=600.0),
            Job("turns by day", TurnRollups(records.database, clock).renew, rest_s=60.0),
            Job("chats by day", ChatRollups(records.database, clock).renew, rest_s=60.0),
        ),
        (Listener("staff tasks", staff_tasks.listen), Listener("campaign batches", campaigns.listen)),
    )


def campaign_calls_of(bot: Bot) -> CampaignCalls:
    """Return what staff do with the platform at once: previews, and taking back what was sent."""
    records = bot.records
    return CampaignCalls(
        records.database,
        records.campaigns.service,
        MassApi(bot.api.client),
        bot.api,
        trail=records.audit,
    )


def campaign_worker_of(bot: Bot) -> CampaignWorker:
    """Return what sends campaigns in this process."""
    records, mass = bot.records, MassApi(bot.api.client)
    batches = Batches(records.database, records.clock)
    stops = Stops(records.database, records.clock, records.campaigns.service)
    return CampaignWorker(
        bot.batch_stream,
        records.campaigns.service,
        batches,
        BatchSender(batches, Pace(bot.redis), stops, mass, bot.api, records.clock),
        stops,
        Reconciler(records.database, records.clock, mass),
    )

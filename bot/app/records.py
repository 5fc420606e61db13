"""The business over SQL, built from the settings."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from bot.campaigns.desk import CampaignDesk, open_desk
from bot.campaigns.personal_data import CampaignData
from bot.followers.consents import ConsentService
from bot.followers.finding import FollowerFinder
from bot.followers.personal_data import FollowerData
from bot.followers.privacy import PersonalData, PrivacyService
from bot.followers.service import FollowerService
from bot.inbox.alerts import AlertService
from bot.inbox.desk import ChatDesk
from bot.inbox.notifier import LogNotifier
from bot.inbox.personal_data import InboxData
from bot.inbox.service import InboxService
from bot.knowledge.entries import EntryTable
from bot.knowledge.scores import LateRetriever, Retriever
from bot.knowledge.service import KnowledgeService
from bot.legal.deadline_table import DeadlineTable
from bot.legal.desk import LegalDesk
from bot.legal.personal_data import LegalData
from bot.legal.queue import LegalQueue
from bot.legal.service import LegalService
from bot.legal.statistics import LegalStatistics
from bot.legal.topics import TopicCatalogue
from bot.programmes.service import ProgrammeService
from bot.registrations.notices import NoticeBook
from bot.registrations.personal_data import RegistrationData
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.reports.personal_data import ReportData
from bot.settings import SettingInvalid, Settings
from bot.staff.audit import AuditTrail
from bot.staff.checks import TrailChecks
from bot.staff.credentials import CredentialService
from bot.staff.lockout import Lockout
from bot.staff.passwords import Passwords
from bot.staff.rules import PermissionTable
from bot.staff.second_factor import SecondFactorService
from bot.staff.service import StaffService
from bot.staff.sessions import SessionService
from bot.staff.sign_in import SignInService
from bot.staff.tasks.service import NoTaskQueue, TaskBook, TaskQueue
from bot.staff.trail import TrailSearch
from bot.staff.unmasking import UnmaskingService
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import ROOMY, Database, SqliteMemory
from bot.turns.kept_answers import KeptAnswerData, KeptAnswers
from bot.turns.log import TurnLog
from bot.understanding.review.service import ReviewData, ReviewList
from bot.values.clock import Clock, SystemClock


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
    kept_answers: KeptAnswers
    reviews: ReviewList
    privacy: PrivacyService
    finder: FollowerFinder
    campaigns: CampaignDesk
    files: PrivateFiles
    task_files: PrivateFiles
    tasks: TaskBook


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
    retriever: Callable[[], Retriever] | None = None,
    task_queue: TaskQueue | None = None,
    beside: Sequence[PersonalData] = (),
    memory: SqliteMemory = ROOMY,
) -> AsyncIterator[Records]:
    """Open the database and build every service over it.

    Without ``retriever`` questions are found by their words; without ``task_queue`` workers find tasks by looking.
    ``beside`` is who else keeps personal data, outside SQL; ``memory`` as for ``Database``.
    """
    clock = clock or SystemClock()
    cipher = cipher_of(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url, memory=memory)
    try:
        records = build_records(
            settings, clock, cipher, database, retriever or by_words, task_queue or NoTaskQueue(), beside
        )
        try:
            yield records
        finally:
            await records.knowledge.close()
    finally:
        await database.close()


def by_words() -> Retriever:
    """Return what finds questions by their words and sounds."""
    # With numpy it takes 11 MB, which a process that is asked nothing does without.
    from bot.knowledge.retrieval import HybridRetriever

    return HybridRetriever()


def build_records(
    settings: Settings,
    clock: Clock,
    cipher: FieldCipher,
    database: Database,
    retriever: Callable[[], Retriever],
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
        KeptAnswerData(database, cipher),
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
        knowledge=KnowledgeService(EntryTable(database, clock), clock, retriever=LateRetriever(retriever)),
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
        kept_answers=KeptAnswers(database, cipher, clock),
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

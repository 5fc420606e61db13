"""The business over SQL, built from the settings."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.app.followers import build_followers
from bot.app.ground import Ground
from bot.app.people import build_people
from bot.campaigns.desk import CampaignDesk, open_desk
from bot.followers.consents import ConsentService
from bot.followers.finding import FollowerFinder
from bot.followers.privacy import PersonalData, PrivacyService
from bot.followers.service import FollowerService
from bot.inbox.alerts import AlertService
from bot.inbox.desk import ChatDesk
from bot.inbox.notifier import LogNotifier
from bot.inbox.service import InboxService
from bot.knowledge.entries import EntryTable
from bot.knowledge.scores import LateRetriever, Retriever
from bot.knowledge.service import KnowledgeService
from bot.legal.deadline_table import DeadlineTable
from bot.legal.desk import LegalDesk
from bot.legal.queue import LegalQueue
from bot.legal.service import LegalService
from bot.legal.statistics import LegalStatistics
from bot.legal.topics import TopicCatalogue
from bot.programmes.service import ProgrammeService
from bot.registrations.notices import NoticeBook
from bot.registrations.places import RowPlaceLock
from bot.registrations.service import RegistrationService
from bot.settings import SettingInvalid, Settings
from bot.staff.audit import AuditTrail
from bot.staff.checks import TrailChecks
from bot.staff.credentials import CredentialService
from bot.staff.lockout import Lockout
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
from bot.turns.kept_answers import KeptAnswers
from bot.turns.log import TurnLog
from bot.understanding.review.service import ReviewList
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
    """Build every service over an open database; raises SettingInvalid. The rest is as for ``open_records``."""
    audit = AuditTrail(database, cipher, clock)
    ground = Ground(settings, clock, cipher, database, audit)
    files = PrivateFiles(settings.data_dir / "files", cipher)
    task_files = PrivateFiles(settings.data_dir / "task-files", cipher)
    people = build_people(ground)
    known = build_followers(ground, files, beside)
    topics = TopicCatalogue.load()
    return Records(
        settings=settings,
        clock=clock,
        cipher=cipher,
        database=database,
        programmes=ProgrammeService(database, clock),
        registrations=RegistrationService(database, cipher, clock, RowPlaceLock()),
        notices=NoticeBook(database, clock),
        followers=known.followers,
        consents=known.consents,
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
        staff=people.staff,
        sign_in=people.sign_in,
        credentials=people.credentials,
        second_factor=people.second_factor,
        lockout=people.lockout,
        sessions=people.sessions,
        unmasking=people.unmasking,
        permissions=people.permissions,
        audit=audit,
        trail_search=people.trail_search,
        trail_checks=people.trail_checks,
        turn_log=known.turn_log,
        kept_answers=KeptAnswers(database, cipher, clock),
        reviews=ReviewList(database, cipher, clock),
        privacy=known.privacy,
        finder=known.finder,
        campaigns=_campaigns(ground),
        files=files,
        task_files=task_files,
        tasks=TaskBook(database, cipher, clock, trail=audit, queue=task_queue, files=task_files),
    )


def _campaigns(ground: Ground) -> CampaignDesk:
    wechat = ground.settings.wechat
    return open_desk(
        ground.database, ground.clock, ground.audit, account=wechat.account_type, testers=wechat.campaign_testers
    )

"""The inbox over each database, with the seeded hours: Monday to Friday, nine to five."""

from collections.abc import AsyncIterator

import pytest

from bot.inbox.alerts import AlertService
from bot.inbox.asides import ChatAsides
from bot.inbox.calendar_table import CalendarTable, read_seed
from bot.inbox.desk import ChatDesk
from bot.inbox.lists import ChatLists
from bot.inbox.notifier import RecordingNotifier
from bot.inbox.outbound import OutboundQueue
from bot.inbox.service import InboxService
from bot.inbox.transfers import ChatTransfers
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.support.databases import PostgresDatabases


@pytest.fixture
async def calendar_table(database: Database, clock: MovedClock) -> CalendarTable:
    table = CalendarTable(database)
    await table.seed(read_seed(), now=clock.now())
    return table


@pytest.fixture
def inbox(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    calendar_table: CalendarTable,  # noqa: ARG001  Its rows are what matters.
) -> InboxService:
    return InboxService(database, cipher, clock)


@pytest.fixture
def trail(database: Database, cipher: FieldCipher, clock: MovedClock) -> AuditTrail:
    return AuditTrail(database, cipher, clock)


@pytest.fixture
def desk(
    database: Database,
    cipher: FieldCipher,
    clock: MovedClock,
    trail: AuditTrail,
    calendar_table: CalendarTable,  # noqa: ARG001  Its reasons are what matters.
) -> ChatDesk:
    return ChatDesk(database, cipher, clock, trail=trail)


@pytest.fixture
def asides(database: Database, cipher: FieldCipher, clock: MovedClock, trail: AuditTrail) -> ChatAsides:
    return ChatAsides(database, cipher, clock, trail=trail)


@pytest.fixture
def transfers(database: Database, cipher: FieldCipher, clock: MovedClock, trail: AuditTrail) -> ChatTransfers:
    return ChatTransfers(database, cipher, clock, trail=trail)


@pytest.fixture
def lists(database: Database, cipher: FieldCipher, clock: MovedClock) -> ChatLists:
    return ChatLists(database, cipher, clock)


@pytest.fixture
def outbound(database: Database, cipher: FieldCipher, clock: MovedClock) -> OutboundQueue:
    return OutboundQueue(database, cipher, clock)


@pytest.fixture
def notifier() -> RecordingNotifier:
    return RecordingNotifier()


@pytest.fixture
def alerts(database: Database, cipher: FieldCipher, clock: MovedClock, notifier: RecordingNotifier) -> AlertService:
    return AlertService(database, cipher, clock, notifier=notifier)


@pytest.fixture
def postgresql_url(postgres_databases: PostgresDatabases) -> str:
    postgres_databases.empty()
    return postgres_databases.url


@pytest.fixture
async def postgresql_database(postgresql_url: str) -> AsyncIterator[Database]:
    """An empty PostgreSQL, for what SQLite cannot do: two writers at once."""
    opened = Database(postgresql_url)
    yield opened
    await opened.close()

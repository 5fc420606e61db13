"""The inbox over each database, with the seeded hours: Monday to Friday, nine to five."""

import pytest

from bot.inbox.alerts import AlertService
from bot.inbox.calendar_table import CalendarTable, read_seed
from bot.inbox.desk import ChatDesk
from bot.inbox.notifier import RecordingNotifier
from bot.inbox.outbound import OutboundQueue
from bot.inbox.service import InboxService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
async def calendar_table(database: Database) -> CalendarTable:
    table = CalendarTable(database)
    await table.seed(read_seed())
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
def desk(database: Database, cipher: FieldCipher, clock: MovedClock) -> ChatDesk:
    return ChatDesk(database, cipher, clock)


@pytest.fixture
def outbound(database: Database, cipher: FieldCipher, clock: MovedClock) -> OutboundQueue:
    return OutboundQueue(database, cipher, clock)


@pytest.fixture
def notifier() -> RecordingNotifier:
    return RecordingNotifier()


@pytest.fixture
def alerts(database: Database, cipher: FieldCipher, clock: MovedClock, notifier: RecordingNotifier) -> AlertService:
    return AlertService(database, cipher, clock, notifier=notifier)

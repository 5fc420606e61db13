"""Finding chats by number, and people's chats by what is only kept as a keyed hash."""

import pytest

from bot.inbox.desk import ChatDesk
from bot.inbox.filters import Scope
from bot.inbox.search import ChatSearch, FoundChat, FoundNothing, FoundPerson
from bot.inbox.service import InboxService
from bot.programmes.models import ProgrammeKind, ProgrammeRow
from bot.programmes.seed import seed_demo
from bot.programmes.service import ProgrammeService
from bot.registrations.models import Registration
from bot.registrations.outcomes import Particulars
from bot.registrations.sealing import Sealer
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock

SONGTAO, SINAN = "520628", "520624"
NUMBER, PHONE, RECEIPT = "522229198802299985", "13800001234", "NJ26-0615-0001"
ALL = Scope()


@pytest.fixture
def search(database: Database, cipher: FieldCipher, clock: MovedClock) -> ChatSearch:
    return ChatSearch(database, cipher, clock)


@pytest.fixture
async def chat_id(
    database: Database, cipher: FieldCipher, clock: MovedClock, inbox: InboxService, desk: ChatDesk
) -> int:
    """The newest of two chats of a registered person."""
    programmes = ProgrammeService(database, clock)
    await seed_demo(programmes, clock.now().date())
    programme = await programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    row = Registration(
        receipt=RECEIPT,
        idempotency_key="r-1",
        programme_id=programme.id,
        programme_version=1,
        kind=programme.kind.value,
        status="pending",
        openid="o-1",
        relation="self",
        findings=[],
        consents={},
        returned_items=[],
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    Sealer(cipher).write(row, Particulars("龙小芳", PHONE, NUMBER, None, None, {}))
    async with database.transaction() as session:
        assert await session.get(ProgrammeRow, programme.id) is not None
        session.add(row)
    older = (await inbox.escalate("o-1", "general", "", "k-1", county=SONGTAO)).chat_id
    await desk.close(older, "li", "solved")
    return (await inbox.escalate("o-1", "complaint", "", "k-2", county=SONGTAO)).chat_id


@pytest.mark.parametrize("written", ["{}", "#{}", "KF{:06d}", "ts{:06d}", " KF{} "])
async def test_a_chat_by_its_number(search: ChatSearch, chat_id: int, written: str) -> None:
    assert await search.find(written.format(chat_id), ALL) == FoundChat(chat_id)


@pytest.mark.parametrize("written", [PHONE, "138 0000 1234", NUMBER, RECEIPT, "nj26 0615 0001"])
async def test_a_person_by_what_they_gave(search: ChatSearch, chat_id: int, written: str) -> None:
    assert await search.find(written, ALL) == FoundPerson(chat_id)


async def test_nothing_is_found_beyond_the_scope(search: ChatSearch, chat_id: int) -> None:
    for written in (str(chat_id), PHONE, NUMBER, RECEIPT):
        assert await search.find(written, Scope(county=SINAN)) == FoundNothing(understood=True)
        assert await search.find(written, Scope(owner="lawyer")) == FoundNothing(understood=True)


@pytest.mark.parametrize("written", ["", "杨师傅", "138", "12345678901", "'; DROP TABLE chats; --"])
async def test_other_words_are_not_looked_up(search: ChatSearch, chat_id: int, written: str) -> None:
    outcome = await search.find(written, ALL)
    assert isinstance(outcome, FoundNothing)
    assert outcome.understood == (written == "138")
    assert chat_id != 138

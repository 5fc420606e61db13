"""Pictures that are fetched, chats that lose their words, followers who are in chats, and rows of before."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.inbox.asides import ChatAsides
from bot.inbox.desk import ChatDesk
from bot.inbox.filters import Scope
from bot.inbox.lists import ChatLists
from bot.inbox.models import Chat, ChatMessage, MediaState, MessageKind
from bot.inbox.personal_data import InboxData
from bot.inbox.pictures import LEASE, PictureQueue
from bot.inbox.retention import ChatRetention
from bot.inbox.running import RunningChats
from bot.inbox.service import InboxService
from bot.storage.encryption import FieldCipher
from bot.storage.files import FileMissing, PrivateFiles
from bot.storage.migrate import VERSIONS, upgrade
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.console.served import counted_queries
from tests.storage.pictures import phone_photo


@pytest.fixture
def pictures(database: Database, clock: MovedClock) -> PictureQueue:
    return PictureQueue(database, clock)


@pytest.fixture
def files(tmp_path: Path, cipher: FieldCipher) -> PrivateFiles:
    return PrivateFiles(tmp_path / "files", cipher)


@pytest.fixture
async def chat_id(inbox: InboxService) -> int:
    """A chat with a picture that is still with the platform."""
    chat_id = (await inbox.escalate("o-1", "general", "看图", "k-1")).chat_id
    await inbox.record_inbound("o-1", "m-1", kind=MessageKind.IMAGE, media_ref="media-1")
    await inbox.record_inbound("o-1", "m-2", kind=MessageKind.VOICE, media_ref="media-2")
    return chat_id


async def _state(lists: ChatLists, chat_id: int) -> list[tuple[MediaState | None, str | None]]:
    lines = (await lists.lines(chat_id)).lines
    return [(line.media_state, line.file_id) for line in lines if line.kind is MessageKind.IMAGE]


# Pictures


async def test_a_picture_is_taken_once_and_kept(pictures: PictureQueue, lists: ChatLists, chat_id: int) -> None:
    batches = await asyncio.gather(*(pictures.take() for _ in range(4)))
    [wanted] = [picture for batch in batches for picture in batch]
    assert (wanted.openid, wanted.media_ref) == ("o-1", "media-1")
    assert await pictures.kept(wanted.message_id, "f" * 32)
    assert await _state(lists, chat_id) == [(MediaState.KEPT, "f" * 32)]
    assert not await pictures.kept(wanted.message_id, "e" * 32), "a second worker's copy is not wanted"


async def test_a_dead_workers_picture_is_taken_again(
    pictures: PictureQueue, clock: MovedClock, lists: ChatLists, chat_id: int
) -> None:
    [first] = await pictures.take()
    clock.move(LEASE - timedelta(seconds=1))
    assert await pictures.take() == []
    clock.move(timedelta(seconds=1))
    assert [picture.message_id for picture in await pictures.take()] == [first.message_id]
    await pictures.postpone(first.message_id, clock.now() + timedelta(minutes=1))
    assert await pictures.take() == []
    clock.move(timedelta(minutes=1))
    [again] = await pictures.take()
    await pictures.lost(again.message_id, MediaState.GONE)
    assert await pictures.take() == []
    assert await _state(lists, chat_id) == [(MediaState.GONE, None)]


# Forgetting


async def test_words_and_pictures_go_and_the_figures_stay(
    inbox: InboxService,
    desk: ChatDesk,
    asides: ChatAsides,
    lists: ChatLists,
    database: Database,
    files: PrivateFiles,
    clock: MovedClock,
    chat_id: int,
) -> None:
    stored = await files.save(phone_photo(), owner="o-1", purpose="chat")
    await desk.answer(chat_id, "li", "", "a-1", kind=MessageKind.IMAGE, file_id=stored.id)
    await asides.note(chat_id, "li", "记一下", "n-1")
    await desk.close(chat_id, "li", "solved")
    running = (await inbox.escalate("o-2", "general", "还在办", "k-2")).chat_id
    retention = ChatRetention(database, clock, remove_file=files.delete)
    clock.move(timedelta(days=180))
    assert await retention.purge(180) == 0
    clock.move(timedelta(seconds=1))
    assert await retention.purge(180) == 1
    assert await retention.purge(180) == 0
    assert await desk.conversation(chat_id) == []
    assert await desk.summary(chat_id) == ""
    assert {line.kind for line in (await lists.lines(chat_id)).lines} == {MessageKind.STEP}
    with pytest.raises(FileMissing):
        await files.read(stored.id)
    assert await desk.summary(running) == "还在办"


async def test_erasing_takes_notes_and_pictures_too(
    desk: ChatDesk,
    asides: ChatAsides,
    database: Database,
    cipher: FieldCipher,
    files: PrivateFiles,
    clock: MovedClock,
    chat_id: int,
) -> None:
    stored = await files.save(phone_photo(), owner="o-1", purpose="chat")
    await desk.answer(chat_id, "li", "", "a-1", kind=MessageKind.IMAGE, file_id=stored.id)
    await asides.note(chat_id, "li", "他妻子在住院", "n-1")
    data = InboxData(database, cipher, clock, remove_file=files.delete)
    exported = str(await data.export("o-1"))
    assert stored.id in exported
    assert "住院" not in exported
    await data.erase("o-1")
    with pytest.raises(FileMissing):
        await files.read(stored.id)
    async with database.reading() as session:
        assert list(await session.scalars(select(ChatMessage.id))) == []
        [chat] = await session.scalars(select(Chat))
    assert (chat.close_reason, chat.summary_sealed, chat.last_message_id) == ("erased", None, None)


# Who is in a chat


async def test_one_query_a_second_answers_for_everybody(
    database: Database, clock: MovedClock, inbox: InboxService, desk: ChatDesk, chat_id: int
) -> None:
    running = RunningChats(database, clock)
    with counted_queries(database) as asked:
        found = await asyncio.gather(*(running.may_have(f"o-{number}") for number in range(20)))
    assert [number for number, is_in in enumerate(found) if is_in] == [1]
    assert len(asked) == 1
    await inbox.escalate("o-5", "general", "", "k-5")
    await desk.close(chat_id, "li", "solved")
    assert not await running.may_have("o-5"), "as of a moment ago"
    clock.move(timedelta(seconds=1))
    assert await running.may_have("o-5")
    assert not await running.may_have("o-1")


# Rows of before


ROWS_OF_BEFORE = """
INSERT INTO chat_queues (topic, label, usual_answer_minutes) VALUES ('crisis', '紧急', 5);
INSERT INTO chats (id, openid, topic, reason, status, idempotency_key, opened_at)
VALUES (1, 'o-1', 'crisis', '', 'open', 'k-1', '2026-06-15 02:00:00');
INSERT INTO chats (id, openid, topic, reason, status, idempotency_key, opened_at, closed_at)
VALUES (2, 'o-2', 'legal', '', 'closed', 'k-2', '2026-06-15 01:00:00', '2026-06-15 03:00:00');
INSERT INTO chat_messages
(id, chat_id, direction, kind, author, idempotency_key, delivery_status, created_at) VALUES
(1, 1, 'inbound', 'text', 'follower', 'm-1', 'received', '2026-06-15 02:05:00'),
(2, 1, 'outbound', 'text', 'li', 'm-2', 'sent', '2026-06-15 02:09:00'),
(3, 2, 'outbound', 'satisfaction', 'li', 'm-3', 'sent', '2026-06-15 03:00:00')
"""


async def test_chats_of_before_get_what_the_lists_go_by(
    tmp_path: Path, cipher: FieldCipher, clock: MovedClock
) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'before.db'}")
    older = tmp_path / "older steps"
    older.mkdir()
    steps = sorted(VERSIONS.glob("step_*.py"))
    this = next(number for number, path in enumerate(steps) if "chats_have_targets" in path.name)
    for path in (VERSIONS / "__init__.py", *steps[:this]):
        (older / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    await upgrade(database, versions=older)
    async with database.transaction() as session:
        for statement in filter(None, map(str.strip, ROWS_OF_BEFORE.split(";"))):
            await session.execute(text(statement))
    await upgrade(database)
    first, second = await _chat(database, 1), await _chat(database, 2)
    assert (first.lane, first.last_message_id, first.last_at - first.opened_at) == (0, 2, timedelta(minutes=9))
    assert first.heard_at is not None
    assert first.heard_at - first.opened_at == timedelta(minutes=5)
    assert (second.lane, second.rating_asked, second.heard_at) == (1, True, None)
    assert (await ChatLists(database, cipher, clock).counts(Scope(), "li")).running == 1
    await database.close()


async def _chat(database: Database, chat_id: int) -> Chat:
    async with database.reading() as session:
        return await session.get_one(Chat, chat_id)

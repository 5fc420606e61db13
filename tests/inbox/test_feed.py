"""What screens are told: everything, once, however transactions overlap, and within what each viewer may see."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.inbox.desk import ChatDesk
from bot.inbox.feed import GAP_WAIT, KEPT_FOR, Change, ChangeFeed, Position, chats_for
from bot.inbox.filters import Scope
from bot.inbox.models import InboxChange, MessageKind
from bot.inbox.outbound import OutboundQueue
from bot.inbox.pictures import PictureQueue
from bot.inbox.service import InboxService
from bot.inbox.transfers import ChatTransfers, Giver
from bot.storage.sql import Database
from bot.values.clock import MovedClock

SONGTAO, SINAN = "520628", "520624"


@pytest.fixture
def feed(database: Database, clock: MovedClock) -> ChangeFeed:
    return ChangeFeed(database, clock)


async def _told(feed: ChangeFeed, position: Position, scope: Scope = Scope()) -> set[int]:  # noqa: B008 - Frozen.
    return chats_for(await feed.since(position), scope)


async def test_each_thing_that_happens_to_a_chat_is_told(
    inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue, feed: ChangeFeed
) -> None:
    position = await feed.now()
    chat_id = (await inbox.escalate("o-1", "general", "", "k-1")).chat_id
    assert await _told(feed, position) == {chat_id}
    await inbox.record_inbound("o-1", "m-1", text="在吗")
    assert await _told(feed, position) == {chat_id}
    await desk.answer(chat_id, "li", "您好", "a-1")
    assert await _told(feed, position) == {chat_id}
    [message] = await outbound.take()
    await outbound.sent(message.id)
    assert await _told(feed, position) == {chat_id}
    await desk.close(chat_id, "li", "solved")
    assert await _told(feed, position) == {chat_id}
    assert await _told(feed, position) == set()


async def test_a_picture_that_arrives_is_told(
    inbox: InboxService, feed: ChangeFeed, database: Database, clock: MovedClock
) -> None:
    chat_id = (await inbox.escalate("o-1", "general", "", "k-1")).chat_id
    await inbox.record_inbound("o-1", "m-1", kind=MessageKind.IMAGE, media_ref="media-1")
    position, pictures = await feed.now(), PictureQueue(database, clock)
    [wanted] = await pictures.take()
    await pictures.kept(wanted.message_id, "f" * 32)
    assert await _told(feed, position) == {chat_id}


async def test_each_viewer_learns_of_what_they_may_see(inbox: InboxService, desk: ChatDesk, feed: ChangeFeed) -> None:
    position = await feed.now()
    songtao = (await inbox.escalate("o-1", "general", "", "k-1", county=SONGTAO)).chat_id
    nowhere = (await inbox.escalate("o-2", "general", "", "k-2")).chat_id
    await desk.claim(nowhere, "lawyer")
    changes = await feed.since(position)
    assert chats_for(changes, Scope()) == {songtao, nowhere}
    assert chats_for(changes, Scope(county=SONGTAO)) == {songtao}
    assert chats_for(changes, Scope(county=SINAN)) == set()
    assert chats_for(changes, Scope(owner="lawyer")) == {nowhere}


async def test_a_chat_that_moves_is_told_in_both_counties(
    inbox: InboxService, transfers: ChatTransfers, feed: ChangeFeed
) -> None:
    chat_id = (await inbox.escalate("o-1", "general", "", "k-1", county=SONGTAO)).chat_id
    position = await feed.now()
    await transfers.to_queue(chat_id, "general", SINAN, Giver("li", "t-1"))
    changes = await feed.since(position)
    assert [chats_for(changes, Scope(county=county)) for county in (SONGTAO, SINAN)] == [{chat_id}, {chat_id}]


async def test_old_rows_go_and_numbers_go_on(
    inbox: InboxService, feed: ChangeFeed, database: Database, clock: MovedClock
) -> None:
    await inbox.escalate("o-1", "general", "", "k-1")
    position = await feed.now()
    clock.move(KEPT_FOR + timedelta(seconds=1))
    assert await feed.purge() == 1
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(InboxChange)) == 0
    second = (await inbox.escalate("o-2", "general", "", "k-2")).chat_id
    assert await _told(feed, position) == {second}


# Transactions that overlap


async def _change(
    database: Database, clock: MovedClock, chat_id: int, begun: asyncio.Event, go: asyncio.Event
) -> None:
    async with database.transaction() as session:
        session.add(InboxChange(chat_id=chat_id, at=clock.now()))
        await session.flush()
        begun.set()
        await go.wait()


async def _overlap(database: Database, clock: MovedClock) -> tuple[asyncio.Task[None], asyncio.Event]:
    """Begin a change that is stored later than one that was begun after it."""
    begun, may_store, at_once = asyncio.Event(), asyncio.Event(), asyncio.Event()
    at_once.set()
    slow = asyncio.create_task(_change(database, clock, 1, begun, may_store))
    await begun.wait()
    await _change(database, clock, 2, asyncio.Event(), at_once)
    return slow, may_store


async def test_a_change_that_is_stored_late_is_told_nevertheless(
    postgresql_database: Database, clock: MovedClock
) -> None:
    feed = ChangeFeed(postgresql_database, clock)
    position = await feed.now()
    slow, may_store = await _overlap(postgresql_database, clock)
    assert await _told(feed, position) == {2}
    may_store.set()
    await slow
    assert await _told(feed, position) == {1}
    assert await _told(feed, position) == set()


async def test_the_control_that_goes_by_the_highest_number_misses_it(
    postgresql_database: Database, clock: MovedClock
) -> None:
    slow, may_store = await _overlap(postgresql_database, clock)
    async with postgresql_database.reading() as session:
        highest = await session.scalar(select(func.max(InboxChange.id)))
        may_store.set()
        await slow
        missed = await session.scalars(select(InboxChange.chat_id).where(InboxChange.id > highest))
        assert list(missed) == []


def test_a_number_that_never_comes_is_given_up_after_a_while(clock: MovedClock) -> None:
    position = Position(0)

    def change(number: int) -> Change:
        return Change(number, number, None, None, clock.now())

    assert position.take([change(1), change(3)], clock.now()) == [change(1), change(3)]
    assert position.floor == 1
    assert position.take([change(3), change(4)], clock.now()) == [change(4)]
    clock.move(GAP_WAIT)
    assert position.take([change(3), change(4)], clock.now()) == []
    assert (position.floor, position.beyond) == (4, {})

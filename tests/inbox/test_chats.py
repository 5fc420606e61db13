"""Chats between followers and staff, from both sides."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from bot.inbox.calendar_table import CalendarTable, read_seed
from bot.inbox.desk import ChatDesk, ChatIsOver, Claimed, Closed, Queued, TakenBy
from bot.inbox.errors import NoSuchChat
from bot.inbox.models import Chat, ChatMessage, ChatStatus, DeliveryStatus, MessageKind, Satisfaction
from bot.inbox.service import RATING_WITHIN, InboxService, Left, NoOpenChat, NothingToRate, Rated, Recorded
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
async def chat_id(inbox: InboxService) -> int:
    return (await inbox.escalate("o-1", "legal", "老板跑了", "k-1", reason="asked")).chat_id


async def test_handing_over_tells_position_and_time(inbox: InboxService, clock: MovedClock) -> None:
    first = await inbox.escalate("o-1", "legal", "", "k-1")
    second = await inbox.escalate("o-2", "legal", "", "k-2")
    other_queue = await inbox.escalate("o-3", "complaint", "", "k-3")
    assert (first.position, second.position, other_queue.position) == (1, 2, 3), "staff see one list of all queues"
    assert (first.within_hours, first.usual_minutes, first.hours_today) == (True, 30, "09:00–17:00")
    assert first.expected_at == clock.now() + timedelta(minutes=30)


async def test_out_of_hours_the_answer_is_expected_in_the_morning(inbox: InboxService, clock: MovedClock) -> None:
    clock.move(timedelta(hours=10))
    escalated = await inbox.escalate("o-1", "general", "", "k-1")
    assert not escalated.within_hours
    assert escalated.expected_at == clock.now() + timedelta(hours=13, minutes=10)


async def test_the_same_key_hands_over_once(inbox: InboxService, desk: ChatDesk) -> None:
    first = await inbox.escalate("o-1", "legal", "", "k-1")
    again = await inbox.escalate("o-1", "legal", "", "k-1")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.chat_id == again.chat_id
    assert len(await desk.chats()) == 1


async def test_a_late_repeat_after_the_chat_is_closed_opens_nothing(
    inbox: InboxService, desk: ChatDesk, chat_id: int
) -> None:
    await desk.close(chat_id, "li", "solved")
    again = await inbox.escalate("o-1", "legal", "", "k-1")
    assert (again.chat_id, again.is_new) == (chat_id, False)
    assert await inbox.open_chat_of("o-1") is None


async def test_a_follower_has_one_running_chat(inbox: InboxService, chat_id: int) -> None:
    again = await inbox.escalate("o-1", "complaint", "", "k-2")
    assert (again.chat_id, again.is_new) == (chat_id, False)


async def test_many_hand_overs_at_once_make_one_chat(inbox: InboxService, desk: ChatDesk) -> None:
    await asyncio.gather(*(inbox.escalate("o-1", "legal", "", f"k-{number}") for number in range(8)))
    assert len(await desk.chats()) == 1


async def test_the_database_itself_refuses_a_second_running_chat(database: Database, clock: MovedClock) -> None:
    def chat(key: str, status: ChatStatus) -> Chat:
        return Chat(openid="o-1", topic="legal", status=status.value, idempotency_key=key, opened_at=clock.now())

    async with database.transaction() as session:
        session.add_all(
            [chat("k-1", ChatStatus.CLOSED), chat("k-2", ChatStatus.CLOSED), chat("k-3", ChatStatus.OPEN)]
        )
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            session.add(chat("k-4", ChatStatus.WAITING))


async def test_the_bot_is_silent_while_a_chat_runs(inbox: InboxService, desk: ChatDesk, chat_id: int) -> None:
    waiting = await inbox.open_chat_of("o-1")
    assert waiting is not None
    assert waiting.status is ChatStatus.WAITING
    await desk.claim(chat_id, "li")
    assert await inbox.open_chat_of("o-1") is not None
    await desk.close(chat_id, "li", "solved")
    assert await inbox.open_chat_of("o-1") is None


async def test_what_the_follower_writes_is_in_the_chat_once(
    inbox: InboxService, desk: ChatDesk, chat_id: int
) -> None:
    first = await inbox.record_inbound("o-1", "m-1", text="在思南")
    repeated = await inbox.record_inbound("o-1", "m-1", text="在思南")
    await inbox.record_inbound("o-1", "m-2", kind=MessageKind.IMAGE, media_ref="chat/iou.jpg")
    assert isinstance(first, Recorded)
    assert first == repeated
    messages = await desk.conversation(chat_id)
    assert [(message.kind, message.text, message.media_ref) for message in messages] == [
        (MessageKind.TEXT, "在思南", None),
        (MessageKind.IMAGE, "", "chat/iou.jpg"),
    ]
    assert [message.id for message in await desk.conversation(chat_id, after_id=first.message_id)] == [messages[1].id]


async def test_without_a_chat_nothing_is_recorded(inbox: InboxService) -> None:
    assert await inbox.record_inbound("o-1", "m-1", text="你好") == NoOpenChat()


async def test_a_repeat_after_closing_is_still_known(inbox: InboxService, desk: ChatDesk, chat_id: int) -> None:
    first = await inbox.record_inbound("o-1", "m-1", text="在思南")
    await desk.close(chat_id, "li", "solved")
    assert await inbox.record_inbound("o-1", "m-1", text="在思南") == first


async def test_of_two_agents_at_once_one_gets_the_chat(desk: ChatDesk, chat_id: int) -> None:
    agents = [f"agent-{number}" for number in range(8)]
    outcomes = await asyncio.gather(*(desk.claim(chat_id, agent) for agent in agents))
    (claimed,) = [outcome for outcome in outcomes if isinstance(outcome, Claimed)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, TakenBy)]
    assert len(losers) == 7
    assert {loser.agent for loser in losers} == {claimed.chat.claimed_by}


async def _look_then_take(database: Database, chat_id: int, agent: str, looked: asyncio.Barrier) -> bool:
    """What claiming would be without the conditional update: look, decide, then write."""
    async with database.reading() as session:
        waits = await session.scalar(select(Chat.status).where(Chat.id == chat_id)) == ChatStatus.WAITING
    await looked.wait()
    if waits:
        async with database.transaction() as session:
            await session.execute(update(Chat).where(Chat.id == chat_id).values(status="open", claimed_by=agent))
    return waits


async def test_the_control_that_looks_first_gives_it_to_both(database: Database, chat_id: int) -> None:
    looked = asyncio.Barrier(2)
    took = await asyncio.gather(*(_look_then_take(database, chat_id, agent, looked) for agent in ("li", "yang")))
    assert took == [True, True]


async def test_claiming_again_is_the_same_claim(desk: ChatDesk, chat_id: int) -> None:
    assert isinstance(await desk.claim(chat_id, "li"), Claimed)
    assert isinstance(await desk.claim(chat_id, "li"), Claimed)
    assert await desk.claim(chat_id, "yang") == TakenBy("li")


async def test_an_answer_claims_the_chat_and_is_queued_once(desk: ChatDesk, chat_id: int) -> None:
    first = await desk.answer(chat_id, "li", "您好,看到您的情况了", "a-1")
    repeated = await desk.answer(chat_id, "li", "您好,看到您的情况了", "a-1")
    assert isinstance(first, Queued)
    assert first == repeated
    assert (first.message.openid, first.message.text) == ("o-1", "您好,看到您的情况了")
    (chat,) = await desk.chats(agent="li")
    assert chat.status is ChatStatus.OPEN
    (message,) = await desk.conversation(chat_id)
    assert message.delivery_status is DeliveryStatus.QUEUED
    assert await desk.answer(chat_id, "yang", "我来", "a-2") == TakenBy("li")


async def test_a_closed_chat_takes_no_answer(desk: ChatDesk, clock: MovedClock, chat_id: int) -> None:
    await desk.close(chat_id, "li", "solved")
    assert await desk.answer(chat_id, "li", "还有", "a-1") == ChatIsOver(clock.now())
    assert await desk.claim(chat_id, "li") == ChatIsOver(clock.now())


async def test_closing_twice_asks_for_satisfaction_once(desk: ChatDesk, chat_id: int) -> None:
    await desk.claim(chat_id, "li")
    assert await desk.close(chat_id, "yang", "solved") == TakenBy("li")
    assert isinstance(await desk.close(chat_id, "li", "solved"), Closed)
    assert isinstance(await desk.close(chat_id, "li", "solved"), Closed)
    assert [message.kind for message in await desk.conversation(chat_id)] == [MessageKind.SATISFACTION]


async def test_an_unknown_chat_is_an_error(desk: ChatDesk) -> None:
    for attempt in (desk.claim(99, "li"), desk.answer(99, "li", "x", "a-1"), desk.close(99, "li", "solved")):
        with pytest.raises(NoSuchChat):
            await attempt
    with pytest.raises(NoSuchChat):
        await desk.summary(99)


async def test_leaving_ends_the_chat_once(inbox: InboxService, desk: ChatDesk, chat_id: int) -> None:
    assert await inbox.leave("o-1", "k-9") == Left(chat_id)
    assert await inbox.leave("o-1", "k-9") == Left(chat_id)
    assert await inbox.leave("o-1", "k-10") == NoOpenChat()
    assert await desk.conversation(chat_id) == []


async def test_a_rating_is_kept_once_and_only_for_a_while(
    inbox: InboxService, desk: ChatDesk, clock: MovedClock, chat_id: int
) -> None:
    assert await inbox.rate("o-1", Satisfaction.FAIR, "r-0") == NothingToRate()
    await desk.close(chat_id, "li", "solved")
    assert await inbox.rate("o-1", Satisfaction.SATISFIED, "r-1") == Rated(chat_id)
    assert await inbox.rate("o-1", Satisfaction.SATISFIED, "r-1") == Rated(chat_id)
    assert await inbox.rate("o-1", Satisfaction.DISSATISFIED, "r-2") == NothingToRate()
    (chat,) = await desk.chats()
    assert chat.satisfaction is Satisfaction.SATISFIED
    later = await inbox.escalate("o-1", "legal", "", "k-2")
    await desk.close(later.chat_id, "li", "solved")
    clock.move(RATING_WITHIN + timedelta(seconds=1))
    assert await inbox.rate("o-1", Satisfaction.FAIR, "r-3") == NothingToRate()


async def test_lists_are_narrowed_by_topic_county_and_agent(inbox: InboxService, desk: ChatDesk) -> None:
    first = await inbox.escalate("o-1", "legal", "", "k-1", county="sinan")
    second = await inbox.escalate("o-2", "legal", "", "k-2", county="dejiang")
    third = await inbox.escalate("o-3", "complaint", "", "k-3", county="sinan")
    assert [chat.id for chat in await desk.waiting()] == [first.chat_id, second.chat_id, third.chat_id]
    assert [chat.id for chat in await desk.waiting(county="sinan")] == [first.chat_id, third.chat_id]
    assert [chat.id for chat in await desk.waiting(topic="legal", county="dejiang")] == [second.chat_id]
    assert [chat.id for chat in await desk.chats(after_id=first.chat_id, limit=1)] == [second.chat_id]
    await desk.claim(first.chat_id, "li")
    assert (await inbox.escalate("o-2", "legal", "", "k-2")).position == 1
    assert (await inbox.escalate("o-1", "legal", "", "k-1")).position == 0


async def test_the_summary_is_for_staff(desk: ChatDesk, chat_id: int) -> None:
    assert await desk.summary(chat_id) == "老板跑了"


async def test_the_database_file_holds_no_words_in_plain(
    sqlite_url: str, cipher: FieldCipher, clock: MovedClock
) -> None:
    database = Database(sqlite_url)
    await CalendarTable(database).seed(read_seed(), now=clock.now())
    trail = AuditTrail(database, cipher, clock)
    inbox, desk = InboxService(database, cipher, clock), ChatDesk(database, cipher, clock, trail=trail)
    chat = await inbox.escalate("o-1", "readable-topic", "我叫石大凤", "k-1")
    await inbox.record_inbound("o-1", "m-1", text="证号522229198802299985")
    await desk.answer(chat.chat_id, "li", "石大凤您好", "a-1")
    await database.close()
    stored = b"".join(path.read_bytes() for path in Path(sqlite_url.split("///")[1]).parent.glob("records.db*"))
    assert b"readable-topic" in stored, "the control: unsealed values are found by this search"
    assert [text for text in ("石大凤", "522229198802299985") if text.encode() in stored] == []


@pytest.mark.usefixtures("chat_id")
async def test_messages_at_once_with_one_key_are_one_row(inbox: InboxService, database: Database) -> None:
    recorded = await asyncio.gather(*(inbox.record_inbound("o-1", "m-1", text="在") for _ in range(6)))
    assert len(set(recorded)) == 1
    async with database.reading() as session:
        count = await session.scalar(select(func.count()).where(ChatMessage.idempotency_key == "m-1"))
    assert count == 1

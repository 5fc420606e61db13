"""What staff do with chats besides answering: notes, giving away, handing back, taking up again, sending again."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.inbox.asides import (
    ChatAsides,
    NoReminder,
    NotSentAgain,
    NotYours,
    Reminded,
    RemindedBefore,
    SentAgain,
)
from bot.inbox.desk import HANDED_BACK, ChatDesk, Closed, NotReopened, Queued, Reopened
from bot.inbox.errors import NoSuchMessage, NoSuchQueue, NoSuchReason
from bot.inbox.filters import Scope
from bot.inbox.lists import ChatLists
from bot.inbox.models import Chat, ChatMessage, ChatStatus, Direction, MessageKind, Satisfaction, Step
from bot.inbox.outbound import OutboundQueue
from bot.inbox.rules import REOPEN_WITHIN
from bot.inbox.service import InboxService, NothingToRate, Rated
from bot.inbox.transfers import AlreadyThere, ChatTransfers, Ended, Giver, NotYoursToGive, Transferred
from bot.staff.audit import AuditTrail
from bot.storage.sql import Database
from bot.values.clock import MovedClock

SONGTAO, SINAN = "520628", "520624"
EVERYTHING = Scope()


@pytest.fixture
async def chat_id(inbox: InboxService) -> int:
    return (await inbox.escalate("o-1", "general", "老板跑了", "k-1", reason="asked", county=SONGTAO)).chat_id


async def _steps(lists: ChatLists, chat_id: int) -> list[tuple[Step | None, str, str]]:
    lines = (await lists.lines(chat_id)).lines
    return [(line.step, line.author, line.detail) for line in lines if line.kind is MessageKind.STEP]


async def _actions(trail: AuditTrail, chat_id: int) -> list[tuple[str, str, str]]:
    events = await trail.events(object_kind="chat", object_id=str(chat_id))
    return [(one.record.actor, one.record.action, one.record.source) for one in reversed(events)]


# Notes


async def test_a_note_is_kept_once_for_staff_alone_and_is_never_sent(
    desk: ChatDesk, asides: ChatAsides, lists: ChatLists, outbound: OutboundQueue, trail: AuditTrail, chat_id: int
) -> None:
    first = await asides.note(chat_id, "li", "上次也来问过工资", "n-1", source="10.0.0.9")
    assert first == await asides.note(chat_id, "li", "上次也来问过工资", "n-1", source="10.0.0.9")
    assert await desk.conversation(chat_id) == []
    assert await outbound.take() == []
    [chat] = [await lists.get(chat_id, EVERYTHING)]
    assert [(note.text, note.author) for _, note in await lists.notes(chat, EVERYTHING)] == [
        ("上次也来问过工资", "li")
    ]
    assert await _actions(trail, chat_id) == [("li", "inbox:chat:note", "10.0.0.9")]


async def test_a_note_is_sealed(asides: ChatAsides, database: Database, chat_id: int) -> None:
    await asides.note(chat_id, "li", "他妻子在住院", "n-1")
    async with database.reading() as session:
        sealed = await session.scalar(select(ChatMessage.text_sealed).where(ChatMessage.kind == "note"))
    assert sealed
    assert "住院".encode() not in sealed


# Every step in the chat's own lines and in the trail


async def test_every_step_leaves_its_line_and_its_row_in_the_trail(
    inbox: InboxService, desk: ChatDesk, transfers: ChatTransfers, lists: ChatLists, trail: AuditTrail, chat_id: int
) -> None:
    await desk.claim(chat_id, "li", source="ip")
    await desk.answer(chat_id, "li", "您好", "a-1", source="ip")
    await transfers.to_agent(chat_id, "yang", Giver("li", "t-1", source="ip"))
    await transfers.to_queue(chat_id, "legal", SINAN, Giver("yang", "t-2", source="ip"))
    await desk.claim(chat_id, "yang", source="ip")
    await desk.close(chat_id, "yang", "solved", source="ip")
    await inbox.rate("o-1", Satisfaction.FAIR, "r-1")
    await desk.reopen(chat_id, "li", source="ip")
    await desk.hand_back(chat_id, "li", source="ip")
    assert await _steps(lists, chat_id) == [
        (Step.OPENED, "follower", "asked"),
        (Step.CLAIMED, "li", ""),
        (Step.ASSIGNED, "li", "yang"),
        (Step.MOVED, "yang", f"general>legal {SONGTAO}>{SINAN}"),
        (Step.CLAIMED, "yang", ""),
        (Step.CLOSED, "yang", "solved"),
        (Step.RATED, "follower", "2"),
        (Step.REOPENED, "li", ""),
        (Step.HANDED_BACK, "li", HANDED_BACK),
    ]
    actions = [action for _, action, source in await _actions(trail, chat_id) if source == "ip"]
    steps = ("claimed", "answer", "assigned", "moved", "claimed", "closed", "reopened", "handed_back")
    assert actions == [f"inbox:chat:{step}" for step in steps]


async def test_claiming_again_leaves_no_second_line(desk: ChatDesk, lists: ChatLists, chat_id: int) -> None:
    await desk.claim(chat_id, "li")
    await desk.claim(chat_id, "li")
    await desk.claim(chat_id, "yang")
    assert [step for step, _, _ in await _steps(lists, chat_id)] == [Step.OPENED, Step.CLAIMED]


# Giving away


async def test_a_chat_is_given_to_an_agent_with_a_note(
    desk: ChatDesk, transfers: ChatTransfers, lists: ChatLists, chat_id: int
) -> None:
    await desk.claim(chat_id, "li")
    giver = Giver("li", "t-1", note="麻烦接一下，他只会说苗语")
    given = await transfers.to_agent(chat_id, "yang", giver)
    assert isinstance(given, Transferred)
    assert (given.chat.claimed_by, given.chat.unread) == ("yang", 1)
    assert await transfers.to_agent(chat_id, "yang", giver) == given
    lines = (await lists.lines(chat_id)).lines
    assert [line.text for line in lines if line.kind is MessageKind.NOTE] == ["麻烦接一下，他只会说苗语"]
    assert (await desk.answer(chat_id, "yang", "我来办", "a-1")).__class__ is Queued


async def test_only_its_agent_or_who_disposes_gives_a_chat_away(
    desk: ChatDesk, transfers: ChatTransfers, chat_id: int
) -> None:
    await desk.claim(chat_id, "li")
    assert await transfers.to_agent(chat_id, "tian", Giver("yang", "t-1")) == NotYoursToGive("li")
    assert await transfers.to_queue(chat_id, "legal", None, Giver("yang", "t-2")) == NotYoursToGive("li")
    assert isinstance(await transfers.to_agent(chat_id, "tian", Giver("boss", "t-3", may_dispose=True)), Transferred)
    assert await transfers.to_agent(chat_id, "tian", Giver("tian", "t-4")) == AlreadyThere()


async def test_a_waiting_chat_can_be_given_to_somebody_by_anybody(
    desk: ChatDesk, transfers: ChatTransfers, chat_id: int
) -> None:
    assert isinstance(await transfers.to_agent(chat_id, "yang", Giver("li", "t-1")), Transferred)
    [chat] = await desk.chats(status=ChatStatus.OPEN)
    assert chat.claimed_by == "yang"


async def test_a_moved_chat_waits_in_the_other_queue_with_its_targets(
    desk: ChatDesk, transfers: ChatTransfers, clock: MovedClock, chat_id: int
) -> None:
    await desk.answer(chat_id, "li", "我帮您转", "a-1")
    clock.move(timedelta(hours=1))
    moved = await transfers.to_queue(chat_id, "legal", SINAN, Giver("li", "t-1"))
    assert isinstance(moved, Transferred)
    assert (moved.chat.status, moved.chat.claimed_by) == (ChatStatus.WAITING, None)
    assert (moved.chat.topic, moved.chat.county) == ("legal", SINAN)
    # Two working days from eleven on Monday; the first answer was given and stays given.
    assert moved.chat.resolution_due_at == clock.now() + timedelta(days=2)
    assert moved.chat.first_answer_due_at == moved.chat.opened_at + timedelta(minutes=30)
    assert await transfers.to_queue(chat_id, "legal", SINAN, Giver("li", "t-2")) == AlreadyThere()


async def test_moving_checks_queue_county_and_whether_the_chat_still_runs(
    desk: ChatDesk, transfers: ChatTransfers, clock: MovedClock, chat_id: int
) -> None:
    with pytest.raises(NoSuchQueue):
        await transfers.to_queue(chat_id, "weather", None, Giver("li", "t-1"))
    with pytest.raises(ValueError, match="nowhere"):
        await transfers.to_queue(chat_id, "legal", "nowhere", Giver("li", "t-1"))
    await desk.close(chat_id, "li", "solved")
    assert await transfers.to_queue(chat_id, "legal", None, Giver("li", "t-1")) == Ended(clock.now())
    assert await transfers.to_agent(chat_id, "yang", Giver("li", "t-1")) == Ended(clock.now())


async def test_of_two_who_give_one_chat_away_at_once_one_does(
    desk: ChatDesk, transfers: ChatTransfers, chat_id: int
) -> None:
    await desk.claim(chat_id, "li")
    outcomes = await asyncio.gather(
        *(transfers.to_agent(chat_id, agent, Giver("li", f"t-{agent}")) for agent in ("yang", "tian", "ran"))
    )
    given = [outcome for outcome in outcomes if isinstance(outcome, Transferred)]
    assert len(given) == 1
    refused = [outcome for outcome in outcomes if outcome not in given]
    assert refused == [NotYoursToGive(given[0].chat.claimed_by or "")] * 2


# Ending and taking up again


async def test_a_reason_has_to_be_one_of_the_table(desk: ChatDesk, chat_id: int) -> None:
    with pytest.raises(NoSuchReason):
        await desk.close(chat_id, "li", "tired")
    [chat] = await desk.chats()
    assert chat.status is ChatStatus.WAITING


async def test_some_reasons_ask_for_no_rating(desk: ChatDesk, inbox: InboxService, chat_id: int) -> None:
    await desk.close(chat_id, "li", "abuse")
    assert await desk.conversation(chat_id) == []
    assert await inbox.rate("o-1", Satisfaction.SATISFIED, "r-1") == NothingToRate()


async def test_after_a_danger_nobody_is_asked_how_satisfied_they_are(desk: ChatDesk, inbox: InboxService) -> None:
    chat_id = (await inbox.escalate("o-9", "crisis", "想不开", "k-9")).chat_id
    await desk.close(chat_id, "li", "solved")
    assert await desk.conversation(chat_id) == []
    assert await inbox.rate("o-9", Satisfaction.SATISFIED, "r-1") == NothingToRate()


async def test_handing_back_asks_for_a_rating_in_words_of_its_own(
    desk: ChatDesk, inbox: InboxService, chat_id: int
) -> None:
    assert isinstance(await desk.hand_back(chat_id, "li"), Closed)
    assert [message.kind for message in await desk.conversation(chat_id)] == [MessageKind.HANDED_BACK]
    assert await inbox.open_chat_of("o-1") is None
    assert await inbox.rate("o-1", Satisfaction.SATISFIED, "r-1") == Rated(chat_id)


async def test_a_closed_chat_is_taken_up_again_and_rated_again(
    desk: ChatDesk, inbox: InboxService, clock: MovedClock, chat_id: int
) -> None:
    await desk.close(chat_id, "li", "solved")
    await inbox.rate("o-1", Satisfaction.DISSATISFIED, "r-1")
    clock.move(timedelta(hours=2))
    reopened = await desk.reopen(chat_id, "yang")
    assert isinstance(reopened, Reopened)
    assert (reopened.chat.status, reopened.chat.claimed_by) == (ChatStatus.OPEN, "yang")
    assert (reopened.chat.closed_at, reopened.chat.reopened_count) == (None, 1)
    assert reopened.chat.resolution_due_at == clock.now() + timedelta(days=1)
    assert await desk.reopen(chat_id, "yang") == reopened
    assert await desk.reopen(chat_id, "li") == NotReopened("runs", chat_id)
    assert await inbox.open_chat_of("o-1") is not None
    await desk.close(chat_id, "yang", "solved")
    assert [message.kind.value for message in await desk.conversation(chat_id)] == ["satisfaction"] * 2
    assert await inbox.rate("o-1", Satisfaction.SATISFIED, "r-2") == Rated(chat_id)


async def test_the_rating_goes_to_the_chat_that_ended_last(
    desk: ChatDesk, inbox: InboxService, clock: MovedClock, chat_id: int
) -> None:
    await desk.close(chat_id, "li", "solved")
    clock.move(timedelta(minutes=1))
    later = (await inbox.escalate("o-1", "legal", "", "k-2")).chat_id
    await desk.close(later, "li", "solved")
    clock.move(timedelta(minutes=1))
    await desk.reopen(chat_id, "li")
    await desk.close(chat_id, "li", "solved")
    assert await inbox.rate("o-1", Satisfaction.SATISFIED, "r-1") == Rated(chat_id)


async def test_what_cannot_be_taken_up_again(
    desk: ChatDesk, inbox: InboxService, database: Database, clock: MovedClock, chat_id: int
) -> None:
    await desk.close(chat_id, "li", "solved")
    other = (await inbox.escalate("o-1", "legal", "", "k-2")).chat_id
    assert await desk.reopen(chat_id, "li") == NotReopened("another_runs", other)
    await desk.close(other, "li", "solved")
    clock.move(REOPEN_WITHIN + timedelta(seconds=1))
    assert await desk.reopen(chat_id, "li") == NotReopened("too_old")
    async with database.transaction() as session:
        (await session.get_one(Chat, chat_id)).openid = "erased:abc"
    assert await desk.reopen(chat_id, "li") == NotReopened("erased")


async def test_of_two_old_chats_of_one_follower_only_one_is_taken_up_at_once(
    desk: ChatDesk, inbox: InboxService, chat_id: int
) -> None:
    await desk.close(chat_id, "li", "solved")
    other = (await inbox.escalate("o-1", "legal", "", "k-2")).chat_id
    await desk.close(other, "li", "solved")
    outcomes = await asyncio.gather(desk.reopen(chat_id, "li"), desk.reopen(other, "yang"))
    assert len([outcome for outcome in outcomes if isinstance(outcome, Reopened)]) == 1


# Read and unread


async def test_unread_counts_until_its_agent_looks(
    inbox: InboxService, desk: ChatDesk, asides: ChatAsides, lists: ChatLists, clock: MovedClock, chat_id: int
) -> None:
    await desk.claim(chat_id, "li")
    clock.move(timedelta(minutes=3))
    for number in range(3):
        await inbox.record_inbound("o-1", f"m-{number}", text="在不在")
    chat = await lists.get(chat_id, EVERYTHING)
    assert (chat.unread, chat.heard_at) == (3, clock.now())
    assert chat.unanswered_since == chat.opened_at
    assert not await asides.seen(chat_id, "yang"), "a colleague who looks reads it for nobody"
    assert await asides.seen(chat_id, "li")
    assert not await asides.seen(chat_id, "li")
    assert (await lists.get(chat_id, EVERYTHING)).unread == 0
    await desk.answer(chat_id, "li", "在的", "a-1")
    assert (await lists.get(chat_id, EVERYTHING)).unanswered_since is None


# Sending again, and notifications


async def _failed(desk: ChatDesk, outbound: OutboundQueue, chat_id: int) -> int:
    queued = await desk.answer(chat_id, "li", "您好", "a-1")
    assert isinstance(queued, Queued)
    await outbound.take()
    await outbound.failed(queued.message.id, "wechat.api.blocked")
    return queued.message.id


async def test_what_failed_is_sent_again_as_a_message_of_its_own_once(
    desk: ChatDesk, asides: ChatAsides, outbound: OutboundQueue, chat_id: int
) -> None:
    failed = await _failed(desk, outbound, chat_id)
    again = await asides.resend(chat_id, failed, "li", "s-1")
    assert isinstance(again, SentAgain)
    assert await asides.resend(chat_id, failed, "li", "s-1") == again
    [message] = await outbound.take()
    assert (message.id, message.text) == (again.message_id, "您好")
    assert await asides.resend(chat_id, again.message_id, "li", "s-2") == NotSentAgain()
    assert await asides.resend(chat_id, failed, "yang", "s-3") == NotYours("li")
    with pytest.raises(NoSuchMessage):
        await asides.resend(chat_id, 999, "li", "s-4")


async def test_a_notification_goes_once_for_each_silence(
    inbox: InboxService, desk: ChatDesk, asides: ChatAsides, outbound: OutboundQueue, clock: MovedClock, chat_id: int
) -> None:
    assert await asides.remind(chat_id, "li") == NotYours(None)
    await desk.claim(chat_id, "li")
    clock.move(timedelta(minutes=1))
    assert await asides.remind(chat_id, "li") == Reminded()
    assert await asides.remind(chat_id, "li") == Reminded()
    [message] = await outbound.take()
    assert (message.kind, message.text) == (MessageKind.REMINDER, "")
    await outbound.sent(message.id)
    assert await asides.remind(chat_id, "li") == RemindedBefore(clock.now())
    clock.move(timedelta(minutes=1))
    await inbox.record_inbound("o-1", "m-1", text="来了")
    clock.move(timedelta(minutes=1))
    assert await asides.remind(chat_id, "li") == Reminded()


async def test_a_notification_that_failed_can_be_tried_again(
    desk: ChatDesk, asides: ChatAsides, outbound: OutboundQueue, chat_id: int
) -> None:
    await desk.claim(chat_id, "li")
    await asides.remind(chat_id, "li")
    [first] = await outbound.take()
    await outbound.failed(first.id, "no_template")
    assert await asides.remind(chat_id, "li") == Reminded()
    [second] = await outbound.take()
    assert second.send_key != first.send_key


async def test_about_a_danger_nothing_is_shown_on_a_locked_screen(
    inbox: InboxService, desk: ChatDesk, asides: ChatAsides, outbound: OutboundQueue
) -> None:
    chat_id = (await inbox.escalate("o-9", "crisis", "他打我", "k-9")).chat_id
    await desk.claim(chat_id, "li")
    assert await asides.remind(chat_id, "li") == NoReminder()
    assert await outbound.take() == []


# What the follower's next message does


async def test_what_waited_for_the_follower_goes_out_as_soon_as_they_write(
    inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue, clock: MovedClock, chat_id: int
) -> None:
    await desk.answer(chat_id, "li", "您好", "a-1")
    [taken] = await outbound.take()
    await outbound.postpone(taken.id, clock.now() + timedelta(hours=5), "held")
    [waiting] = await desk.conversation(chat_id)
    assert waiting.failure == "held"
    assert await outbound.take() == []
    await inbox.record_inbound("o-1", "m-1", text="在")
    assert [message.id for message in await outbound.take()] == [taken.id]


async def test_a_chat_takes_the_county_that_is_known_of_its_follower(
    inbox: InboxService, lists: ChatLists, database: Database, clock: MovedClock
) -> None:
    from bot.followers.service import FollowerService
    from bot.storage.encryption import FieldCipher

    cipher = FieldCipher.from_setting(FieldCipher.new_setting())
    await FollowerService(database, cipher, clock).describe("o-5", county=SINAN)
    chat_id = (await inbox.escalate("o-5", "general", "", "k-5")).chat_id
    assert (await lists.get(chat_id, EVERYTHING)).county == SINAN


async def test_internal_lines_never_wait_to_be_sent(
    desk: ChatDesk, asides: ChatAsides, database: Database, chat_id: int
) -> None:
    await desk.claim(chat_id, "li")
    await asides.note(chat_id, "li", "记一下", "n-1")
    async with database.reading() as session:
        kinds = await session.scalars(
            select(ChatMessage.kind).where(
                ChatMessage.direction == Direction.INTERNAL.value, ChatMessage.delivery_status != "received"
            )
        )
        assert list(kinds) == []

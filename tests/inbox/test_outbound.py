"""Answers on their way out."""

import asyncio
from datetime import timedelta

import pytest

from bot.inbox.desk import ChatDesk, Queued
from bot.inbox.errors import NoSuchMessage
from bot.inbox.models import DeliveryStatus
from bot.inbox.outbound import DEFAULT_LEASE, OutboundQueue
from bot.inbox.service import InboxService
from bot.values.clock import MovedClock


async def _chat(inbox: InboxService, openid: str) -> int:
    return (await inbox.escalate(openid, "legal", "", f"k-{openid}")).chat_id


async def _answer(desk: ChatDesk, chat_id: int, text: str) -> int:
    queued = await desk.answer(chat_id, "li", text, f"a-{text}")
    assert isinstance(queued, Queued)
    return queued.message.id


async def _status(desk: ChatDesk, chat_id: int) -> list[DeliveryStatus]:
    return [message.delivery_status for message in await desk.conversation(chat_id)]


async def test_messages_of_one_chat_go_out_in_order(
    inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue
) -> None:
    chat_id = await _chat(inbox, "o-1")
    first, second = await _answer(desk, chat_id, "first"), await _answer(desk, chat_id, "second")
    other = await _answer(desk, await _chat(inbox, "o-2"), "other")
    assert [message.id for message in await outbound.take()] == [first, other]
    assert await outbound.take() == []
    await outbound.sent(first)
    (taken,) = await outbound.take()
    assert (taken.id, taken.openid, taken.text) == (second, "o-1", "second")


async def test_no_two_workers_take_one_message(inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue) -> None:
    ids = {await _answer(desk, await _chat(inbox, f"o-{number}"), "x") for number in range(6)}
    batches = await asyncio.gather(*(outbound.take(limit=3) for _ in range(4)))
    taken = [message.id for batch in batches for message in batch]
    assert len(taken) == len(set(taken))
    assert set(taken) <= ids
    rest = [message.id for message in await outbound.take()]
    assert set(taken) | set(rest) == ids


async def test_a_dead_workers_message_is_taken_again_with_the_same_key(
    inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue, clock: MovedClock
) -> None:
    await _answer(desk, await _chat(inbox, "o-1"), "x")
    (first,) = await outbound.take()
    clock.move(DEFAULT_LEASE - timedelta(seconds=1))
    assert await outbound.take() == []
    clock.move(timedelta(seconds=1))
    (again,) = await outbound.take()
    assert again.send_key == first.send_key


async def test_a_postponed_message_waits_and_holds_back_the_next(
    inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue, clock: MovedClock
) -> None:
    chat_id = await _chat(inbox, "o-1")
    first = await _answer(desk, chat_id, "first")
    await _answer(desk, chat_id, "second")
    await outbound.take()
    await outbound.postpone(first, clock.now() + timedelta(hours=1))
    assert await outbound.take() == []
    clock.move(timedelta(hours=1))
    assert [message.id for message in await outbound.take()] == [first]


async def test_a_failure_is_shown_and_lets_the_next_one_pass(
    inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue
) -> None:
    chat_id = await _chat(inbox, "o-1")
    first, second = await _answer(desk, chat_id, "first"), await _answer(desk, chat_id, "second")
    await outbound.take()
    await outbound.failed(first, "45015")
    await outbound.sent(first)
    assert [message.id for message in await outbound.take()] == [second]
    assert await _status(desk, chat_id) == [DeliveryStatus.FAILED, DeliveryStatus.SENDING]
    assert (await desk.conversation(chat_id))[0].failure == "45015"


async def test_the_satisfaction_question_goes_out_after_the_answers(
    inbox: InboxService, desk: ChatDesk, outbound: OutboundQueue
) -> None:
    chat_id = await _chat(inbox, "o-1")
    answer = await _answer(desk, chat_id, "bye")
    await desk.close(chat_id, "li", "solved")
    (first,) = await outbound.take()
    assert first.id == answer
    await outbound.sent(answer)
    (question,) = await outbound.take()
    assert (question.kind.value, question.text) == ("satisfaction", "")


async def test_an_unknown_message_is_an_error(outbound: OutboundQueue) -> None:
    with pytest.raises(NoSuchMessage):
        await outbound.sent(99)

"""Answers of staff on their way to the follower: within the platform's window, and given up once it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.inbox.asides import ChatAsides
from bot.inbox.desk import ChatDesk
from bot.inbox.models import DeliveryStatus
from bot.inbox.outbound import OutboundQueue
from bot.inbox.pictures import PictureQueue
from bot.inbox.service import InboxService
from bot.simulator.models import Follower
from bot.simulator.platform import SimulatedPlatform
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.turns.models import Commit, Incoming, Run
from bot.turns.store import TurnStore
from bot.values.clock import MovedClock
from bot.wechat.allowance import Allowance
from bot.wechat.client import WeChatApi
from bot.wechat.models import OutText
from bot.worker.chat_pictures import ChatPictures
from bot.worker.chats import HELD_RETRY, WINDOW, WINDOW_CLOSED, ChatAnswers
from bot.worker.outbox import OutboxRelay

AGENT = "li"
TEMPLATE = "template-of-status-changes"


@dataclass(frozen=True, slots=True)
class Office:
    """Staff, the follower they talk to, and the worker between them. The clock is that of the records."""

    inbox: InboxService
    desk: ChatDesk
    asides: ChatAsides
    answers: ChatAnswers
    pictures: ChatPictures
    files: PrivateFiles
    store: TurnStore
    follower: Follower
    clock: MovedClock

    async def open_chat(self) -> int:
        """Hand the follower's chat over and return its number."""
        return (await self.inbox.escalate(self.follower.openid, "general", "", "k-1")).chat_id

    async def state_of(self, chat_id: int) -> Sequence[tuple[str, DeliveryStatus, str | None]]:
        """Return text, state and failure of each message of the chat."""
        return [(one.text, one.delivery_status, one.failure) for one in await self.desk.conversation(chat_id)]

    async def allow(self, count: int, key: str) -> None:
        """Let the follower write to the bot, which opens ``count`` answers for two days."""
        incoming = Incoming(key, self.follower.openid, b"{}")
        run = await self.store.claim(incoming)
        assert isinstance(run, Run)
        until_ms = int((self.clock.now() + WINDOW).timestamp() * 1000)
        commit = Commit(
            fence=run.fence,
            reply=b"",
            state=b"B{}",
            outbox=(),
            log_entry=b"{}",
            allowance=Allowance(count, until_ms),
            release_held=False,
        )
        assert await self.store.commit(incoming, commit)


@pytest.fixture
async def office(
    database: Database,
    cipher: FieldCipher,
    relay: OutboxRelay,
    store: TurnStore,
    platform: SimulatedPlatform,
    api: WeChatApi,
    moved_clock: MovedClock,
    tmp_path: Path,
) -> Office:
    added = platform.add_follower()
    await platform.say(added.openid, "在吗")
    queue = OutboundQueue(database, cipher, moved_clock)
    trail = AuditTrail(database, cipher, moved_clock)
    files = PrivateFiles(tmp_path / "files", cipher)
    pictures = ChatPictures(PictureQueue(database, moved_clock), queue, files, api, moved_clock)
    answers = ChatAnswers(
        queue,
        relay,
        pictures,
        moved_clock,
        rating=[OutText("满意吗？")],
        handed_back=[OutText("接下来由小助手帮您。")],
        template_id=TEMPLATE,
    )
    return Office(
        InboxService(database, cipher, moved_clock),
        ChatDesk(database, cipher, moved_clock, trail=trail),
        ChatAsides(database, cipher, moved_clock, trail=trail),
        answers,
        pictures,
        files,
        store,
        added,
        moved_clock,
    )


async def test_an_answer_within_the_allowance_arrives(office: Office, platform: SimulatedPlatform) -> None:
    chat_id = await office.open_chat()
    await office.allow(1, "m-1")
    await office.desk.answer(chat_id, AGENT, "您好", "a-1")
    assert await office.answers.send() == 1
    assert [shown.text for shown in platform.seen(office.follower.openid)][-1] == "您好"
    assert await office.state_of(chat_id) == [("您好", DeliveryStatus.SENT, None)]


async def test_an_answer_beyond_the_allowance_waits_for_the_follower(
    office: Office, platform: SimulatedPlatform
) -> None:
    chat_id = await office.open_chat()
    await office.desk.answer(chat_id, AGENT, "您好", "a-1")
    assert await office.answers.send() == 1
    assert await office.state_of(chat_id) == [("您好", DeliveryStatus.QUEUED, "held")]
    assert await office.answers.send() == 0
    await office.allow(5, "m-1")
    office.clock.move(HELD_RETRY)
    assert await office.answers.send() == 1
    assert [shown.text for shown in platform.seen(office.follower.openid)][-1] == "您好"


async def test_after_the_window_an_answer_is_given_up_and_staff_sees_why(
    office: Office, platform: SimulatedPlatform
) -> None:
    chat_id = await office.open_chat()
    await office.desk.answer(chat_id, AGENT, "您好", "a-1")
    await office.desk.answer(chat_id, AGENT, "还在吗", "a-2")
    office.clock.move(WINDOW - timedelta(seconds=1))
    assert await office.answers.send() == 1
    assert await office.state_of(chat_id) == [
        ("您好", DeliveryStatus.QUEUED, "held"),
        ("还在吗", DeliveryStatus.QUEUED, None),
    ]
    office.clock.move(timedelta(seconds=1))
    # The first one is tried once more at the very end; the second one follows it in order.
    assert await office.answers.send() == 1
    assert await office.answers.send() == 1
    assert await office.state_of(chat_id) == [
        ("您好", DeliveryStatus.FAILED, WINDOW_CLOSED),
        ("还在吗", DeliveryStatus.FAILED, WINDOW_CLOSED),
    ]
    office.clock.move(timedelta(days=30))
    assert await office.answers.send() == 0
    assert platform.calls.count("/cgi-bin/message/custom/send") == 0


async def test_whoever_writes_again_can_be_answered_for_as_long_again(office: Office) -> None:
    chat_id = await office.open_chat()
    await office.desk.answer(chat_id, AGENT, "您好", "a-1")
    office.clock.move(WINDOW - timedelta(hours=1))
    await office.inbox.record_inbound(office.follower.openid, "m-2", text="还在")
    office.clock.move(timedelta(hours=2))
    assert await office.answers.send() == 1
    assert (await office.state_of(chat_id))[0] == ("您好", DeliveryStatus.QUEUED, "held")
    office.clock.move(WINDOW)
    assert await office.answers.send() == 1
    assert (await office.state_of(chat_id))[0] == ("您好", DeliveryStatus.FAILED, WINDOW_CLOSED)

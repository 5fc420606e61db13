"""Answers of staff on their way to the follower: within the platform's window, and given up once it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.inbox.asides import ChatAsides
from bot.inbox.desk import ChatDesk
from bot.inbox.models import DeliveryStatus, MediaState, MessageKind
from bot.inbox.outbound import OutboundQueue
from bot.inbox.personal_data import InboxData
from bot.inbox.pictures import PictureQueue
from bot.inbox.service import InboxService
from bot.simulator.bubbles import MediaBubble, TemplateBubble
from bot.simulator.faults import Fault
from bot.simulator.models import Follower
from bot.simulator.platform import SimulatedPlatform
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.files import FileMissing, PrivateFiles
from bot.storage.sql import Database
from bot.turns.models import Commit, Incoming, Run
from bot.turns.outbox import Parcel
from bot.turns.store import TurnStore
from bot.values.clock import MovedClock
from bot.wechat.allowance import Allowance
from bot.wechat.client import WeChatApi
from bot.wechat.errors import ApiError, Blocked, OutcomeUnknown, QuotaUsedUp
from bot.wechat.models import CustomerText, OutText
from bot.worker.chat_pictures import UPLOAD_LASTS, ChatPictures
from bot.worker.chats import HELD_RETRY, NOTIFICATION, WINDOW, WINDOW_CLOSED, ChatAnswers
from bot.worker.outbox import Delivery, OutboxRelay, Outcome
from tests.storage.pictures import phone_photo

AGENT = "li"
SEND, UPLOAD, MEDIA = "/cgi-bin/message/custom/send", "/cgi-bin/media/upload", "/cgi-bin/media/get"
TEMPLATE_SEND = "/cgi-bin/message/template/send"
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


# Why a message was not sent


async def test_staff_see_the_platforms_own_reason(office: Office, platform: SimulatedPlatform) -> None:
    chat_id = await office.open_chat()
    await office.allow(5, "m-1")
    platform.faults.add(Fault(SEND, left=1, errcode=48002))
    await office.desk.answer(chat_id, AGENT, "您好", "a-1")
    assert await office.answers.send() == 1
    assert await office.state_of(chat_id) == [("您好", DeliveryStatus.FAILED, Blocked.code)]


async def test_a_worker_that_died_after_a_refusal_reports_the_same(
    office: Office, platform: SimulatedPlatform, relay: OutboxRelay
) -> None:
    await office.open_chat()
    await office.allow(5, "m-1")
    platform.faults.add(Fault(SEND, left=1, errcode=48002))
    parcel = Parcel(CustomerText("您好"))
    first = await relay.send_now(office.follower.openid, "chat-message-1", parcel)
    assert first == await relay.send_now(office.follower.openid, "chat-message-1", parcel)
    assert first == Delivery(Outcome.FAILED, Blocked.code)
    assert platform.calls.count(SEND) == 1


async def test_whether_it_arrived_may_stay_unknown_and_it_is_not_sent_twice(
    office: Office, platform: SimulatedPlatform
) -> None:
    chat_id = await office.open_chat()
    await office.allow(5, "m-1")
    platform.faults.add(Fault(SEND, left=1, drop=True, after_work=True))
    await office.desk.answer(chat_id, AGENT, "您好", "a-1")
    assert await office.answers.send() == 1
    [(_, status, failure)] = await office.state_of(chat_id)
    assert (status, failure) == (DeliveryStatus.FAILED, OutcomeUnknown.code)
    office.clock.move(timedelta(hours=1))
    assert await office.answers.send() == 0
    assert [shown.text for shown in platform.seen(office.follower.openid)].count("您好") == 1


async def test_a_busy_platform_is_tried_again_and_staff_see_that_it_waits(
    office: Office, platform: SimulatedPlatform
) -> None:
    chat_id = await office.open_chat()
    await office.allow(5, "m-1")
    platform.faults.add(Fault(SEND, left=1, errcode=45009))
    await office.desk.answer(chat_id, AGENT, "您好", "a-1")
    await office.answers.send()
    assert await office.state_of(chat_id) == [("您好", DeliveryStatus.QUEUED, QuotaUsedUp.code)]
    office.clock.move(HELD_RETRY)
    await office.answers.send()
    assert await office.state_of(chat_id) == [("您好", DeliveryStatus.SENT, None)]


# Pictures


async def test_a_picture_of_staff_arrives_and_is_uploaded_once(office: Office, platform: SimulatedPlatform) -> None:
    chat_id = await office.open_chat()
    stored = await office.files.save(phone_photo(), owner=office.follower.openid, purpose="chat")
    await office.desk.answer(chat_id, AGENT, "", "a-1", kind=MessageKind.IMAGE, file_id=stored.id)
    await office.answers.send()
    assert await office.state_of(chat_id) == [("", DeliveryStatus.QUEUED, "held")]
    await office.allow(5, "m-1")
    office.clock.move(HELD_RETRY)
    await office.answers.send()
    assert await office.state_of(chat_id) == [("", DeliveryStatus.SENT, None)]
    assert platform.calls.count(UPLOAD) == 1
    [bubble] = [one.bubble for one in platform.seen(office.follower.openid) if isinstance(one.bubble, MediaBubble)]
    shown = platform.media.seen(bubble.media_id)
    assert shown is not None
    assert shown.data == (await office.files.read(stored.id)).data


async def test_an_upload_that_is_old_is_made_anew(office: Office, platform: SimulatedPlatform) -> None:
    chat_id = await office.open_chat()
    stored = await office.files.save(phone_photo(), owner=office.follower.openid, purpose="chat")
    await office.desk.answer(chat_id, AGENT, "", "a-1", kind=MessageKind.IMAGE, file_id=stored.id)
    await office.answers.send()
    office.clock.move(timedelta(hours=47))
    await office.inbox.record_inbound(office.follower.openid, "m-9", text="在")
    office.clock.move(UPLOAD_LASTS - timedelta(hours=47))
    await office.answers.send()
    assert platform.calls.count(UPLOAD) == 2


async def test_a_picture_that_is_gone_or_refused_says_why(office: Office, platform: SimulatedPlatform) -> None:
    chat_id = await office.open_chat()
    await office.allow(5, "m-1")
    await office.desk.answer(chat_id, AGENT, "", "a-1", kind=MessageKind.IMAGE, file_id="f" * 32)
    await office.answers.send()
    stored = await office.files.save(phone_photo(), owner=office.follower.openid, purpose="chat")
    platform.faults.add(Fault(UPLOAD, left=1, errcode=40005))
    await office.desk.answer(chat_id, AGENT, "", "a-2", kind=MessageKind.IMAGE, file_id=stored.id)
    await office.answers.send()
    failures = [failure for _, _, failure in await office.state_of(chat_id)]
    assert failures == [FileMissing.code, ApiError.code]


async def _sent_picture(office: Office, platform: SimulatedPlatform, data: bytes) -> int:
    """Let the follower send a picture into the chat; return the chat's number."""
    chat_id = await office.open_chat()
    media = platform.media.keep("image", data, platform.clock.now())
    await office.inbox.record_inbound(office.follower.openid, "m-1", kind=MessageKind.IMAGE, media_ref=media.media_id)
    return chat_id


async def _media_state(office: Office, chat_id: int) -> tuple[MediaState | None, str | None]:
    [line] = [one for one in await office.desk.conversation(chat_id) if one.kind is MessageKind.IMAGE]
    return line.media_state, line.file_id


async def test_a_followers_picture_is_kept_without_what_it_tells_beside(
    office: Office, platform: SimulatedPlatform
) -> None:
    chat_id = await _sent_picture(office, platform, phone_photo())
    assert await office.pictures.fetch() == 1
    state, file_id = await _media_state(office, chat_id)
    assert state is MediaState.KEPT
    kept = await office.files.read(file_id or "")
    assert (kept.owner, kept.file.media_type) == (office.follower.openid, "image/jpeg")
    assert b"Exif" in phone_photo()
    assert b"Exif" not in kept.data
    assert await office.pictures.fetch() == 0


async def test_a_busy_platform_is_asked_for_the_picture_again_until_it_has_forgotten_it(
    office: Office, platform: SimulatedPlatform
) -> None:
    chat_id = await _sent_picture(office, platform, phone_photo())
    platform.faults.add(Fault(MEDIA, errcode=45009))
    assert await office.pictures.fetch() == 1
    assert await _media_state(office, chat_id) == (MediaState.WANTED, None)
    assert await office.pictures.fetch() == 0
    office.clock.move(timedelta(days=3))
    assert await office.pictures.fetch() == 1
    assert await _media_state(office, chat_id) == (MediaState.GONE, None)


async def test_what_is_no_picture_is_not_kept(office: Office, platform: SimulatedPlatform, tmp_path: Path) -> None:
    chat_id = await _sent_picture(office, platform, b"\xff\xd8\xffno picture at all")
    await office.pictures.fetch()
    assert await _media_state(office, chat_id) == (MediaState.REFUSED, None)
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


async def test_a_picture_whose_sender_was_erased_meanwhile_leaves_no_file(
    office: Office, platform: SimulatedPlatform, database: Database, cipher: FieldCipher, tmp_path: Path
) -> None:
    await _sent_picture(office, platform, phone_photo())
    queue = PictureQueue(database, office.clock)
    [wanted] = await queue.take()
    await InboxData(database, cipher, office.clock, remove_file=office.files.delete).erase(office.follower.openid)
    stored = await office.files.save(phone_photo(), owner=wanted.openid, purpose="chat")
    assert not await queue.kept(wanted.message_id, stored.id)
    await office.files.delete(stored.id)
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


# Notifications


async def test_where_no_answer_can_go_out_a_notification_can_and_says_nothing(
    office: Office, platform: SimulatedPlatform
) -> None:
    chat_id = await office.open_chat()
    await office.desk.answer(chat_id, AGENT, "您的工资条要补一份", "a-1")
    await office.answers.send()
    await office.asides.remind(chat_id, AGENT)
    assert await office.answers.send() == 1
    [bubble] = [one.bubble for one in platform.seen(office.follower.openid) if isinstance(one.bubble, TemplateBubble)]
    values = [value for _, value in bubble.fields]
    assert values == [NOTIFICATION, f"KF{chat_id:06d}"]
    assert await office.answers.send() == 0
    assert platform.calls.count(TEMPLATE_SEND) == 1


async def test_the_question_after_handing_back_has_its_own_words(office: Office, platform: SimulatedPlatform) -> None:
    chat_id = await office.open_chat()
    await office.allow(5, "m-1")
    await office.desk.hand_back(chat_id, AGENT)
    await office.answers.send()
    assert [shown.text for shown in platform.seen(office.follower.openid)][-1] == "接下来由小助手帮您。"

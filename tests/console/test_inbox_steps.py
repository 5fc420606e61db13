"""What agents do with a chat on its page: give away, note, send pictures, notify, hand back, take up again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from bot.app.assistant import open_bot
from bot.inbox.models import ChatStatus, DeliveryStatus, MediaState, MessageKind
from bot.inbox.outbound import OutboundQueue
from bot.inbox.pictures import PictureQueue
from bot.turns.models import FollowerKeys
from bot.values.clock import MovedClock
from tests.console.served import Answer, Browser, ServedConsole, serving
from tests.support.assistant import settings_for

SONGTAO, SINAN = "520628", "520624"
PHONE = "13900001234"


@pytest.fixture
async def chat(console: ServedConsole) -> int:
    return await open_chat(console)


async def open_chat(console: ServedConsole) -> int:
    opened = await console.records.inbox.escalate("o-1", "registration", "我要找人", "k-1", county=SONGTAO)
    await console.records.inbox.record_inbound("o-1", "m-1", text=f"我的电话{PHONE}，报名还能补吗")
    return opened.chat_id


@pytest.fixture
async def agent(console: ServedConsole) -> Browser:
    return await console.staff("chat_agent", username="wu")


async def _claim(browser: Browser, chat: int) -> Answer:
    await browser.get(f"/inbox/{chat}")
    return await browser.follow(await browser.post(f"/inbox/{chat}/claim"))


def _outbound(console: ServedConsole) -> OutboundQueue:
    records = console.records
    return OutboundQueue(records.database, records.cipher, records.clock)


def _picture(colour: str = "red", kind: str = "PNG") -> bytes:
    data = BytesIO()
    Image.new("RGB", (40, 30), colour).save(data, kind)
    return data.getvalue()


async def _send_picture(browser: Browser, chat: int, data: bytes, name: str, text: str = "") -> Answer:
    form = aiohttp.FormData()
    form.add_field("key", browser.key)
    form.add_field("text", text)
    form.add_field("picture", data, filename=name)
    return await browser.post(f"/inbox/{chat}/answer?tab=mine", form)


# Giving away


async def test_a_chat_goes_to_a_colleague_with_words_that_the_follower_never_sees(
    console: ServedConsole, agent: Browser, chat: int
) -> None:
    await console.add("li", "chat_agent", name="李老师")
    await _claim(agent, chat)
    page = await agent.get(f"/inbox/{chat}/transfer")
    assert "李老师 · 不在线 · 手上 0 个" in page.visible
    answer = await agent.post(f"/inbox/{chat}/transfer", {"way": "agent", "to_agent": "li", "to_note": "她问补报"})
    assert "已转给 李老师" in (await agent.follow(answer)).visible
    colleague = console.browser()
    await colleague.sign_in("li")
    page = await colleague.get(f"/inbox/{chat}?tab=mine")
    assert "她问补报" in page.visible
    assert "wu 转给 李老师" in page.visible
    assert await console.records.desk.conversation(chat) == [
        message for message in await console.records.desk.conversation(chat) if message.author == "follower"
    ]


async def test_a_chat_goes_to_another_queue_and_county_and_is_out_of_sight(console: ServedConsole, chat: int) -> None:
    reviewer = await console.staff("county_reviewer", county=SONGTAO)
    await _claim(reviewer, chat)
    answer = await reviewer.post(
        f"/inbox/{chat}/transfer", {"way": "queue", "to_topic": "legal", "to_county": SINAN, "to_note": ""}
    )
    assert answer.location == "/inbox?tab=mine"
    assert (await reviewer.get(f"/inbox/{chat}")).status == 404
    there = await console.staff("county_reviewer", county=SINAN)
    assert f"KF{chat:06d}" in (await there.get("/inbox")).visible


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"way": "agent", "to_agent": ""}, "请填写同事"),
        ({"way": "agent", "to_agent": "nobody"}, "请在列出的同事里选一个"),
        ({"way": "queue", "to_topic": "no-such"}, "请在列出的类别里选一个"),
        ({"way": "queue", "to_topic": "legal", "to_county": "1"}, "请在列出的区县里选一个"),
    ],
)
async def test_a_transfer_to_nowhere_is_refused_and_keeps_the_note(
    sqlite_console: ServedConsole, fields: dict[str, str], says: str
) -> None:
    chat = await open_chat(sqlite_console)
    agent = await sqlite_console.staff("chat_agent", username="wu")
    await agent.get(f"/inbox/{chat}/transfer")
    answer = await agent.post(f"/inbox/{chat}/transfer", {**fields, "to_note": "写好的话"})
    assert answer.status == 422
    assert says in answer.visible
    assert "写好的话</textarea>" in answer.text


async def test_only_who_may_dispose_gives_away_what_a_colleague_has(
    sqlite_console: ServedConsole,
) -> None:
    chat = await open_chat(sqlite_console)
    first = await sqlite_console.staff("chat_agent", username="wu")
    second = await sqlite_console.staff("chat_agent", username="li")
    head = await sqlite_console.staff("administrator", username="zhou")
    await _claim(first, chat)
    page = await second.get(f"/inbox/{chat}")
    assert "wu 在接待" in page.visible
    assert "/transfer" not in page.text
    answer = await second.post(f"/inbox/{chat}/transfer", {"way": "agent", "to_agent": "li"})
    assert "已由 wu 接待" in (await second.follow(answer)).visible
    await head.get(f"/inbox/{chat}/transfer")
    await head.post(f"/inbox/{chat}/transfer", {"way": "agent", "to_agent": "li"})
    [view] = await sqlite_console.records.desk.chats()
    assert view.claimed_by == "li"


# Notes


async def test_a_note_is_for_staff_alone_and_stays_beside_later_chats(
    console: ServedConsole, agent: Browser, chat: int
) -> None:
    await _claim(agent, chat)
    key = agent.key
    for _ in range(2):
        await agent.post(f"/inbox/{chat}/note", {"note": "家里有急事，先办", "key": key})
    page = await agent.get(f"/inbox/{chat}")
    assert page.text.count("家里有急事，先办") == 2, "in the chat and beside it"
    assert "对方看不到" in page.visible
    assert await _outbound(console).take() == []
    empty = await agent.post(f"/inbox/{chat}/note", {"note": " "})
    assert empty.status == 422
    assert "请填写备注" in empty.visible


# Pictures


async def test_pictures_go_out_and_come_in_and_are_for_those_who_see_the_chat(
    console: ServedConsole, agent: Browser, chat: int
) -> None:
    await _claim(agent, chat)
    answer = await _send_picture(agent, chat, _picture(), "map.png", "看这张图")
    assert answer.status == 303
    sent = [line for line in await console.records.desk.conversation(chat) if line.kind is MessageKind.IMAGE]
    assert [line.delivery_status for line in sent] == [DeliveryStatus.QUEUED]
    await console.records.inbox.record_inbound("o-1", "m-2", kind=MessageKind.IMAGE, media_ref="media-1")
    assert "正在取图片" in (await agent.get(f"/inbox/{chat}")).visible
    queue = PictureQueue(console.records.database, console.records.clock)
    [wanted] = await queue.take()
    stored = await console.records.files.save(_picture("blue"), owner="o-1", purpose="chat")
    await queue.kept(wanted.message_id, stored.id)
    page = await agent.get(f"/inbox/{chat}")
    for number in (sent[0].id, wanted.message_id):
        address = f"/inbox/{chat}/messages/{number}/picture"
        assert address in page.text
        status, data, headers = await agent.download(address)
        assert (status, headers["Content-Type"]) == (200, "image/png")
        assert "no-store" in headers["Cache-Control"]
        assert Image.open(BytesIO(data)).size == (40, 30)
        stranger = await console.staff("county_reviewer", county=SINAN, username=f"s{number}")
        assert (await stranger.download(address))[0] == 404
    assert (await agent.download(f"/inbox/{chat}/messages/999999/picture"))[0] == 404


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"%PDF-1.7 nothing %%EOF", "只能发 JPG 或 PNG"),
        (b"not a picture", "只能发 JPG 或 PNG"),
        (b"\x89PNG\r\n\x1a\n broken", "这张图片打不开"),
    ],
)
async def test_what_is_no_picture_is_not_sent_and_the_words_stay(
    sqlite_console: ServedConsole, data: bytes, says: str
) -> None:
    chat = await open_chat(sqlite_console)
    agent = await sqlite_console.staff("chat_agent", username="wu")
    await agent.get(f"/inbox/{chat}")
    answer = await _send_picture(agent, chat, data, "a.png", "写好的话")
    assert answer.status == 422
    assert says in answer.visible
    assert "写好的话</textarea>" in answer.text
    assert all(line.author == "follower" for line in await sqlite_console.records.desk.conversation(chat))


async def test_a_picture_that_is_gone_says_so(sqlite_console: ServedConsole) -> None:
    chat = await open_chat(sqlite_console)
    agent = await sqlite_console.staff("chat_agent", username="wu")
    await sqlite_console.records.inbox.record_inbound("o-1", "m-2", kind=MessageKind.IMAGE, media_ref="media-1")
    queue = PictureQueue(sqlite_console.records.database, sqlite_console.records.clock)
    [wanted] = await queue.take()
    await queue.lost(wanted.message_id, MediaState.GONE)
    assert "已过期，取不到了" in (await agent.get(f"/inbox/{chat}")).visible


# Allowance, failures, the notification


async def _allow(console: ServedConsole, left: int, lasts: timedelta) -> None:
    until = int((console.records.clock.now() + lasts).timestamp() * 1000)
    fields = {"left": left, "until": until}
    await console.bot.redis.hset(FollowerKeys.of("o-1").allowance, mapping=fields)  # type: ignore[arg-type] # Awaitable or not.


async def test_the_page_says_how_much_may_still_be_sent(sqlite_console: ServedConsole) -> None:
    chat = await open_chat(sqlite_console)
    agent = await sqlite_console.staff("chat_agent", username="wu")
    await _allow(sqlite_console, 3, timedelta(hours=47, minutes=30))
    assert "还可发 3 条，47 小时内有效" in (await agent.get(f"/inbox/{chat}")).visible
    await agent.post(f"/inbox/{chat}/answer", {"text": "一"})
    assert "还可发 2 条" in (await agent.get(f"/inbox/{chat}")).visible, "what is queued counts"
    await _allow(sqlite_console, 3, timedelta(seconds=40))
    assert "不到 1 分钟内有效" in (await agent.get(f"/inbox/{chat}")).visible
    await _allow(sqlite_console, 3, timedelta(seconds=-1))
    page = await agent.get(f"/inbox/{chat}")
    assert "现在不能主动发" in page.visible
    assert "没有配置通知模板" in page.visible
    assert "/remind" not in page.text


@pytest.fixture
async def notifying(
    seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> AsyncIterator[ServedConsole]:
    """A console whose account has a template for notifications."""
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    settings = replace(settings, wechat=replace(settings.wechat, status_template="template-1"))
    async with open_bot(settings, clock) as bot, serving(bot) as served:
        yield served


async def test_whoever_cannot_be_answered_is_notified_once(notifying: ServedConsole) -> None:
    chat = await open_chat(notifying)
    agent = await notifying.staff("chat_agent", username="wu")
    page = await _claim(agent, chat)
    assert "发模板通知" in page.visible
    answer = await agent.follow(await agent.post(f"/inbox/{chat}/remind"))
    assert "只说“有新回复”，不含内容" in answer.visible
    [message] = await _outbound(notifying).take()
    assert message.kind is MessageKind.REMINDER
    await _outbound(notifying).sent(message.id)
    again = await agent.follow(await agent.post(f"/inbox/{chat}/remind"))
    assert "已经通知过" in again.visible


async def test_nobody_in_danger_is_notified(notifying: ServedConsole) -> None:
    opened = await notifying.records.inbox.escalate("o-1", "crisis", "不想活了", "k-1", reason="self_harm")
    agent = await notifying.staff("chat_agent", username="wu")
    listed = await agent.get("/inbox")
    assert "不想活了" not in listed.visible
    page = await _claim(agent, opened.chat_id)
    assert "不想活了" in page.visible
    assert "可能伤害自己" in page.visible
    assert "/remind" not in page.text
    answer = await agent.follow(await agent.post(f"/inbox/{opened.chat_id}/remind"))
    assert "紧急会话不发通知" in answer.visible


async def test_what_failed_says_why_and_is_sent_again_once(console: ServedConsole, agent: Browser, chat: int) -> None:
    await agent.get(f"/inbox/{chat}")
    await agent.post(f"/inbox/{chat}/answer", {"text": "可以补"})
    [message] = await _outbound(console).take()
    await _outbound(console).failed(message.id, "wechat.api.blocked")
    page = await agent.get(f"/inbox/{chat}")
    assert "没发出去：对方屏蔽了公众号的消息" in page.visible
    key = agent.key
    for _ in range(2):
        await agent.post(f"/inbox/{chat}/messages/{message.id}/resend", {"key": key})
    [again] = await _outbound(console).take()
    assert again.text == "可以补"
    await _outbound(console).postpone(again.id, console.records.clock.now(), "wechat.api.allowance_used_up")
    assert "在等：条数用完，等对方再说话" in (await agent.get(f"/inbox/{chat}")).visible


# Ending and beginning again


async def test_a_chat_is_handed_back_and_taken_up_again(console: ServedConsole, agent: Browser, chat: int) -> None:
    await _claim(agent, chat)
    answer = await agent.post(f"/inbox/{chat}/hand-back")
    assert "已交还机器人" in (await agent.follow(answer)).visible
    [message] = await _outbound(console).take()
    assert message.kind is MessageKind.HANDED_BACK
    page = await agent.get(f"/inbox/{chat}?tab=closed")
    assert "机器人在接待" in page.visible
    answer = await agent.post(f"/inbox/{chat}/reopen")
    page = await agent.follow(answer)
    assert "已重新打开" in page.visible
    [view] = await console.records.desk.chats()
    assert (view.status, view.claimed_by) == (ChatStatus.OPEN, "wu")


async def test_a_chat_of_long_ago_is_not_taken_up(sqlite_console: ServedConsole, clock: MovedClock) -> None:
    chat = await open_chat(sqlite_console)
    agent = await sqlite_console.staff("chat_agent", username="wu")
    await _claim(agent, chat)
    await agent.post(f"/inbox/{chat}/close", {"reason": "solved"})
    clock.move(timedelta(days=31))
    await agent.sign_in("wu")
    await agent.get(f"/inbox/{chat}")
    answer = await agent.follow(await agent.post(f"/inbox/{chat}/reopen"))
    assert "超过 30 天" in answer.visible


# Personal data, targets, search


async def test_a_number_is_masked_until_it_is_asked_for_with_a_reason(
    console: ServedConsole, agent: Browser, chat: int
) -> None:
    auditor = await console.staff("auditor")
    for browser in (agent, auditor):
        assert PHONE not in (await browser.get(f"/inbox/{chat}")).text
    assert (await auditor.post(f"/inbox/{chat}/reveal", {"line": "1", "reason": "要回电话"})).status == 403
    assert (await agent.post(f"/inbox/{chat}/reveal", {"line": "1", "reason": "要回电话"})).status == 404, (
        "not theirs"
    )
    await _claim(agent, chat)
    [line] = await console.records.desk.conversation(chat)
    fields = {"line": str(line.id)}
    assert (await agent.post(f"/inbox/{chat}/reveal", {**fields, "reason": "?"})).status == 422
    page = await agent.post(f"/inbox/{chat}/reveal", {**fields, "reason": "要给她回电话"})
    assert page.status == 200
    assert PHONE in page.visible
    [event] = await console.records.audit.events(action="inbox:chat:unmask")
    assert event.record.actor == "wu"
    assert "要给她回电话" in event.record.reason


async def test_targets_are_shown_when_they_come_near_and_pass(
    sqlite_console: ServedConsole, clock: MovedClock
) -> None:
    chat = await open_chat(sqlite_console)
    agent = await sqlite_console.staff("chat_agent", username="wu")
    assert "首次回复限 2026-06-15 10:30" in (await agent.get(f"/inbox/{chat}")).visible
    clock.move(timedelta(minutes=25))
    page = await agent.get("/inbox")
    assert "快到首次回复时限" in page.visible
    assert "等了 25 分钟" in page.visible
    clock.move(timedelta(minutes=10))
    assert "首次回复超时" in (await agent.get("/inbox")).visible
    assert "1 会话已超时" in (await agent.get("/")).visible


async def test_chats_are_found_by_number_and_narrowed_by_filters(agent: Browser, chat: int) -> None:
    await agent.get("/inbox")
    answer = await agent.post("/inbox/search", {"words": f"kf{chat:06d}"})
    assert answer.location.startswith(f"/inbox/{chat}?")
    assert "没有找到" in (await agent.post("/inbox/search", {"words": "KF099999"})).visible
    unclear = await agent.post("/inbox/search", {"words": "龙小芳"})
    assert unclear.status == 422
    assert "看不懂这个号码" in unclear.visible
    assert "请填要找的" in (await agent.post("/inbox/search", {"words": ""})).visible
    for query, there in (
        ("topic=registration", True),
        ("topic=legal", False),
        (f"county={SONGTAO}", True),
        (f"county={SINAN}", False),
        ("since=2026-06-15&until=2026-06-15", True),
        ("since=2026-06-16", False),
        ("since=nonsense", True),
    ):
        listed = f"KF{chat:06d}" in (await agent.get(f"/inbox?tab=all&{query}")).visible
        assert listed is there, query


async def test_the_person_list_is_for_those_who_may_see_that_chat(sqlite_console: ServedConsole) -> None:
    chat = await open_chat(sqlite_console)
    stranger = await sqlite_console.staff("county_reviewer", county=SINAN)
    assert (await stranger.get(f"/inbox?tab=person&like={chat}")).status == 404
    own = await sqlite_console.staff("county_reviewer", county=SONGTAO)
    assert f"KF{chat:06d}" in (await own.get(f"/inbox?tab=person&like={chat}")).visible

"""The inbox over HTTP: who sees which chat, claiming by answering, ending, and the stream of what changes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.inbox.models import ChatStatus, DeliveryStatus
from bot.values.clock import MovedClock
from tests.console.served import Browser, ServedConsole, counted_queries

SONGTAO, SINAN = "520628", "520624"
SAID = "<b>我要找人</b>"


@pytest.fixture
async def chat(console: ServedConsole) -> int:
    opened = await console.records.inbox.escalate("o-1", "registration", SAID, "k-1", county=SONGTAO, reason="asked")
    await console.records.inbox.record_inbound("o-1", "m-1", text="报名时间过了还能补吗")
    return opened.chat_id


@pytest.fixture
async def agent(console: ServedConsole) -> Browser:
    return await console.staff("chat_agent", username="wu")


async def test_a_chat_is_claimed_by_answering_it(console: ServedConsole, agent: Browser, chat: int) -> None:
    assert "1 会话在等人" in (await agent.get("/")).visible
    assert f"KF{chat:06d}" in (await agent.get("/inbox")).visible
    page = await agent.get(f"/inbox/{chat}")
    assert "报名时间过了还能补吗" in page.visible
    assert "<b>我要找人" not in page.text
    key = agent.key
    for _ in range(2):
        await agent.post(f"/inbox/{chat}/answer", {"text": "可以，周五前交。", "key": key})
    page = await agent.get(f"/inbox/{chat}")
    assert page.visible.count("可以，周五前交。") == 1
    assert "排队中" in page.visible
    assert f"KF{chat:06d}" in (await agent.get("/inbox?tab=mine")).visible
    steps = [event.record.action for event in await console.records.audit.events(object_kind="chat")]
    assert sorted(steps) == ["inbox:chat:answer", "inbox:chat:claimed"]


async def test_of_two_agents_one_has_the_chat_and_the_other_loses_nothing(
    console: ServedConsole, agent: Browser, chat: int
) -> None:
    other = await console.staff("administrator", username="li")
    for browser in (agent, other):
        await browser.get(f"/inbox/{chat}")
    answers = await asyncio.gather(
        agent.post(f"/inbox/{chat}/answer", {"text": "我来"}),
        other.post(f"/inbox/{chat}/answer", {"text": "还是我来"}),
    )
    assert sorted(answer.status for answer in answers) == [303, 422]
    late = next(answer for answer in answers if answer.status == 422)
    assert "没有发送" in late.visible
    assert "我来</textarea>" in late.text
    messages = await console.records.desk.conversation(chat)
    assert sum(message.delivery_status is DeliveryStatus.QUEUED for message in messages) == 1


async def test_ending_a_chat_asks_first_and_tells_what_follows(
    console: ServedConsole, agent: Browser, chat: int
) -> None:
    page = await agent.get(f"/inbox/{chat}/close")
    assert "满意度询问" in page.visible
    await agent.post(f"/inbox/{chat}/close", {"reason": "no such"})
    assert (await console.records.desk.chats())[0].status is ChatStatus.WAITING
    answer = await agent.post(f"/inbox/{chat}/close", {"reason": "solved"})
    assert "已结束" in (await agent.follow(answer)).visible
    over = await agent.post(f"/inbox/{chat}/answer", {"text": "还有一句"})
    assert over.status == 422
    assert f"KF{chat:06d}" in (await agent.get("/inbox?tab=closed")).visible


async def test_a_county_sees_its_own_chats_only(console: ServedConsole, chat: int) -> None:
    own = await console.staff("county_reviewer", county=SONGTAO)
    stranger = await console.staff("county_reviewer", county=SINAN)
    assert f"KF{chat:06d}" in (await own.get("/inbox")).visible
    assert f"KF{chat:06d}" not in (await stranger.get("/inbox")).visible
    assert (await stranger.get(f"/inbox/{chat}")).status == 404
    await stranger.get("/inbox")
    for step in ("claim", "answer", "close"):
        answer = await stranger.post(f"/inbox/{chat}/{step}", {"text": "x", "reason": "solved"})
        assert answer.status == 404, step
    auditor = await console.staff("auditor")
    page = await auditor.get(f"/inbox/{chat}")
    assert "<textarea" not in page.text
    assert "接待并发送" not in page.visible


async def _events(browser: Browser) -> AsyncIterator[str]:
    async with browser.http.get(f"{browser.base}/inbox/events") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        async for line in response.content:
            if line.startswith(b"data:"):
                yield line.decode().strip()


async def test_the_stream_tells_of_a_change_to_those_who_may_see_it(console: ServedConsole, chat: int) -> None:
    own = _events(await console.staff("county_reviewer", county=SONGTAO))
    stranger = _events(await console.staff("county_reviewer", county=SINAN))
    heard, unheard = (asyncio.ensure_future(anext(events)) for events in (own, stranger))

    async def until_heard() -> None:
        # The first look may come after the first message, so more are written until one is noticed.
        number = 1
        while not heard.done():
            number += 1
            await console.records.inbox.record_inbound("o-1", f"m-{number}", text="还在吗")
            await asyncio.wait({heard}, timeout=0.5)

    async with asyncio.timeout(30):
        await until_heard()
    assert heard.result() == f"data: [{chat}]"
    assert not unheard.done()
    unheard.cancel()
    await asyncio.gather(unheard, return_exceptions=True)
    await own.aclose()  # type: ignore[attr-defined] # It is a generator.
    await stranger.aclose()  # type: ignore[attr-defined] # It is a generator.


async def test_a_stream_is_for_those_who_are_signed_in(console: ServedConsole) -> None:
    assert (await console.browser().get("/inbox/events")).status == 303
    lawyer = await console.staff("lawyer", county=SONGTAO)
    assert (await lawyer.get("/inbox/events")).status == 403


async def test_pages_ask_the_database_the_same_number_of_times_however_full_they_are(
    console: ServedConsole, agent: Browser, chat: int
) -> None:
    counts = []
    for chats in (2, 25):
        for number in range(chats):
            key = f"{chats}-{number}"
            await console.records.inbox.escalate(f"o-{key}", "general", "在吗", f"k-{key}", county=SONGTAO)
            await console.records.inbox.record_inbound(f"o-{key}", f"m-{key}", text="在吗")
        for path in ("/inbox", f"/inbox/{chat}"):
            with counted_queries(console.records.database) as statements:
                assert (await agent.get(path)).status == 200
            counts.append(len(statements))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 35, counts


async def test_lists_go_on_where_the_page_ended(console: ServedConsole, agent: Browser) -> None:
    for number in range(40):
        await console.records.inbox.escalate(f"o-{number}", "general", "在吗", f"k-{number}")
    first = await agent.get("/inbox")
    second = await agent.get(first.link("next"))
    assert "KF000030" in first.visible
    assert "KF000031" not in first.visible
    assert "KF000031" in second.visible
    assert "KF000040" in second.visible
    assert second.link("next") == ""
    assert second.link("first") == "/inbox?tab=waiting"


async def test_a_line_tells_what_is_wanted_and_who_has_the_chat(console: ServedConsole) -> None:
    agent = await console.staff("chat_agent", username="wu", name="吴敏")
    chat = (await console.records.inbox.escalate("o-9", "general", "", "k-9", reason="asked")).chat_id
    assert "要找人工，还没说什么事" in (await agent.get("/inbox")).visible
    await console.records.inbox.record_inbound("o-9", "m-9", text="社保断缴咋个补")
    assert "社保断缴咋个补" in (await agent.get("/inbox")).visible
    await agent.post(f"/inbox/{chat}/claim")
    listed = (await agent.get("/inbox?tab=all")).visible
    assert "综合 吴敏" in listed
    assert "吴敏 开始接待" in (await agent.get(f"/inbox/{chat}?tab=mine")).visible


async def test_a_script_is_given_the_part_that_changed(agent: Browser, chat: int) -> None:
    part = await agent.get("/inbox?tab=waiting", fragment=True)
    assert f"KF{chat:06d}" in part.visible
    assert "<html" not in part.text
    part = await agent.get(f"/inbox/{chat}?tab=waiting", fragment=True)
    assert "报名时间过了还能补吗" in part.visible
    assert "以前的会话" not in part.visible


async def test_only_who_has_a_chat_marks_it_as_read(console: ServedConsole, agent: Browser, chat: int) -> None:
    await agent.get(f"/inbox/{chat}")
    await agent.post(f"/inbox/{chat}/claim")
    await console.records.inbox.record_inbound("o-1", "m-2", text="还在吗")
    head = await console.staff("administrator", username="li")
    await head.get(f"/inbox/{chat}")
    assert "1 我的会话有新消息" in (await agent.get("/")).visible
    await agent.get(f"/inbox/{chat}")
    assert "0 我的会话有新消息" in (await agent.get("/")).visible


async def test_a_page_that_asks_by_itself_does_not_keep_a_session_alive(
    sqlite_console: ServedConsole, clock: MovedClock
) -> None:
    idle = timedelta(seconds=sqlite_console.records.settings.console.idle_s)
    browser = await sqlite_console.staff("chat_agent", username="wu")
    for _ in range(3):
        clock.move(idle * 0.4)
        quiet = await browser.get("/inbox", fragment=True, headers={"X-Quiet": "1"})
    assert quiet.headers.get("HX-Redirect") == "/login"
    await browser.sign_in("wu")
    for _ in range(3):
        clock.move(idle * 0.4)
        assert (await browser.get("/inbox", fragment=True)).status == 200

"""An agent and a worker in a real browser: the worker asks for a person, is answered, and sees it on the phone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import FilePayload, expect

from bot.app.worker import worker_of
from bot.inbox.models import Satisfaction
from bot.values.clock import SystemClock
from tests.browser.phone import followed, say
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import PASSWORD, ServedConsole, serving
from tests.support.assistant import Assistant, running_assistant, settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
async def assistant(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Assistant]:
    """The whole assistant with its worker at work."""
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with running_assistant(settings, SystemClock()) as running:
        await running.publish_menu()
        worker = asyncio.create_task(worker_of(running.bot, "worker-of-tests").run())
        yield running
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


@pytest.fixture
async def console(assistant: Assistant) -> AsyncIterator[ServedConsole]:
    async with serving(assistant.bot) as served:
        yield served


async def test_a_worker_asks_for_a_person_and_is_answered(assistant: Assistant, console: ServedConsole) -> None:
    await console.add("wu", "chat_agent", name="吴老师")
    await console.add("li", "chat_agent", name="李老师")
    async with chromium() as browser:
        desk = await signed_in(browser, console.base, "wu")
        await desk.get_by_role("link", name="会话", exact=True).click()
        await expect(desk.get_by_text("没有人在等")).to_be_visible()

        phone_page = await (await browser.new_context(viewport=PHONE)).new_page()
        phone = await followed(phone_page, assistant.platform.base_url)
        log = phone.get_by_role("log")

        await say(phone, "人工")
        await expect(log.get_by_text("您先把事情写在这里").last).to_be_visible()
        await say(phone, "娃儿的学生证还没发，录取通知书得行不")

        # The list fills without the page being loaded again.
        await expect(desk.locator(".chats a")).to_have_count(1)
        await desk.locator(".chats a").first.click()
        await expect(desk.get_by_text("录取通知书得行不").last).to_be_visible()
        await expect(desk.get_by_text("还可发")).to_be_visible()
        await desk.get_by_text("常用语", exact=True).last.click()
        await desk.locator(".canned-list a", has_text="打招呼").click()
        await expect(desk.get_by_label("回复")).to_have_value(re.compile("吴老师，您的情况我看到了"))
        await desk.get_by_label("回复").fill("可以，先交录取通知书，开学后补学生证。")
        await desk.get_by_label("回复").press("Control+Enter")
        await expect(log.get_by_text("开学后补学生证").last).to_be_visible()
        await expect(desk.get_by_text("已送达平台").last).to_be_visible()

        # Pictures go both ways.
        await phone.locator(".picture-file").set_input_files(_upload("notice.png", "#c9a227"))
        theirs = desk.get_by_alt_text("对方发来的图片")
        await expect(theirs).to_be_visible()
        await expect(theirs).to_have_js_property("naturalWidth", 320)
        await desk.get_by_label("图片", exact=True).set_input_files(_upload("map.png", "#2f6f9f"))
        await desk.get_by_role("button", name="发送", exact=True).click()
        await expect(desk.get_by_alt_text("发出的图片")).to_be_visible()
        await expect(log.locator("img.picture, .picture img").last).to_be_visible()
        await expect(log.get_by_alt_text("图片")).to_have_count(2)

        # The follower sees that somebody writes; what is half written survives what comes in.
        await say(phone, "收到了，我看看")
        await expect(desk.get_by_text("收到了，我看看").last).to_be_visible()
        await desk.get_by_label("回复").fill("还没写完的")
        await expect(phone.locator(".bar-title")).to_have_text("对方正在输入…")
        await say(phone, "要得，谢谢老师")
        await expect(desk.get_by_text("要得，谢谢老师").last).to_be_visible()
        await expect(desk.get_by_label("回复")).to_have_value("还没写完的")
        await desk.get_by_label("回复").fill("")

        for topic, said in (("registration", "那天要上班，能不能换到周末？"), ("complaint", "厂里加班不给加班费")):
            await console.records.inbox.escalate(f"o-{topic}", topic, said, f"k-{topic}", county="520628")
            await console.records.inbox.record_inbound(f"o-{topic}", f"m-{topic}", text=said)
        await desk.get_by_text("写备注").click()
        await desk.get_by_label("备注").fill("学生证九月补，到时提醒她")
        await desk.get_by_role("button", name="记下").click()
        await expect(desk.get_by_text("备注已记下")).to_be_visible()
        await desk.goto(f"{desk.url.partition('?')[0]}?tab=all")
        await expect(desk.locator(".chats a")).to_have_count(3)
        await take_picture(desk, "console-inbox")

        narrow = await signed_in(browser, console.base, "wu", PHONE)
        await narrow.goto(f"{console.base}/inbox?tab=mine")
        await take_picture(narrow, "console-inbox-phone-list")
        await narrow.locator(".chats a").first.click()
        await expect(narrow.get_by_text("要得，谢谢老师").last).to_be_visible()
        await take_picture(narrow, "console-inbox-phone")

        # A colleague gets the chat while both look at it.
        colleague = await signed_in(browser, console.base, "li")
        await colleague.goto(f"{console.base}/inbox?tab=mine")
        await expect(colleague.get_by_text("您手上没有会话")).to_be_visible()
        await desk.get_by_role("link", name="转交").click()
        await desk.get_by_label("同事", exact=True).select_option("li")
        await desk.get_by_label("交接说明").fill("请接着办")
        await take_picture(desk, "console-inbox-transfer")
        await desk.get_by_role("button", name="转交").click()
        await expect(desk.get_by_text("已转给 李老师")).to_be_visible()
        await expect(desk.get_by_label("回复")).to_have_count(0)
        await colleague.locator(".chats a").first.click()
        await expect(colleague.get_by_text("请接着办").first).to_be_visible()

        await colleague.get_by_role("link", name="结束", exact=True).click()
        await colleague.get_by_role("button", name="结束会话").click()
        await expect(log.get_by_text("满意").last).to_be_visible()
        await expect(desk.get_by_text("会话已结束，机器人在接待")).to_be_visible()
        await say(phone, "1")
        await expect(desk.get_by_text("对方评价：满意")).to_be_visible()
        [chat, *_] = await console.records.desk.chats()
        assert chat.satisfaction is Satisfaction.SATISFIED


async def test_a_chat_is_answered_without_scripts(assistant: Assistant, console: ServedConsole) -> None:
    opened = await console.records.inbox.escalate("o-quiet", "general", "想问入会", "k-quiet", reason="asked")
    await console.add("wu", "chat_agent", name="吴老师")
    async with chromium() as browser:
        page = await (await browser.new_context(viewport=PHONE, java_script_enabled=False)).new_page()
        await page.goto(f"{console.base}/login")
        await page.get_by_label("用户名").fill("wu")
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_role("button", name="登录").click()
        await page.goto(f"{console.base}/inbox")
        await page.locator(".chats a").first.click()
        await page.get_by_text("常用语", exact=True).last.click()
        await page.locator(".canned-list a", has_text="请稍等").click()
        await expect(page.get_by_label("回复")).to_have_value(re.compile("正在核实"))
        await page.get_by_role("button", name="接待并发送").click()
        await expect(page.locator(".messages").get_by_text("正在核实")).to_be_visible()
        await page.get_by_role("link", name="转交").click()
        await expect(page.get_by_role("heading", name="转交会话")).to_be_visible()
    [line] = await console.records.desk.conversation(opened.chat_id)
    assert line.author == "wu"
    assert assistant.bot is console.bot


def _upload(name: str, colour: str) -> FilePayload:
    data = BytesIO()
    sheet = Image.new("RGB", (320, 200), "white")
    drawn = ImageDraw.Draw(sheet)
    drawn.rectangle((0, 0, 320, 36), fill=colour)
    for line in range(56, 180, 22):
        drawn.line((24, line, 296 if line < 160 else 180, line), fill="#b8bec5", width=6)
    sheet.save(data, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": data.getvalue()}

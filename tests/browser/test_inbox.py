"""An agent and a worker in a real browser: the worker asks for a person, is answered, and sees it on the phone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.app import worker_of
from bot.inbox.models import Satisfaction
from bot.values.clock import SystemClock
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import ServedConsole, serving
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
    async with chromium() as browser:
        desk = await signed_in(browser, console.base, "wu")
        await desk.get_by_role("link", name="会话", exact=True).click()
        await expect(desk.get_by_text("这里没有会话")).to_be_visible()

        phone_page = await (await browser.new_context(viewport=PHONE)).new_page()
        await phone_page.goto(assistant.platform.base_url)
        await phone_page.get_by_role("button", name="杨师傅").click()
        await phone_page.get_by_role("button", name="关注公众号").click()
        phone = phone_page.locator(".phone").first
        log = phone.get_by_role("log")
        await expect(log.get_by_text("欢迎关注").last).to_be_visible()

        async def say(text: str) -> None:
            keyboard = phone.get_by_role("button", name="切换到键盘")
            if await keyboard.is_visible():
                await keyboard.click()
            await phone.get_by_role("textbox", name="输入消息").fill(text)
            await phone.get_by_role("textbox", name="输入消息").press("Enter")

        await say("人工")
        await expect(log.get_by_text("您先把事情写在这里").last).to_be_visible()
        await say("娃儿的学生证还没发，录取通知书得行不")

        # The list fills without the page being loaded again.
        await desk.locator(".chats a").first.click()
        await expect(desk.get_by_text("录取通知书得行不").last).to_be_visible()
        await desk.get_by_label("回复").fill("可以，先交录取通知书，开学后补学生证。")
        await desk.get_by_label("回复").press("Control+Enter")
        await expect(log.get_by_text("开学后补学生证").last).to_be_visible()
        await expect(desk.get_by_text("已送达平台").last).to_be_visible()

        await desk.get_by_label("回复").fill("还没写完的")
        await say("要得，谢谢老师")
        await expect(desk.get_by_text("要得，谢谢老师").last).to_be_visible()
        await expect(desk.get_by_label("回复")).to_have_value("还没写完的")
        await take_picture(desk, "console-inbox")

        narrow = await signed_in(browser, console.base, "wu", PHONE)
        await narrow.goto(f"{console.base}/inbox?view=mine")
        await narrow.locator(".chats a").first.click()
        await expect(narrow.get_by_text("要得，谢谢老师").last).to_be_visible()
        await take_picture(narrow, "console-inbox-phone")

        await desk.get_by_role("link", name="结束", exact=True).click()
        await desk.get_by_role("button", name="结束会话").click()
        await expect(log.get_by_text("满意").last).to_be_visible()
        await say("1")
        [chat] = await console.records.desk.chats()
        for _ in range(100):
            if chat.satisfaction is not None:
                break
            await asyncio.sleep(0.1)
            [chat] = await console.records.desk.chats()
        assert chat.satisfaction is Satisfaction.SATISFIED

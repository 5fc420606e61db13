"""A worker with a phone: the web chat in a real browser, through a whole booking and back.

With ``BOT_TEST_PICTURES=docs/images`` the pictures of the documentation are taken on the way.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect

from bot.values.clock import SystemClock
from tests.browser.phone import say
from tests.support.assistant import Assistant, running_assistant, settings_for

CHROMIUM = os.environ.get("BOT_CHROMIUM") or shutil.which("chromium")
PICTURES = os.environ.get("BOT_TEST_PICTURES")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")

# The browser shares two slow processors with the rest of the suite.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

OFFICE: ViewportSize = {"width": 1366, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
WOMAN = "520602199003079980"
STUDENT = "522222200601019989"


@pytest.fixture
async def assistant(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Assistant]:
    """The whole assistant on the machine's clock, as the page shows real times."""
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with running_assistant(settings, SystemClock()) as running:
        await running.publish_menu()
        yield running


@pytest.fixture(params=[OFFICE])
async def page(assistant: Assistant, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """The web chat, opened at an office screen's size or at the one that a test asks for."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        opened = await browser.new_page(viewport=request.param)
        await opened.goto(assistant.platform.base_url)
        yield opened
        await browser.close()


class Phone:
    """One phone on the page."""

    def __init__(self, phone: Locator) -> None:
        self._phone = phone
        self.chat = phone.get_by_role("log")

    async def say(self, text: str, *, until: str) -> None:
        """Send ``text`` and wait until a text with ``until`` shows as the newest."""
        await say(self._phone, text)
        await self.sees(until)

    async def tap(self, label: str, *, until: str) -> None:
        """Tap the newest choice with ``label`` and wait for the answer."""
        choice = re.compile(rf"^(\d+ )?{re.escape(label)}$")
        await self.chat.get_by_role("button", name=choice).last.click()
        await self.sees(until)

    async def sees(self, text: str) -> None:
        """Wait until the newest message with ``text`` is visible."""
        await expect(self.chat.get_by_text(text).last).to_be_visible()


async def take_picture(page: Page, name: str) -> None:
    """Save a picture for the documentation, when it was asked for."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


async def first_phone(page: Page) -> Phone:
    await page.get_by_role("button", name="杨师傅").click()
    await page.get_by_role("button", name="关注公众号").click()
    phone = Phone(page.locator(".phone").first)
    await phone.sees("欢迎关注")
    return phone


async def test_a_screening_is_booked_changed_and_cancelled(page: Page, assistant: Assistant) -> None:
    phone = await first_phone(page)
    await take_picture(page, "welcome")
    await phone.tap("女职工两癌筛查", until="哪个区县")
    await phone.say("松桃嘞", until="哪家医院")
    await phone.say("第一个", until="哪天")
    await phone.say("第二个", until="几点")
    await take_picture(page, "slots")
    await phone.say("第一个", until="已为您留住")
    for question in ("敏感", "提供给", "给谁约"):
        await phone.tap("同意", until=question)
    await phone.tap("给我自己", until="叫什么名字")
    await phone.say("我叫龙小芳", until="身份证号")
    await phone.say("52060219900307998", until="18")
    await phone.say(WOMAN, until="手机号")
    await phone.say("幺三八 1234 5678", until="哪个单位")
    await phone.say("环卫", until="哪一类")
    await phone.tap("环卫等户外劳动者", until="上次")
    await phone.tap("没做过", until="哪些项目")
    await phone.say("都要", until="备选")
    await phone.say("跳过", until="帮助")
    await phone.say("跳过", until="请核对")
    await take_picture(page, "review")
    await phone.say("电话错了，是13912345678", until="139****5678")
    await phone.say("提交", until="约好了")
    await take_picture(page, "booked")
    await phone.say("查进度", until="已通过")
    await phone.say("取消报名", until="确定取消")
    await phone.say("是的", until="已取消")
    found = await assistant.bot.records.registrations.find_for(assistant.platform.followers.everyone()[0].openid)
    assert [view.status.value for view in found] == ["cancelled"]


@pytest.mark.parametrize("page", [PHONE], indirect=True)
async def test_a_student_is_registered_on_a_phone_sized_screen(page: Page, assistant: Assistant) -> None:
    phone = await first_phone(page)
    await phone.tap("困难职工子女勤工俭学", until="开始报名")
    await take_picture(page, "phone-start")
    await phone.tap("开始报名", until="同意")
    for question in ("敏感", "提供给", "哪位在填"):
        await phone.tap("同意", until=question)
    await phone.tap("家长", until="叫什么名字")
    await phone.say("杨小芳", until="哪个学校")
    await phone.say("铜仁学院", until="哪一段")
    await phone.tap("本科", until="几年级")
    await phone.say("大二", until="专业")
    await phone.say("护理", until="身份证号")
    await phone.say(STUDENT, until="手机号")
    await take_picture(page, "phone-form")
    await phone.say("刚才学校填错了，是铜仁职院", until="改好了")
    await phone.say("取消", until="存")
    found = await assistant.bot.records.registrations.find_for(assistant.platform.followers.everyone()[0].openid)
    assert list(found) == []

"""A programme manager in a real browser: a copy, its slots, its words, open; then a worker is offered it.

With ``BOT_TEST_PICTURES=docs/images`` the pictures of the documentation are taken on the way.
"""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.programmes.models import Programme, ProgrammeKind
from bot.values.clock import SystemClock
from tests.browser.accessibility import faults_of
from tests.browser.phone import followed, say
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import ServedConsole, serving
from tests.support.assistant import Assistant, running_assistant, settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
TITLE = "冬季女职工健康筛查"
NOTICE = "在册女职工都能约，免费，结果只给本人。"


@pytest.fixture
async def assistant(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Assistant]:
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with running_assistant(settings, SystemClock()) as running:
        await running.publish_menu()
        yield running


@pytest.fixture
async def console(assistant: Assistant) -> AsyncIterator[ServedConsole]:
    async with serving(assistant.bot) as served:
        yield served


async def test_a_copied_programme_gets_slots_is_opened_and_offered(
    assistant: Assistant, console: ServedConsole
) -> None:
    await console.add("liu", "programme_manager", name="刘科长")
    [source] = await console.records.programmes.published(ProgrammeKind.HEALTH_SCREENING)
    async with chromium() as browser:
        desk = await signed_in(browser, console.base, "liu")
        await _copy(desk, source)
        await _add_slots(desk)
        await _word(desk)

        # Before it is open, a worker hears of the other one.
        await desk.get_by_role("link", name="开放报名").click()
        dialog = desk.get_by_role("dialog")
        await expect(dialog.get_by_text("几秒后职工就能看到")).to_be_visible()
        await dialog.get_by_role("button", name="开放报名").click()
        await expect(desk.get_by_text("已开放", exact=False).first).to_be_visible()
        await take_picture(desk, "console-programme")

        await _is_offered(browser, assistant)


PAGES = ("", "/copy", "/close", "/history", "/occupancy", "/preview", "/slots", "/slots/new", "/sites", "/sites/edit")
SECTIONS = ("basics", "places", "people", "materials", "consents", "choices", "texts", "retention")


@pytest.mark.timeout(300)
async def test_every_page_of_a_programme_meets_wcag_aa(console: ServedConsole) -> None:
    await console.add("liu", "programme_manager", name="刘科长")
    [screening] = await console.records.programmes.published(ProgrammeKind.HEALTH_SCREENING)
    [work] = await console.records.programmes.published(ProgrammeKind.WORK_STUDY)
    slot = (await console.records.registrations.slots(screening.id))[0].slot_id
    one = f"/programmes/{screening.id}"
    addresses = [
        *(one + page for page in PAGES),
        *(f"{one}/edit/{section}" for section in SECTIONS),
        f"{one}/slots/change?slot={slot}",
        f"{one}/slots/move?slot={slot}&target={slot + 1}",
        f"/programmes/{work.id}/posts",
        f"/programmes/{work.id}/edit/people",
        "/programmes",
        "/programmes/new",
    ]
    async with chromium() as browser:
        page = await signed_in(browser, console.base, "liu")
        faults = {}
        for address in addresses:
            response = await page.goto(f"{console.base}{address}")
            assert response is not None
            assert response.status == 200, address
            # What is loaded after the page, as the preview beside a form, is looked at too.
            await page.wait_for_load_state("networkidle")
            if found := await faults_of(page):
                faults[address] = found
        assert faults == {}


async def _copy(desk: Page, source: Programme) -> None:
    await desk.get_by_role("link", name="活动", exact=True).click()
    await desk.get_by_role("link", name=source.title).click()
    await desk.get_by_role("link", name="复制", exact=True).click()
    await desk.get_by_label("新活动的名称").fill(TITLE)
    await desk.get_by_label("新活动哪天开始服务").fill(f"{source.service_start + timedelta(days=1)}")
    await desk.get_by_role("button", name="复制成草稿").click()
    await expect(desk.get_by_text("已复制成草稿")).to_be_visible()
    await expect(desk.get_by_text("还没有今天以后的时段")).to_be_visible()


async def _add_slots(desk: Page) -> None:
    await desk.get_by_role("link", name="时段", exact=True).click()
    await desk.get_by_role("link", name="批量加时段").click()
    for weekend in ("周六", "周日"):
        await desk.get_by_label(weekend).check()
    await desk.get_by_label("每天的时间和名额").fill("8:30-9:30 12\n9:30-10:30 12\n14:00-15:00 8")
    await desk.get_by_role("button", name="先看会建哪些").click()
    make = desk.get_by_role("button", name=re.compile(r"建这 [\d,]+ 个时段"))
    await expect(make).to_be_visible()
    await make.click()
    await expect(desk.get_by_text(re.compile(r"建好 [\d,]+ 个时段"))).to_be_visible()
    await expect(desk.get_by_text("0/12").first).to_be_visible()
    await take_picture(desk, "console-slots")


async def _word(desk: Page) -> None:
    await desk.get_by_role("link", name="概况").click()
    await desk.get_by_role("link", name=re.compile("修改.*职工看到的文字")).click()
    await desk.get_by_label("开头说明").fill(NOTICE)
    # What is typed shows in the chat beside the form before it is saved.
    await expect(desk.locator("#preview").get_by_text(NOTICE).first).to_be_visible()
    await take_picture(desk, "console-preview")
    await desk.get_by_role("button", name="保存").click()
    await expect(desk.get_by_text(re.compile(r"已保存为第 \d+ 版"))).to_be_visible()


async def _is_offered(browser: Browser, assistant: Assistant) -> None:
    page = await (await browser.new_context(viewport=PHONE)).new_page()
    phone = await followed(page, assistant.platform.base_url)
    log = phone.get_by_role("log")
    await say(phone, "预约两癌筛查")
    await expect(log.get_by_text(TITLE).last).to_be_visible()
    await expect(log.get_by_text(NOTICE).last).to_be_visible()

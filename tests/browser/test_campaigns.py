"""A campaign in a real browser: written, approved by a second person, sent, paused, resumed, its results read.

And once without scripts.
"""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from bot.app.worker import worker_of
from bot.storage.encryption import FieldCipher
from bot.values.clock import SystemClock
from tests.browser.accessibility import faults_of
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import PASSWORD, serving
from tests.console.test_campaign_form import PNG
from tests.support.assistant import running_assistant, settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")

FOLLOWERS = 4
PAGES = (
    "/campaigns/new",
    "/campaigns",
    "/campaigns/testers",
    "/campaigns/tags",
    "/campaigns/opt-outs",
    "/reports/campaigns",
)


async def _compose(page: Page) -> None:
    await page.get_by_role("link", name="群发", exact=True).click()
    await page.get_by_role("link", name="新的群发").click()
    await page.get_by_label("名称").fill("免费体检开始报名")
    await page.get_by_label("正文").first.fill("今年的免费体检开始报名了，回“体检”就能预约。")
    await expect(page.locator("[data-preview]")).to_contain_text("回“体检”就能预约")
    await expect(page.get_by_text("还可以写")).to_be_visible()
    await expect(page.get_by_label("模板编号")).to_be_hidden()
    await page.get_by_label("每天最早").fill("")
    await page.get_by_label("每天最晚").fill("")
    await page.evaluate("window.scrollTo(0, 0)")
    await take_picture(page, "console-campaign-form")
    # Nobody has saved anything: the audience is counted as it is chosen.
    await page.locator("#reach").get_by_label("松桃", exact=True).first.check()
    await expect(page.locator("#count")).to_contain_text("现在能发到 0 人")
    await page.locator("#reach").get_by_label("松桃", exact=True).first.uncheck()
    await expect(page.locator("#count")).to_contain_text(f"现在能发到 {FOLLOWERS} 人")
    await page.locator("#count").scroll_into_view_if_needed()
    await take_picture(page, "console-campaign-audience")
    await page.get_by_role("button", name="保存并核算").click()
    await expect(page.get_by_role("heading", name=f"现在发能发到 {FOLLOWERS} 人")).to_be_visible()
    await page.get_by_role("button", name="核算并送审").click()
    await expect(page.get_by_text("等另一位同事审批")).to_be_visible()


async def _confirm(page: Page, name: str, field: str, value: str) -> None:
    await page.get_by_role("link", name=name, exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(field).fill(value)
    await dialog.get_by_role("button", name=name, exact=True).click()


@pytest.mark.timeout(300)
async def test_from_the_first_word_to_the_results(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(
        database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path, cipher_setting=FieldCipher.new_setting()
    )
    async with (
        running_assistant(settings, SystemClock()) as assistant,
        serving(assistant.bot) as console,
        chromium() as browser,
    ):
        people = [assistant.platform.add_follower(f"职工{number}").openid for number in range(FOLLOWERS)]
        for one in people:
            await assistant.platform.follow(one)
        await console.add("wang", "campaign_operator", name="王经办")
        await console.add("li", "campaign_approver", name="李主任")
        page = await signed_in(browser, console.base, "wang")
        await _compose(page)
        address = page.url
        await take_picture(page, "console-campaign-plan")
        second = await signed_in(browser, console.base, "li")
        await second.goto(address)
        await _confirm(second, "审批通过", "请照数填写人数", str(FOLLOWERS))
        await expect(second.get_by_text("经办人可以发送了")).to_be_visible()
        await page.goto(address)
        await _confirm(page, "发送", "请照数填写人数", str(FOLLOWERS))
        await expect(page.get_by_text("等待开始")).to_be_visible()
        await assistant.bot.records.campaigns.service.start_due()
        # Nobody reloads: the progress renews itself.
        await expect(page.get_by_text("发送中", exact=True)).to_be_visible()
        await _confirm(page, "暂停", "原因", "等一等")
        await expect(page.get_by_text("等一等")).to_be_visible()
        assert assistant.platform.mass_ledger() == {}
        await page.get_by_role("link", name="继续", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="继续", exact=True).click()
        await expect(page.get_by_text("发过的不会再发")).to_be_visible()
        working = asyncio.create_task(worker_of(assistant.bot, "worker-of-tests").run())
        try:
            await expect(page.get_by_text("已发完")).to_be_visible(timeout=60_000)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        assert assistant.platform.mass_ledger() == dict.fromkeys(people, 1)
        await take_picture(page, "console-campaign")
        await page.get_by_role("link", name="看效果").click()
        await expect(page.get_by_role("img", name="发送结果")).to_be_visible()
        await take_picture(page, "console-campaign-results")
        phone = await signed_in(browser, console.base, "wang", PHONE)
        await phone.goto(address)
        await take_picture(phone, "console-campaign-phone")
        await phone.goto(f"{address}/results")
        await take_picture(phone, "console-campaign-results-phone")
        own = [f"{console.base}{path}" for path in PAGES]
        await _are_accessible(page, address, f"{address}/results", f"{address}/cancel", *own)
        await _without_scripts(browser, console.base)


async def _are_accessible(page: Page, *addresses: str) -> None:
    for address in addresses:
        await page.goto(address)
        assert await faults_of(page) == [], address


async def _plain(browser: Browser, base: str, username: str) -> Page:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{base}/login")
    await page.get_by_label("用户名").fill(username)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    return page


async def _without_scripts(browser: Browser, base: str) -> None:
    """Compose with a picture, count, hand in, and read as the approver."""
    page = await _plain(browser, base, "wang")
    await page.goto(f"{base}/campaigns/new")
    await page.get_by_label("名称").fill("没有脚本也能发")
    await page.get_by_label("内容类型").select_option("picture")
    chosen: FilePayload = {"name": "picture.png", "mimeType": "image/png", "buffer": PNG}
    await page.locator("#f-picture").set_input_files(files=[chosen])
    await page.get_by_role("button", name="算一算能发到多少人").click()
    await expect(page.locator("#count")).to_contain_text(f"现在能发到 {FOLLOWERS} 人")
    await expect(page.get_by_label("名称")).to_have_value("没有脚本也能发")
    await page.get_by_role("button", name="保存并核算").click()
    await expect(page.get_by_role("img", name="要发的图片")).to_be_visible()
    await page.get_by_role("button", name="核算并送审").click()
    await expect(page.get_by_text("等另一位同事审批")).to_be_visible()
    second = await _plain(browser, base, "li")
    await second.goto(page.url)
    await second.get_by_role("link", name="审批通过").click()
    await expect(second.get_by_text(f"核对时能发到 {FOLLOWERS} 人")).to_be_visible()
    await second.get_by_label("请照数填写人数").fill(str(FOLLOWERS))
    await second.get_by_role("button", name="审批通过").click()
    await expect(second.get_by_text("经办人可以发送了")).to_be_visible()

"""Articles in a real browser: written, approved, published before one's eyes, read, sent and withdrawn."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import FilePayload, Page, expect

from bot.app.worker import worker_of
from bot.storage.encryption import FieldCipher
from bot.values.clock import SystemClock
from tests.browser.accessibility import faults_of
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import serving
from tests.support.assistant import running_assistant, settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")


def _cover() -> FilePayload:
    """Return a picture in the format that WeChat shows above an article, as staff would upload one."""
    picture, drawn = Image.new("RGB", (900, 383), "#f6d8d3"), io.BytesIO()
    pencil = ImageDraw.Draw(picture)
    pencil.ellipse((560, -80, 1020, 380), fill="#e39a8f")
    pencil.ellipse((-120, 180, 300, 600), fill="#b3261e")
    picture.save(drawn, "PNG")
    return {"name": "cover.png", "mimeType": "image/png", "buffer": drawn.getvalue()}


PATIENCE_MS = 60_000


async def _compose(page: Page, channel: str) -> str:
    """Write two articles and hand them in; return the address of their campaign."""
    await page.get_by_role("link", name="群发", exact=True).first.click()
    await page.get_by_role("link", name="新的群发").click()
    await page.get_by_label("名称").fill("六月活动文章")
    await page.get_by_label("内容类型").select_option("news")
    await page.get_by_label("标题").first.fill("两癌筛查 6 月 15 日开始预约")
    await page.get_by_label("摘要").first.fill("免费健康筛查，全市女职工都可以约。")
    await page.get_by_label("正文").nth(1).fill("<p>回复“我要筛查”就能预约，带身份证。</p>")
    await page.locator("#f-a1_picture").set_input_files(files=[_cover()])
    await expect(page.locator("[data-preview]")).to_contain_text("两癌筛查")
    await page.get_by_label("渠道").select_option(channel)
    await page.get_by_label("每天最早").fill("")
    await page.get_by_label("每天最晚").fill("")
    await page.get_by_label("每分钟最多").fill("600")
    explained = "没有人会收到消息" if channel == "publish" else "再发给 48 小时内留过言的人"
    await expect(page.get_by_text(explained)).to_be_visible()
    await expect(page.get_by_label("碧江").first).to_be_visible(visible=channel == "publish_send")
    await page.get_by_label("渠道").evaluate("field => field.scrollIntoView({block: 'center'})")
    await take_picture(page, f"console-{channel}-form")
    await page.get_by_role("button", name="保存并核算").click()
    await page.get_by_role("button", name="核算并送审").click()
    await expect(page.get_by_text("等另一位同事审批")).to_be_visible()
    return page.url


async def _confirm(page: Page, name: str, said: str, field: str, value: str) -> None:
    await page.get_by_role("link", name=name, exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(field).fill(value)
    await dialog.get_by_role("button", name=said, exact=True).click()


@pytest.mark.timeout(300)
async def test_from_the_first_word_to_the_withdrawal(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(
        database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path, cipher_setting=FieldCipher.new_setting()
    )
    async with (
        running_assistant(settings, SystemClock(), publish_latency_s=4.0) as assistant,
        serving(assistant.bot) as console,
        chromium() as browser,
    ):
        followers = [assistant.platform.add_follower(f"职工{number}").openid for number in range(2)]
        for one in followers:
            await assistant.platform.follow(one)
        await assistant.say(followers[0], "您好")
        await console.add("wang", "campaign_operator", name="王经办")
        await console.add("li", "campaign_approver", name="李主任")
        page, second = [await signed_in(browser, console.base, who) for who in ("wang", "li")]
        working = asyncio.create_task(worker_of(assistant.bot, "worker-of-tests").run())
        try:
            address = await _compose(page, "publish")
            await take_picture(page, "console-publish-plan")
            await second.goto(address)
            await _confirm(second, "审批通过", "审批通过", "请照数填写篇数", "1")
            await expect(second.get_by_text("经办人可以发送了")).to_be_visible()
            await page.goto(address)
            await page.get_by_role("link", name="发布", exact=True).click()
            await take_picture(page, "console-publish-confirm")
            await page.get_by_role("dialog").get_by_label("请照数填写篇数").fill("1")
            await page.get_by_role("dialog").get_by_role("button", name="发布", exact=True).click()
            # Nobody reloads: the card renews itself.
            await expect(page.get_by_text("平台审核中")).to_be_visible(timeout=PATIENCE_MS)
            await take_picture(page, "console-publish-under-way")
            link = page.get_by_role("link", name="两癌筛查 6 月 15 日开始预约")
            await expect(link).to_be_visible(timeout=PATIENCE_MS)
            await take_picture(page, "console-publish")
            assert await faults_of(page) == []
            async with page.context.expect_page() as opened:
                await link.click()
            article = await opened.value
            await expect(article.get_by_text("带身份证")).to_be_visible()
            assert [assistant.platform.mass_ledger()[one] for one in followers] == [0, 0]
            phone = await signed_in(browser, console.base, "wang", PHONE)
            await phone.goto(address)
            await take_picture(phone, "console-publish-phone")
            await page.get_by_role("link", name="撤回文章").click()
            await expect(page.get_by_role("dialog").get_by_text("不能恢复")).to_be_visible()
            await take_picture(page, "console-publish-withdraw")
            await page.get_by_role("dialog").get_by_role("button", name="撤回文章").click()
            await expect(page.get_by_text("撤回了 1 篇文章")).to_be_visible()
            await expect(page.get_by_text("链接打开看不到内容")).to_be_visible()
            await take_picture(page, "console-publish-withdrawn")
            await article.reload()
            await expect(article.get_by_text("该内容已被发布者删除")).to_be_visible()
            await _sent_afterwards(page, second)
            shown = [one.text for one in assistant.platform.seen(followers[0])]
            assert shown[-1] == "两癌筛查 6 月 15 日开始预约"
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def _sent_afterwards(page: Page, second: Page) -> None:
    """Publish and send: whoever waits for it is told that the platform looks first."""
    address = await _compose(page, "publish_send")
    await second.goto(address)
    await _confirm(second, "审批通过", "审批通过", "请照数填写人数", "2")
    await expect(second.get_by_text("经办人可以发送了")).to_be_visible()
    await page.goto(address)
    await _confirm(page, "发布", "发布并发送", "请照数填写人数", "2")
    await expect(page.get_by_text("出现以后才开始发给 2 人")).to_be_visible(timeout=PATIENCE_MS)
    await take_picture(page, "console-publish-send-waits")
    await expect(page.get_by_text("已发完")).to_be_visible(timeout=PATIENCE_MS)
    await take_picture(page, "console-publish-send")

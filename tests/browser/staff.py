"""The console in Chromium: an office screen or a phone, signed in as somebody."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.console.served import PASSWORD

CHROMIUM = os.environ.get("BOT_CHROMIUM") or shutil.which("chromium")
IN_CHINESE: dict[str, str | float | bool] = {**os.environ, "LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8"}
"""How fields of dates and files are labelled is the browser's own language, not the page's."""
PICTURES = os.environ.get("BOT_TEST_PICTURES")
OFFICE: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run the system's Chromium, in Chinese where its translations are installed (``chromium-l10n`` on Debian)."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, env=IN_CHINESE)
        try:
            yield browser
        finally:
            await browser.close()


async def signed_in(browser: Browser, base: str, username: str, size: ViewportSize = OFFICE) -> Page:
    """Return a page of its own in which ``username`` is signed in. What its scripts complain of is an error."""
    context = await browser.new_context(viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = await context.new_page()
    page.on("pageerror", _fail)
    await page.goto(f"{base}/login")
    await page.get_by_label("用户名").fill(username)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url(f"{base}/")
    return page


async def take_picture(page: Page, name: str) -> None:
    """Save a picture for the documentation, when ``BOT_TEST_PICTURES`` names the folder."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


def _fail(error: object) -> None:
    raise AssertionError(error)

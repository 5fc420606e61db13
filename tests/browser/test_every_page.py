"""Every page that the menu and its lists lead to: accessible, from this host alone, readable without scripts."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Request

from bot.app.assistant import open_bot
from bot.commands.demo_people import ACCOUNTS, add_staff, add_workers
from bot.commands.run import seed
from bot.values.clock import SystemClock
from tests.browser.accessibility import faults_of, violations
from tests.browser.staff import CHROMIUM, chromium, signed_in
from tests.console.served import PASSWORD, ServedConsole, serving
from tests.support.assistant import settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")

ADMINISTRATOR = ACCOUNTS[0].username
DEEPER = 2
"""How many pages are opened behind each page of the menu: an entry of its list, and a form."""


@pytest.fixture
async def console(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[ServedConsole]:
    """The console with the demonstration's made-up staff and workers."""
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, SystemClock()) as bot, serving(bot) as served:
        await seed(bot.records)
        await add_staff(bot.records, PASSWORD)
        await add_workers(bot.records)
        yield served


async def _pages(page: Page, base: str) -> list[str]:
    """Return the menu's addresses, and for each the first few that its page leads to."""
    menu = await _links(page, "nav.side a, .me-menu a")
    found = list(menu)
    for address in menu:
        await page.goto(f"{base}{address}")
        below = [
            link for link in await _links(page, "main a") if link not in found and not link.startswith("/static")
        ]
        by_shape = {re.sub(r"[A-Z]*\d[\w-]*", "#", urlsplit(link).path): link for link in reversed(below)}
        found += list(by_shape.values())[:DEEPER]
    return found


async def _links(page: Page, selector: str) -> list[str]:
    followed = f":is({selector}):not([download])"
    hrefs: list[str] = await page.eval_on_selector_all(followed, "all => all.map(one => one.getAttribute('href'))")
    return list(dict.fromkeys(href for href in hrefs if href and href.startswith("/")))


@pytest.mark.timeout(300)
async def test_every_page_meets_wcag_aa_and_asks_no_other_host(console: ServedConsole) -> None:
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((console.base, "data:", "blob:")):
            elsewhere.append(request.url)

    async with chromium() as browser:
        page = await signed_in(browser, console.base, ADMINISTRATOR)
        page.on("request", note)
        faults = {}
        for address in await _pages(page, console.base):
            response = await page.goto(f"{console.base}{address}")
            assert response is not None
            assert response.status == 200, address
            if found := await faults_of(page):
                faults[address] = found
    assert faults == {}
    assert elsewhere == []


async def test_the_check_sees_what_it_is_for(console: ServedConsole) -> None:
    async with chromium() as browser:
        page = await signed_in(browser, console.base, ADMINISTRATOR)
        visited = await _pages(page, console.base)
        assert len(visited) >= 10, visited
        await page.goto(f"{console.base}{visited[-1]}")
        await page.evaluate("document.querySelector('main h1, main h2').style.color = '#b8b8b8'")
        await page.evaluate("document.querySelector('main').append(document.createElement('select'))")
        faults = " ".join(await violations(page))
    assert "color-contrast" in faults
    assert "select-name" in faults


@pytest.mark.timeout(300)
async def test_every_page_is_readable_without_scripts(console: ServedConsole) -> None:
    async with chromium() as browser:
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"{console.base}/login")
        await page.get_by_label("用户名").fill(ADMINISTRATOR)
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_role("button", name="登录").click()
        scripted = await signed_in(browser, console.base, ADMINISTRATOR)
        for address in await _pages(scripted, console.base):
            response = await page.goto(f"{console.base}{address}")
            assert response is not None
            assert response.status == 200, address
            assert await page.locator("main h1, main h2").first.is_visible(), address

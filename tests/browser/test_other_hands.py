"""The console for those who cannot work as most do: with scripts switched off, and by the keyboard alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from bot.app.assistant import open_bot
from bot.commands.demo_people import add_workers
from bot.commands.run import seed
from bot.programmes.models import ProgrammeKind, ReviewMode
from bot.values.clock import SystemClock
from tests.browser.staff import CHROMIUM, OFFICE, chromium
from tests.console.served import PASSWORD, ServedConsole, serving
from tests.support.assistant import settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")
expect.set_options(timeout=20_000)
MASTER = "zhao"
TABS_MAX = 90
"""How many presses of Tab anything may be away that is looked for."""


@pytest.fixture
async def console(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[ServedConsole]:
    """The console with made-up workers who applied, one of them in a chat, and somebody who may do everything."""
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, SystemClock()) as bot, serving(bot) as served:
        records = bot.records
        await seed(records)
        screening = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
        assert screening is not None
        await records.programmes.edit(replace(screening, review_mode=ReviewMode.BY_STAFF), editor="test", note="-")
        await add_workers(records)
        await records.inbox.escalate("o-quiet", "general", "想问入会", "k-quiet", reason="asked", county="520628")
        await records.inbox.record_inbound("o-quiet", "m-quiet", text="送外卖的能入会吗")
        await served.add(MASTER, "programme_manager", "chat_agent", "administrator", name="赵老师")
        yield served


# With scripts switched off


@asynccontextmanager
async def without_scripts(browser: Browser, console: ServedConsole) -> AsyncIterator[Page]:
    context = await browser.new_context(java_script_enabled=False, viewport=OFFICE, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{console.base}/login")
    await page.get_by_label("用户名").fill(MASTER)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url(f"{console.base}/")
    yield page
    await context.close()


async def test_a_day_of_reviewing_without_scripts(console: ServedConsole) -> None:
    async with chromium() as browser, without_scripts(browser, console) as page:
        await page.get_by_role("link", name="报名待审核").click()
        links = page.locator("tbody td.num a")
        first, second = [(await links.nth(at).inner_text()).strip() for at in (0, 1)]
        await page.get_by_label("找一个人").fill(first)
        await page.get_by_role("button", name="查找").click()
        await expect(page.get_by_role("heading", name=first)).to_be_visible()
        await expect(page.get_by_role("heading", name="历史")).to_be_visible()

        await page.get_by_role("link", name="退回补正").click()
        await page.locator("input[name=items]").first.check()
        await page.get_by_label("原因").select_option(index=1)
        await page.get_by_role("button", name="退回补正").click()
        await expect(page.get_by_text("已办：退回补正")).to_be_visible()
        await expect(page.get_by_text("退回补正").first).to_be_visible()

        await page.get_by_role("link", name="下一份待审核").click()
        await expect(page.get_by_role("heading", name=second)).to_be_visible()
        await page.get_by_role("link", name="通过", exact=True).click()
        await page.get_by_label("原因").select_option(label="符合本期规则")
        await page.get_by_role("button", name="通过", exact=True).click()
        await expect(page.get_by_text("已办：已通过")).to_be_visible()

        await page.get_by_text("查看", exact=True).first.click()
        await page.get_by_label("为什么要看").first.fill("电话核对本人")
        await page.get_by_role("button", name="查看", exact=True).first.click()
        await expect(page.locator("mark").first).to_be_visible()


async def test_many_at_once_without_scripts(console: ServedConsole) -> None:
    async with chromium() as browser, without_scripts(browser, console) as page:
        await page.goto(f"{console.base}/registrations?status=pending")
        for at in (0, 1):
            await page.locator("tbody input[name=receipt]").nth(at).check()
        await page.get_by_label("要做的操作").select_option(label="通过")
        await page.get_by_role("button", name="下一步").click()
        await page.get_by_label("原因").select_option(label="符合本期规则")
        await page.get_by_role("button", name="通过 2 份").click()
        await expect(page.locator("noscript p")).to_contain_text("刷新这一页看最新进度")
        await console.run_tasks(MASTER)
        await page.reload()
        await expect(page.get_by_text("已结束")).to_be_visible()
        await page.get_by_role("link", name="撤回这一批").click()
        await page.get_by_role("button", name="撤回 2 份").click()
        await console.run_tasks(MASTER)
        await page.reload()
        await expect(page.get_by_text("全部都办成了")).to_be_visible()


async def test_words_chats_and_figures_without_scripts(console: ServedConsole) -> None:
    async with chromium() as browser, without_scripts(browser, console) as page:
        await page.get_by_role("link", name="听不懂的话", exact=True).click()
        meant = page.locator("article .meanings button").first
        label = (await meant.inner_text()).strip()
        await meant.click()
        await expect(page.get_by_role("status").get_by_text("下次训练会用上")).to_be_visible()
        assert label

        await page.get_by_role("link", name="会话", exact=True).click()
        await page.locator(".chats a", has_text="送外卖的能入会吗").click()
        await expect(page.locator(".messages").get_by_text("送外卖的能入会吗")).to_be_visible()
        await page.get_by_label("回复").fill("能入，就近找乡镇街道工会。")
        await page.get_by_role("button", name="接待并发送").click()
        await expect(page.locator(".messages").get_by_text("就近找乡镇街道工会")).to_be_visible()

        await page.get_by_role("link", name="报表", exact=True).click()
        await page.get_by_role("link", name="本月").click()
        await page.get_by_text("看数字").first.click()
        await expect(page.locator("details[open] table").first).to_be_visible()


# By the keyboard alone


class Keyboard:
    """A page that is only ever typed at. Wherever the focus goes, it must be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._keys = page.keyboard

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._keys.press(key)

    async def write(self, text: str) -> None:
        await self._keys.insert_text(text)

    async def to(self, wanted: Locator, key: str = "Tab") -> None:
        """Press ``key`` until ``wanted`` has the focus; every stop on the way shows where one is."""
        for _ in range(TABS_MAX):
            await self._keys.press(key)
            await self.sees_focus()
            if await wanted.evaluate("(one) => one === document.activeElement"):
                return
        raise AssertionError(f"{wanted} is not reached by {key}")

    async def sees_focus(self) -> None:
        """Fail unless something on the page has the focus, lies on top, and is marked."""
        trouble = await self.page.evaluate(FOCUS)
        assert trouble == "", trouble

    async def choose(self, label: str) -> None:
        """Choose in the list that has the focus, as one does by typing what it begins with."""
        focused = self.page.locator("select:focus")
        options = [text.strip() for text in await focused.locator("option").all_inner_texts()]
        at = await focused.evaluate("(one) => one.selectedIndex")
        for _ in range(options.index(label) - at):
            await self._keys.press("ArrowDown")
        assert await focused.evaluate("(one) => one.selectedOptions[0].text.trim()") == label


FOCUS = """
() => {
  const one = document.activeElement;
  // Beyond the last stop the browser itself has the focus, and Tab comes back to the page.
  if (!one || one === document.body) return "";
  const said = one.outerHTML.slice(0, 160), style = getComputedStyle(one), box = one.getBoundingClientRect();
  if (box.width === 0 || box.height === 0) return `not to be seen: ${said}`;
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) return `not marked: ${said}`;
  const x = box.left + Math.min(box.width, innerWidth - box.left) / 2;
  const top = document.elementFromPoint(x, box.top + Math.min(box.height / 2, 12));
  if (!top) return `off the screen: ${said}`;
  const isOnTop = one.contains(top) || top.contains(one) || top.closest("label")?.control === one;
  return isOnTop ? "" : `hidden: ${said} by ${top.outerHTML.slice(0, 120)}`;
}
"""


@asynccontextmanager
async def by_keyboard(browser: Browser, console: ServedConsole, path: str) -> AsyncIterator[Keyboard]:
    context = await browser.new_context(viewport=OFFICE, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = await context.new_page()
    await page.goto(f"{console.base}/login?next={path}")
    keys = Keyboard(page)
    await expect(page.get_by_label("用户名")).to_be_focused()
    await keys.write(MASTER)
    await keys.press("Tab")
    await keys.write(PASSWORD)
    await keys.press("Enter")
    await page.wait_for_url(f"{console.base}{path}")
    yield keys
    await context.close()


async def test_one_is_approved_from_the_list_by_keyboard(console: ServedConsole) -> None:
    async with chromium() as browser, by_keyboard(browser, console, "/registrations") as keys:
        page = keys.page
        tab = page.locator("nav[aria-label=状态] a", has_text="待审核")
        await keys.to(tab)
        await keys.press("Enter")
        await page.wait_for_url("**/registrations?status=pending")
        await expect(page.locator("nav[aria-label=状态] a[aria-current]")).to_contain_text("待审核")
        await expect(tab).to_be_focused()

        await keys.press("j", "j")
        await keys.sees_focus()
        receipt = (await page.locator("tr.current a").first.inner_text()).strip()
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name=receipt)).to_be_visible()

        approve = page.locator(".steps a", has_text=re.compile("^通过$"))
        await keys.to(approve)
        await keys.press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await keys.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(approve).to_be_focused()
        await keys.sees_focus()

        await keys.press("Enter")
        await expect(dialog.get_by_label("原因")).to_be_focused()
        await keys.choose("符合本期规则")
        await keys.to(dialog.get_by_role("button", name="通过", exact=True))
        await keys.press("Enter")
        await expect(page.get_by_role("status").get_by_text("已办：已通过")).to_be_visible()


async def test_the_focus_stays_in_the_dialog(console: ServedConsole) -> None:
    async with chromium() as browser, by_keyboard(browser, console, "/registrations?status=pending") as keys:
        page = keys.page
        await keys.press("j", "Enter")
        await expect(page.get_by_role("heading", name="预检")).to_be_visible()
        await keys.to(page.locator(".steps a", has_text="不通过"))
        await keys.press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        for _ in range(12):
            await keys.press("Tab")
            inside = "() => document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            assert await page.evaluate(inside)


async def test_many_are_decided_about_and_taken_back_by_keyboard(console: ServedConsole) -> None:
    async with chromium() as browser, by_keyboard(browser, console, "/registrations?status=pending") as keys:
        page = keys.page
        await keys.press("j", "x", "j", "x")
        await expect(page.get_by_text("已勾选 2 份")).to_be_visible()
        await keys.press("b")
        await expect(page.get_by_label("要做的操作")).to_be_focused()
        await keys.sees_focus()
        await keys.choose("通过")
        await keys.press("Tab")
        await expect(page.get_by_role("button", name="下一步")).to_be_focused()
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="通过 2 份报名？")).to_be_visible()
        await keys.to(page.get_by_label("原因"))
        await keys.choose("符合本期规则")
        await keys.to(page.get_by_role("button", name="通过 2 份"))
        await keys.press("Enter")
        await expect(page.get_by_text("进行中")).to_be_visible()

        # The page renews its state every two seconds; whoever stands on something in it stays there.
        every = page.locator("nav[aria-label=明细] a", has_text="全部")
        await keys.to(every)
        async with page.expect_response(re.compile(r"/registrations/bulk/\d+$")):
            await asyncio.sleep(0)
        await expect(every).to_be_focused()
        await console.run_tasks(MASTER)
        await expect(page.get_by_text("已结束")).to_be_visible()
        await expect(every).to_be_focused()

        undo = page.get_by_role("link", name="撤回这一批")
        await keys.to(undo, "Shift+Tab")
        await keys.press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("heading")).to_be_focused()
        await keys.press("Escape")
        await expect(undo).to_be_focused()
        await keys.press("Enter")
        await expect(dialog).to_be_visible()
        await keys.to(dialog.get_by_role("button", name="撤回 2 份"))
        await keys.press("Enter")
        await expect(page.get_by_text("进行中")).to_be_visible()
        await console.run_tasks(MASTER)
        await expect(page.get_by_text("全部都办成了")).to_be_visible()


async def test_a_chat_is_answered_by_keyboard(console: ServedConsole) -> None:
    async with chromium() as browser, by_keyboard(browser, console, "/inbox?tab=waiting") as keys:
        page = keys.page
        await keys.press("j")
        await keys.sees_focus()
        chat = page.locator(".chats a", has_text="送外卖的能入会吗")
        if not await chat.evaluate("(one) => one === document.activeElement"):
            await keys.to(chat, "j")
        await keys.press("Enter")
        await expect(page.locator(".messages").get_by_text("送外卖的能入会吗")).to_be_visible()
        await keys.press("r")
        await expect(page.get_by_label("回复")).to_be_focused()
        await keys.sees_focus()
        await keys.write("能入，就近找乡镇街道工会。")
        await keys.press("Control+Enter")
        await expect(page.locator(".messages").get_by_text("就近找乡镇街道工会")).to_be_visible()
        await expect(page.get_by_label("回复")).to_be_focused()

        # What comes in renews list and conversation; the focus stays on what it was on.
        transfer = page.get_by_role("link", name="转交")
        await keys.to(transfer, "Shift+Tab")
        await console.records.inbox.record_inbound("o-quiet", "m-second", text="那要交多少钱")
        await expect(page.locator(".messages").get_by_text("那要交多少钱")).to_be_visible()
        await expect(transfer).to_be_focused()
        await keys.press("e")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await keys.press("Escape")
        await expect(dialog).to_be_hidden()
        await keys.sees_focus()
        await keys.press("e")
        await keys.to(dialog.get_by_role("button", name="结束会话"))
        await keys.press("Enter")
        await expect(page.get_by_role("status").get_by_text("机器人继续接待")).to_be_visible()


async def test_the_check_of_the_focus_sees_what_it_is_for(console: ServedConsole) -> None:
    async with chromium() as browser, by_keyboard(browser, console, "/registrations") as keys:
        await keys.to(keys.page.locator("nav[aria-label=状态] a").first)
        style = "document.activeElement.style"
        for fault, said in (("outline = '0'", "not marked"), ("display = 'none'", "")):
            await keys.page.evaluate(f"() => {{ {style}.{fault} }}")
            if said:
                with pytest.raises(AssertionError, match=said):
                    await keys.sees_focus()

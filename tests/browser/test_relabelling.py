"""The review list by keyboard, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.app.assistant import open_bot
from bot.understanding.models import Guess
from bot.understanding.review.models import Filter, Reason, Status, Turn
from bot.values.clock import SystemClock
from tests.browser.staff import CHROMIUM, chromium, signed_in, take_picture
from tests.console.served import serving
from tests.support.assistant import settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")
SAID = ("那个号头咋整的哦", "我婆娘那个体检改到下个礼拜得不得行", "你们说的那个券是不是要先入会才有")


async def test_the_queue_moves_on_by_keyboard(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, SystemClock()) as bot, serving(bot) as console, chromium() as browser:
        reviews = bot.records.reviews
        for number, text in enumerate(SAID):
            guesses = (Guess("check_status", 0.41), Guess("change_registration", 0.33), Guess("faq_coupons", 0.1))
            turn = Turn(f"key-{number}", "o-1", bot.records.clock.now(), text, guesses, "model-1", ())
            await reviews.add(turn, Reason.ASKED_BACK)
        await console.add("wu", "chat_agent", name="吴老师")
        page = await signed_in(browser, console.base, "wu")
        await page.get_by_role("link", name="听不懂的话", exact=True).click()
        await page.wait_for_url("**/review")
        await expect(page.get_by_role("heading", name="听不懂的话")).to_be_visible()
        for key in ("j", "3"):
            await page.keyboard.press(key)
        await expect(page.get_by_text("已标为 问消费券")).to_be_visible()
        await expect(page.locator("article.current")).to_contain_text(SAID[1])
        await page.keyboard.press("2")
        await expect(page.get_by_text("已标为 改报名")).to_be_visible()
        await expect(page.locator("article.current")).to_contain_text(SAID[0])
        await take_picture(page, "console-review")
        await page.keyboard.press("d")
        await expect(page.locator("article").get_by_text("已略过", exact=True)).to_be_visible()
        await page.keyboard.press("u")
        await expect(page.get_by_role("button", name="略过，没有可学的")).to_be_visible()
        items = {item.said: (item.status, item.label) for item in (await reviews.page(Filter())).items}
        assert items == {
            SAID[2]: (Status.RELABELLED, "faq_coupons"),
            SAID[1]: (Status.RELABELLED, "change_registration"),
            SAID[0]: (Status.OPEN, None),
        }

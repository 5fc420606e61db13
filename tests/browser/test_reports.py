"""Reports in a real browser: from the whole to a day, and a workbook that is written while the page looks on."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect
from python_calamine import CalamineWorkbook

from bot.app.assistant import Bot, open_bot
from bot.app.tasks import task_runner_of
from bot.commands.demo_people import add_workers
from bot.commands.run import seed
from bot.inbox.models import Chat, Satisfaction
from bot.reports.chat_rollups import ChatRollups
from bot.reports.rollups import TurnRollups
from bot.values.clock import SystemClock
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import serving
from tests.reports.turns import turn
from tests.support.assistant import settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")

INTENTS = (
    "check_status",
    "faq_work_study",
    "faq_health_screening",
    "book_health_screening",
    "consult_lawyer",
    "thank",
)
RATINGS = (Satisfaction.SATISFIED, Satisfaction.SATISFIED, Satisfaction.FAIR, Satisfaction.DISSATISFIED, None)


async def _fill(bot: Bot) -> None:
    """Sixty days of turns and chats, the same in every run."""
    records, now = bot.records, bot.records.clock.now().replace(hour=0, minute=5)
    await seed(records)
    await add_workers(records)
    turns, chats = [], []
    for back in range(60):
        for number in range(12 + back * 7 % 11 + (60 - back) // 6):
            at = now - timedelta(days=back) + timedelta(minutes=420 + number * 37 % 840)
            certainty = (None, "sure", "sure", "sure", "unsure", None, "sure", "lost")[number * 5 % 8]
            intent = INTENTS[(number * 3 + back) % len(INTENTS)] if certainty in ("sure", "unsure") else None
            turns.append(turn(f"{back}-{number}", at, intent=intent, certainty=certainty, openid=f"o-{number % 9}"))
        for number in range(back % 4):
            opened = now - timedelta(days=back) + timedelta(hours=9 + number)
            answered = opened + timedelta(minutes=2 + back * 3 % 40)
            chats.append(
                Chat(
                    openid=f"c-{back}-{number}",
                    topic="other",
                    status="closed",
                    idempotency_key=f"{back}-{number}",
                    opened_at=opened,
                    first_answer_at=answered,
                    closed_at=answered + timedelta(minutes=12),
                    satisfaction=(rating := RATINGS[(back + number) % len(RATINGS)]),
                    rated_at=answered + timedelta(minutes=20) if rating is not None else None,
                )
            )
    await records.turn_log.write(turns)
    async with records.database.transaction() as session:
        session.add_all(chats)
    rollups = TurnRollups(records.database, records.clock)
    while await rollups.renew():
        pass
    chat_rollups = ChatRollups(records.database, records.clock)
    while await chat_rollups.renew():
        pass


async def test_figures_lead_to_a_day_and_to_a_workbook(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, SystemClock()) as bot, serving(bot) as console, chromium() as browser:
        await _fill(bot)
        await console.add("liu", "programme_manager", name="刘主任")
        page = await signed_in(browser, console.base, "liu")
        await page.get_by_role("link", name="报表", exact=True).click()
        await page.wait_for_url("**/reports")
        await expect(page.get_by_role("img", name="每天的消息，本期和上期")).to_be_visible()
        await take_picture(page, "console-reports")
        phone = await signed_in(browser, console.base, "liu", PHONE)
        await phone.goto(f"{console.base}/reports")
        await take_picture(phone, "console-reports-phone")
        await page.get_by_role("link", name="按天和用时细看").click()
        await expect(page.get_by_role("img", name="首次回复用了多久")).to_be_visible()
        await take_picture(page, "console-reports-chats")
        await page.go_back()
        await page.get_by_role("link", name="近 7 天").click()
        await expect(page.get_by_role("link", name="近 7 天")).to_have_attribute("aria-current", "true")
        await page.locator("summary", has_text="看数字").first.click()
        yesterday = bot.records.clock.now().date() - timedelta(days=1)
        await page.get_by_role("link", name=f"{yesterday}").click()
        await expect(page.get_by_role("heading", name="各时段")).to_be_visible()
        await page.get_by_role("link", name="报表", exact=True).first.click()
        await page.get_by_role("button", name="导出 Excel").click()
        await page.wait_for_url("**/tasks")
        await expect(page.get_by_text("排队中")).to_be_visible()
        runner = task_runner_of(bot.records)
        working = asyncio.create_task(bot.task_stream.listen(runner.run, runner.stop))
        # Nobody reloads: the rows renew themselves.
        await expect(page.get_by_text("已完成")).to_be_visible(timeout=30_000)
        await take_picture(page, "console-tasks")
        async with page.expect_download() as download:
            await page.get_by_role("link", name=".xlsx").click()
        saved = await (await download.value).path()
        assert "消息（按天）" in CalamineWorkbook.from_path(saved).sheet_names
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working

"""A lawyer in a real browser: the queue, the comparison with clients, the case, a note, the end; also on a phone.

With ``BOT_TEST_PICTURES=docs/images`` the pictures of the documentation are taken on the way.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.app.assistant import open_bot
from bot.legal.models import CaseDraft, CaseStatus, Scope
from bot.values.clock import MovedClock
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import ServedConsole, serving
from tests.support.assistant import settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")
SONGTAO = "520628"
MATTERS = (
    CaseDraft(
        openid="o-1",
        topic="W1",
        county=SONGTAO,
        name="杨晓明",
        phone="13812345678",
        employer="铜仁鸿运建筑公司",
        people_count=13,
        story="去年10月到12月的工钱没给，老板说没得钱，问了好几回。",
        facts={"unpaid_period": "10月到12月", "employed": "no", "left_on": "2026-01-10"},
    ),
    CaseDraft(openid="o-2", topic="W4", county=SONGTAO, employer="某餐饮店", story="喊我明天不用来了。"),
    CaseDraft(openid="o-3", topic="W6", county=SONGTAO, employer="某采石场", story="干活时手遭压伤了。"),
)


@pytest.fixture
async def console(
    seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> AsyncIterator[ServedConsole]:
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, clock) as bot, serving(bot) as served:
        await served.add("yang", "lawyer", county=SONGTAO, name="杨律师")
        yield served


async def test_a_lawyer_takes_a_case_reads_it_and_ends_it(console: ServedConsole) -> None:
    receipts = [
        (await console.records.cases.open_case(draft, f"k-{number}")).receipt for number, draft in enumerate(MATTERS)
    ]
    async with chromium() as browser:
        page = await signed_in(browser, console.base, "yang")
        await page.get_by_role("link", name="待接案件").first.click()
        row = page.get_by_role("row").filter(has_text=receipts[0])
        await expect(row.get_by_text("群体 13 人")).to_be_visible()
        await take_picture(page, "console-legal-waiting")

        await row.get_by_role("link", name="接案").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_text("未发现利益冲突")).to_be_visible()
        await dialog.get_by_role("button", name="接案").click()
        await expect(page.get_by_text("已接案，请在约定时间内联系职工")).to_be_visible()
        await expect(page.get_by_text("去年10月到12月的工钱没给")).to_be_visible()
        await expect(page.get_by_text("138****5678")).to_be_visible()
        await take_picture(page, "console-legal-case")

        hand = await signed_in(browser, console.base, "yang", PHONE)
        await hand.goto(f"{console.base}/legal/{receipts[0]}")
        await expect(hand.get_by_text("去年10月到12月的工钱没给")).to_be_visible()
        assert await hand.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page fits the phone"
        await take_picture(hand, "console-legal-case-phone")

        await page.get_by_role("button", name="联系上了").click()
        await expect(page.get_by_text("已记下第 1 次联系")).to_be_visible()
    case = (await console.records.case_desk.case(receipts[0], Scope())).summary
    assert (case.status, case.assigned_to) == (CaseStatus.CONTACTED, "yang")

"""Accounts, codes, the trail and a follower's data in a real browser."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import expect

from bot.app.assistant import open_bot
from bot.app.tasks import task_runner_of
from bot.commands.demo_people import add_workers
from bot.values.clock import MovedClock
from tests.browser.staff import CHROMIUM, OFFICE, PHONE, chromium, signed_in, take_picture
from tests.console.served import ServedConsole, serving
from tests.support.assistant import settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")


@pytest.fixture
async def console(
    seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> AsyncIterator[ServedConsole]:
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, clock) as bot, serving(bot) as served:
        yield served


async def _work_off(console: ServedConsole) -> None:
    """Do what chief has started last, as a worker would."""
    [task] = await console.records.tasks.of("chief", limit=1)
    await task_runner_of(console.records).run(task.id)


async def test_a_colleague_is_let_in_and_sets_up_a_code(console: ServedConsole, clock: MovedClock) -> None:
    await console.add("chief", "administrator", name="陈主任")
    async with chromium() as browser:
        page = await signed_in(browser, console.base, "chief")
        await page.get_by_role("link", name="账号", exact=True).click()
        await page.get_by_role("link", name="新建账号").click()
        await page.get_by_label("用户名").fill("li.xiaolan")
        await page.get_by_label("姓名").fill("李小兰")
        await page.get_by_label("区县审核员").check()
        await page.get_by_label("区县", exact=True).select_option(label="松桃")
        await page.get_by_role("button", name="新建，生成一次性密码").click()
        password = await page.locator("#one-time-password").inner_text()
        await take_picture(page, "console-one-time-password")

        own = await (await browser.new_context(viewport=OFFICE, locale="zh-CN")).new_page()
        await own.goto(f"{console.base}/login")
        await take_picture(own, "console-login")
        await own.get_by_label("用户名").fill("li.xiaolan")
        await own.get_by_label("密码").fill(password)
        await own.get_by_role("button", name="登录").click()
        await expect(own.get_by_role("heading", name="请先改掉一次性密码")).to_be_visible()
        await own.get_by_label("一次性密码").fill(password)
        await own.get_by_label(re.compile("^新密码")).fill("锦江边上晨跑两公里。")
        await own.get_by_label("再输一次新密码").fill("锦江边上晨跑两公里。")
        await take_picture(own, "console-password")
        await own.get_by_role("button", name="改密码").click()
        await expect(own.get_by_text("密码改好了")).to_be_visible()

        await own.goto(f"{console.base}/account/code")
        secret = (await own.locator(".secret").inner_text()).replace(" ", "")
        await take_picture(own, "console-code")
        await own.get_by_label(re.compile("^验证码")).fill(pyotp.TOTP(secret).at(clock.now()))
        await own.get_by_role("button", name="开启").click()
        await expect(own.locator(".codes code")).to_have_count(10)
        await take_picture(own, "console-recovery")
        clock.move(timedelta(seconds=30))
        await own.goto(f"{console.base}/account")
        await take_picture(own, "console-account")

        other = await (await browser.new_context(viewport=PHONE, locale="zh-CN")).new_page()
        await other.goto(f"{console.base}/login")
        await other.get_by_label("用户名").fill("li.xiaolan")
        await other.get_by_label("密码").fill("锦江边上晨跑两公里。")
        await other.get_by_role("button", name="登录").click()
        await other.get_by_label(re.compile("验证码")).fill("000000")
        await other.get_by_role("button", name="登录").click()
        await expect(other.get_by_text("验证码不对或已经用过")).to_be_visible()
        await take_picture(other, "console-login-code")
        await other.get_by_label(re.compile("验证码")).fill(pyotp.TOTP(secret).at(clock.now()))
        await other.get_by_role("button", name="登录").click()
        await expect(other.get_by_role("heading", name=re.compile("李小兰"))).to_be_visible()
        await other.goto(f"{console.base}/account")
        await take_picture(other, "console-account-phone")

        await page.goto(f"{console.base}/staff")
        await expect(page.get_by_role("row", name=re.compile("李小兰"))).to_contain_text("已开启")
        await take_picture(page, "console-staff")
        await page.get_by_role("link", name="李小兰").click()
        await take_picture(page, "console-staff-account")
        await page.get_by_role("link", name="停用").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("现在登录着 2 处")
        await take_picture(page, "console-staff-lock")
        await dialog.get_by_label("事由").fill("停")
        await dialog.get_by_role("button", name="停用").click()
        await expect(dialog).to_contain_text("至少 4 个字")
        await dialog.get_by_label("事由").fill("调离本单位")
        await dialog.get_by_role("button", name="停用").click()
        await expect(page.get_by_text("账号已停用")).to_be_visible()
        await own.reload()
        await expect(own.get_by_label("用户名")).to_be_visible()


async def test_a_follower_is_found_looked_at_and_erased_and_the_trail_shows_it(
    console: ServedConsole,
) -> None:
    await console.add("chief", "administrator", name="陈主任")
    await add_workers(console.records)
    async with chromium() as browser:
        page = await signed_in(browser, console.base, "chief")
        await page.get_by_role("link", name="职工个人信息").click()
        await page.get_by_label("要找的人").fill("13800000001")
        await take_picture(page, "console-follower-find")
        await page.get_by_role("button", name="查找").click()
        await expect(page.get_by_role("heading", name="龙*芳")).to_be_visible()
        await expect(page.get_by_text("13800000001")).to_have_count(0)
        follower = page.url
        assert "1380000" not in follower
        await take_picture(page, "console-follower")
        phone = page.locator("#at-registrations-0-particulars-phone")
        await phone.get_by_text("查看", exact=True).click()
        await phone.get_by_label("为什么要看").fill("本人来电更正号码")
        await phone.get_by_role("button", name="查看并留痕").click()
        await expect(phone).to_contain_text("13800000001")
        await take_picture(page, "console-follower-shown")
        await page.get_by_role("link", name="导出一份给本人").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("事由").fill("本人到窗口书面申请")
        await take_picture(page, "console-follower-export")
        await dialog.get_by_role("button", name="开始导出").click()
        await expect(page.get_by_text("导出个人信息")).to_be_visible()
        await _work_off(console)
        await expect(page.get_by_role("link", name=re.compile("个人信息-.*zip"))).to_be_visible()

        await page.goto(follower)
        await page.get_by_role("link", name="删除全部").click()
        await take_picture(page, "console-follower-erase")
        await page.get_by_label("事由").fill("本人书面申请删除")
        await page.get_by_label("输入").fill("删除")
        await page.get_by_role("button", name="永久删除").click()
        await expect(page.get_by_text("已删除，共")).to_be_visible()
        await page.get_by_label("要找的人").fill("13800000001")
        await page.get_by_role("button", name="查找").click()
        await expect(page.get_by_text("没有找到")).to_be_visible()

        await page.get_by_role("link", name="审计日志").click()
        await expect(page.get_by_role("row", name=re.compile("本人书面申请删除"))).to_contain_text("删除")
        await page.get_by_role("button", name="现在校验").click()
        await _work_off(console)
        await page.goto(f"{console.base}/trail")
        await expect(page.get_by_text("校验完好")).to_be_visible()
        await take_picture(page, "console-trail")
        phone_page = await signed_in(browser, console.base, "chief", PHONE)
        await phone_page.goto(f"{console.base}/trail?action=privacy:follower:unmask")
        await take_picture(phone_page, "console-trail-phone")

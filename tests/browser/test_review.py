"""Staff review in a browser: one approved, one sent back (the phone says so), many at once, a file, the door.

With ``BOT_TEST_PICTURES=docs/images`` the pictures of the documentation are taken on the way.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from python_calamine import CalamineWorkbook

from bot.app.tasks import registration_desk
from bot.app.worker import worker_of
from bot.commands.demo_people import add_workers
from bot.programmes.models import Programme, ProgrammeKind, ReviewMode
from bot.registrations.outcomes import Application, FreeSlot, Moved, Submitted
from bot.registrations.review import Decision
from bot.registrations.statuses import Actor, ActorKind
from bot.values.clock import LOCAL_ZONE, SystemClock
from bot.values.identity import Sex, check_character
from tests.browser.staff import CHROMIUM, PHONE, chromium, signed_in, take_picture
from tests.console.served import ServedConsole, serving
from tests.support.assistant import Assistant, running_assistant, settings_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
REVIEWER = "zhao"


class Ahead(SystemClock):
    """The machine's clock, put forward."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.by


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
async def assistant(sqlite_url: str, redis_url: str, tmp_path: Path, clock: Ahead) -> AsyncIterator[Assistant]:
    """The whole assistant with its worker at work, and made-up people who applied."""
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with running_assistant(settings, clock) as running:
        programmes = running.bot.records.programmes
        screening = await programmes.current(ProgrammeKind.HEALTH_SCREENING)
        assert screening is not None
        await programmes.edit(replace(screening, review_mode=ReviewMode.BY_STAFF), editor="test", note="by staff")
        await add_workers(running.bot.records)
        worker = asyncio.create_task(worker_of(running.bot, "worker-of-tests").run())
        yield running
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


@pytest.fixture
async def console(assistant: Assistant) -> AsyncIterator[ServedConsole]:
    async with serving(assistant.bot) as served:
        await served.add(REVIEWER, "programme_manager", name="赵老师")
        yield served


async def follower(browser: Browser, assistant: Assistant) -> tuple[Locator, str]:
    """Let a worker follow the account on a phone; return the chat and who it is."""
    page = await (await browser.new_context(viewport=PHONE)).new_page()
    await page.goto(assistant.platform.base_url)
    await page.get_by_role("button", name="杨师傅").click()
    await page.get_by_role("button", name="关注公众号").click()
    log = page.locator(".phone").first.get_by_role("log")
    await expect(log.get_by_text("欢迎关注").last).to_be_visible()
    return log, assistant.platform.followers.everyone()[0].openid


async def applied(assistant: Assistant, openid: str) -> str:
    """An application for work-study without its materials, by somebody who follows."""
    records = assistant.bot.records
    programme = await records.programmes.current(ProgrammeKind.WORK_STUDY)
    assert programme is not None
    number = "52229920060917004"
    outcome = await records.registrations.submit(
        Application(
            programme_id=programme.id,
            openid=openid,
            key="browser",
            name="杨小妹",
            phone="13912340000",
            id_number=number + check_character(number),
            birth_date=date(2006, 9, 17),
            sex=Sex.FEMALE,
            county="520628",
            answers={
                "ws_student_school": "铜仁学院",
                "ws_student_grade": "大二",
                "ws_student_major": "护理",
                "ws_hardship": "illness",
                "ws_hardship_note": "父亲上半年住院",
            },
            consents={"general": 1, "sensitive": 2, "third_party": 3},
        )
    )
    assert isinstance(outcome, Submitted), outcome
    return outcome.receipt


async def test_one_is_sent_back_and_the_worker_reads_it(assistant: Assistant, console: ServedConsole) -> None:
    async with chromium() as browser:
        log, openid = await follower(browser, assistant)
        receipt = await applied(assistant, openid)
        desk = await signed_in(browser, console.base, REVIEWER)
        await desk.get_by_role("link", name="报名待审核").click()
        await desk.get_by_placeholder("受理号、姓名、证件号码、手机号").fill("杨小妹")
        await desk.get_by_role("button", name="查找").click()
        await desk.get_by_role("link", name=receipt).click()
        await expect(desk.get_by_role("heading", name="本人")).to_be_visible()
        await take_picture(desk, "console-registration")

        await desk.get_by_role("link", name="退回补正").click()
        dialog = desk.get_by_role("dialog")
        await expect(dialog.get_by_text("一次勾全")).to_be_visible()
        await dialog.get_by_label("学生证").check()
        await dialog.get_by_label("原因").select_option(label="材料不齐，请补交")
        await dialog.get_by_role("button", name="退回补正").click()
        await expect(desk.get_by_text("已办：退回补正")).to_be_visible()
        await expect(log.get_by_text(f"还差一点，受理号{receipt}").last).to_be_visible()

        # It was a mistake: the worker is told so, and what is right.
        await desk.get_by_role("link", name="撤回上一步").click()
        await dialog.get_by_role("button", name="撤回上一步").click()
        await expect(desk.get_by_text("已撤回，现在是“待审核”")).to_be_visible()
        await expect(log.get_by_text(f"通知发错了。您的报名还在审核，受理号{receipt}").last).to_be_visible()


async def test_a_slot_is_moved_and_the_worker_reads_the_new_time(
    assistant: Assistant, console: ServedConsole
) -> None:
    async with chromium() as browser:
        log, openid = await follower(browser, assistant)
        receipt, programme, taken, target = await _booked(assistant, openid)
        desk = await signed_in(browser, console.base, REVIEWER)
        await desk.goto(f"{console.base}/programmes/{programme.id}/slots?week={taken.day}&county=520628")
        await desk.locator(f'input[name="slot"][value="{taken.slot_id}"]').check()
        await desk.get_by_role("button", name="处理勾选的时段").click()
        await desk.get_by_role("link", name="把人转走").click()
        await desk.locator(f'input[name="target"][value="{target.slot_id}"]').check()
        await desk.get_by_role("button", name="看能不能坐下").click()
        await expect(desk.get_by_text(re.compile(r"[1-9] 人转到新的时段，名额不丢"))).to_be_visible()
        await take_picture(desk, "console-slot-move")
        await desk.get_by_label("原因").fill("医生外出培训")
        await desk.get_by_role("button", name="转走并通知").click()
        await expect(desk.get_by_role("heading", name="后台任务")).to_be_visible()
        await console.run_tasks(REVIEWER)
        await expect(desk.get_by_text(re.compile(r"转走 [1-9]"))).to_be_visible()
        told = log.get_by_text(f"受理号{receipt}。发“查进度”看地点").last
        await expect(told).to_contain_text(f"{target.day.day}日")
        await expect(told).to_contain_text(f"{target.start.hour}:{target.start.minute:02d}")
        await desk.goto(f"{console.base}/programmes/{programme.id}/slots?week={taken.day}&county=520628")
        await expect(desk.locator("label.slot.closed").first).to_be_visible()
    moved = await assistant.bot.records.registrations.find_by_receipt(receipt, openid)
    assert moved is not None
    assert moved.slot is not None
    assert moved.slot.id == target.slot_id


async def _booked(assistant: Assistant, openid: str) -> tuple[str, Programme, FreeSlot, FreeSlot]:
    """Book the first free time for a follower; return the receipt, the time, and another one of that day."""
    records = assistant.bot.records
    programme = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    taken, target, *_ = await records.registrations.slots(programme.id, county="520628")
    first = "52229919800520011"
    outcome = await records.registrations.submit(
        Application(
            programme_id=programme.id,
            openid=openid,
            key="browser-slot",
            name="龙小芳",
            phone="13711110000",
            id_number=first + check_character(first),
            birth_date=date(1980, 5, 20),
            sex=Sex.FEMALE,
            county="520628",
            slot_id=taken.slot_id,
            answers={"hs_category": "outdoor", "hs_items": ["breast"]},
            consents={"general": 1, "sensitive": 2, "third_party": 3},
        )
    )
    assert isinstance(outcome, Submitted), outcome
    return outcome.receipt, programme, taken, target


async def test_one_is_approved_and_then_many(console: ServedConsole, tmp_path: Path) -> None:
    async with chromium() as browser:
        desk = await signed_in(browser, console.base, REVIEWER)
        await desk.goto(f"{console.base}/registrations?status=pending&sort=oldest")
        await desk.keyboard.press("j")
        await desk.keyboard.press("Enter")
        await desk.get_by_role("link", name="通过", exact=True).click()
        dialog = desk.get_by_role("dialog")
        await expect(dialog.get_by_text("占用一个名额，并通知本人")).to_be_visible()
        await dialog.get_by_label("原因").select_option(label="符合本期规则")
        await dialog.get_by_role("button", name="通过", exact=True).click()
        await expect(desk.get_by_text("已办：已通过")).to_be_visible()

        await _approve_many(desk, console)
        await _export(desk, console, tmp_path)


async def test_who_comes_is_checked_in_on_a_phone(assistant: Assistant, console: ServedConsole, clock: Ahead) -> None:
    site, day = await _booked_out(assistant, 5)
    clock.by = datetime.combine(day, time(8, 20), LOCAL_ZONE) - clock.now()
    async with chromium() as browser:
        hand = await signed_in(browser, console.base, REVIEWER, PHONE)
        await hand.get_by_role("link", name="今天预约到场").click()
        await hand.locator(f'a[href="/attendance/{site}/{day}"]').click()
        await hand.get_by_role("button", name="到场").first.click()
        await hand.get_by_placeholder("受理号后几位").fill("15")
        await hand.get_by_role("button", name="查", exact=True).click()
        await expect(hand.get_by_text("查到 1 位")).to_be_visible()
        await hand.get_by_role("button", name="到场").click()
        await expect(hand.get_by_text("人已到")).to_contain_text("2 人已到")
        await take_picture(hand, "console-checkin-phone")


async def _booked_out(assistant: Assistant, people: int) -> tuple[int, date]:
    """Let people book the first free time and approve them; return the site and the day."""
    records = assistant.bot.records
    desk = registration_desk(records, assistant.bot.catalog)
    programme = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    free = await records.registrations.slots(programme.id, county="520628")
    slots = [slot for slot in free if (slot.site_id, slot.day) == (free[0].site_id, free[0].day)]
    for serial, name in enumerate(("龙小芳", "吴玉兰", "田桂花", "石美玲", "麻阿妹")[:people]):
        first = f"5222991980052{serial}{serial:03d}"
        outcome = await records.registrations.submit(
            Application(
                programme_id=programme.id,
                openid=f"at-the-door-{serial}",
                key=f"at-the-door-{serial}",
                name=name,
                phone=f"1371111000{serial}",
                id_number=first + check_character(first),
                birth_date=date(1980, 5, 20 + serial),
                sex=Sex.FEMALE,
                county="520628",
                slot_id=slots[serial // 3 % len(slots)].slot_id,
                answers={"hs_category": "outdoor", "hs_items": ["breast", "cervical"]},
                consents={"general": 1, "sensitive": 2, "third_party": 3},
            )
        )
        assert isinstance(outcome, Submitted), outcome
        by = Actor(ActorKind.REVIEWER, REVIEWER)
        decision = Decision(receipt=outcome.receipt, by=by, key=f"approve-{serial}", reason="qualified")
        assert isinstance(await desk.reviews.approve(decision), Moved)
    return slots[0].site_id, slots[0].day


async def _approve_many(desk: Page, console: ServedConsole) -> None:
    await _narrowed_without_a_reload(desk, console)
    await desk.keyboard.press("j")
    await desk.keyboard.press("x")
    await expect(desk.get_by_text("已勾选 1 份")).to_be_visible()
    await desk.get_by_label("勾选本页全部").check()
    await take_picture(desk, "console-registrations")
    await desk.get_by_label("要做的操作").select_option(label="通过")
    await desk.get_by_role("button", name="下一步").click()
    await desk.get_by_label("原因").select_option(label="符合本期规则")
    await desk.locator("form button.primary").click()
    # The worker may be through with it before anybody has seen it going on.
    await expect(desk.get_by_text("已开始处理 11 份")).to_be_visible()
    await console.run_tasks(REVIEWER)
    await expect(desk.get_by_text("已结束")).to_be_visible()
    await expect(desk.get_by_text("全部都办成了")).to_be_visible()
    await desk.get_by_role("link", name="撤回这一批").click()
    await expect(desk.get_by_role("dialog").get_by_text("再给本人发一条更正")).to_be_visible()
    await take_picture(desk, "console-run-undo")
    await desk.keyboard.press("Escape")


async def _narrowed_without_a_reload(desk: Page, console: ServedConsole) -> None:
    """Narrow the list to the screening, go back, and narrow it again: the page stays, the address goes along."""
    whole = f"{console.base}/registrations?status=pending"
    await desk.goto(whole)
    lines = desk.locator("tbody tr")
    before = await lines.count()
    screening = "女职工健康筛查（演示）"
    await desk.evaluate("window.isSamePage = true")
    await desk.get_by_label("活动").focus()
    await desk.get_by_label("活动").select_option(label=screening)
    await desk.wait_for_url(re.compile(r"/registrations\?programme_id=[^&]+&status=pending$"))
    await expect(lines).not_to_have_count(before)
    assert await desk.evaluate("window.isSamePage") is True
    await expect(desk.get_by_label("活动")).to_be_focused()
    await desk.go_back()
    await desk.wait_for_url(whole)
    await expect(lines).to_have_count(before)
    await expect(desk.get_by_role("heading", name="报名", exact=True)).to_be_visible()
    await desk.get_by_label("活动").select_option(label=screening)
    await expect(lines).not_to_have_count(before)


async def _export(desk: Page, console: ServedConsole, folder: Path) -> None:
    await desk.goto(f"{console.base}/registrations?status=approved")
    approved = await desk.locator("tbody tr").count()
    await desk.get_by_role("link", name="导出 Excel").click()
    dialog = desk.get_by_role("dialog")
    await dialog.get_by_label("证件号码").check()
    await dialog.get_by_role("button", name="开始导出").click()
    await expect(desk.get_by_role("heading", name="后台任务")).to_be_visible()
    await console.run_tasks(REVIEWER)
    async with desk.expect_download() as download:
        await desk.get_by_role("link", name="报名名单").click()
    path = folder / "list.xlsx"
    await (await download.value).save_as(path)
    mark, head, *lines = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert str(mark[0]).startswith(REVIEWER)
    assert head[:3] == ["受理号", "状态", "姓名"]
    assert len(lines) == approved > 5
    assert {line[1] for line in lines} == {"已通过"}
    assert all("*" in str(line[2]) for line in lines)

"""Accounts in the console: added, edited, switched off, with one-time passwords and codes; nobody locks all out."""

import re
from datetime import timedelta
from html import unescape

import pyotp
import pytest

from bot.staff.second_factor import STEP_S
from bot.values.clock import MovedClock
from tests.console.applicants import screened
from tests.console.served import PASSWORD, Answer, Browser, ServedConsole, counted_queries

NEW_PASSWORD = "锦江边上晨跑两公里。"
SONGTAO = "520628"


@pytest.fixture
async def chief(console: ServedConsole) -> Browser:
    return await console.staff("administrator", username="chief")


def _one_time(page: Answer) -> str:
    found = re.search(r'id="one-time-password">([^<]+)<', page.text)
    assert found is not None, page.visible
    return found[1]


async def _new(chief: Browser, **fields: str | list[str]) -> Answer:
    await chief.get("/staff/new")
    wanted = {"username": "li.xiaolan", "display_name": "李小兰", "roles": ["county_reviewer"], "county": SONGTAO}
    return await chief.post("/staff/new", wanted | fields)


# Adding, and the first sign-in


async def test_a_new_account_gets_a_one_time_password_and_has_to_change_it_first(
    console: ServedConsole, chief: Browser
) -> None:
    page = await _new(chief)
    assert page.status == 200
    assert "只显示这一次" in page.visible
    fresh = console.browser()
    assert (await fresh.sign_in("li.xiaolan", _one_time(page))).status == 303
    for path in ("/", "/knowledge", "/account", "/tasks"):
        assert (await fresh.get(path)).location == "/account/password", path
    assert (await fresh.post("/review/1/dismiss")).location == "/account/password"
    part = await fresh.get("/knowledge", fragment=True)
    assert part.headers["HX-Redirect"] == "/account/password"
    page = await fresh.get("/account/password")
    assert "请先改掉一次性密码" in page.visible
    wanted = {"old": _one_time(await _new(chief, username="other")), "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert "现在的密码不对" in (await fresh.post("/account/password", wanted)).visible
    answer = await fresh.post("/logout")
    assert answer.location == "/login"


async def test_the_first_password_is_changed_and_the_day_begins(console: ServedConsole, chief: Browser) -> None:
    password = _one_time(await _new(chief))
    fresh = console.browser()
    await fresh.sign_in("li.xiaolan", password)
    await fresh.get("/account/password")
    for new, again, why in (
        (password, password, "和原来的一样"),
        ("short", "short", "至少要 10 个字符"),
        ("Gonghui@2026", "Gonghui@2026", "太常见"),
        (NEW_PASSWORD, NEW_PASSWORD + "?", "不一样"),
        ("", "", "请填写新密码"),
    ):
        page = await fresh.post("/account/password", {"old": password, "new": new, "again": again})
        assert (page.status, why in page.visible) == (422, True), (why, page.visible)
        assert not new or new not in page.text, "a password is never written into a page"
    done = await fresh.post("/account/password", {"old": password, "new": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert "密码改好了" in (await fresh.follow(done)).visible
    assert (await fresh.get("/knowledge")).status == 200
    assert (await console.browser().sign_in("li.xiaolan", password)).status == 422


async def test_a_one_time_password_runs_out(console: ServedConsole, chief: Browser, clock: MovedClock) -> None:
    password = _one_time(await _new(chief))
    clock.move(timedelta(days=3))
    assert "一次性密码已过期" in (await console.browser().sign_in("li.xiaolan", password)).visible


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"username": "李"}, "用户名要以小写字母开头"),
        ({"username": "chief"}, "这个用户名有人用了"),
        ({"display_name": ""}, "请填写姓名"),
        ({"county": ""}, "只管本区县"),
        ({"county": "999999"}, "请在列出的区县里选一个"),
        ({"roles": ["emperor"]}, "请在列出的角色里选一个"),
    ],
)
async def test_what_will_not_do_is_said_beside_it_and_nothing_typed_is_lost(
    sqlite_console: ServedConsole, fields: dict[str, str | list[str]], why: str
) -> None:
    chief = await sqlite_console.staff("administrator", username="chief")
    page = await _new(chief, **fields)
    assert (page.status, why in page.visible) == (422, True), page.visible
    for name, typed in {"username": "li.xiaolan", "display_name": "李小兰", **fields}.items():
        if name in ("username", "display_name"):
            assert f'value="{typed}"' in page.text
    assert await sqlite_console.records.staff.find("li.xiaolan") is None


# Editing


async def test_another_role_is_given_with_a_reason_and_signs_out(console: ServedConsole, chief: Browser) -> None:
    agent = await console.staff("chat_agent", username="wang")
    await chief.get("/staff/wang")
    wanted = {"display_name": "王主任", "roles": ["chat_agent", "auditor"], "county": "", "why": "兼任审计"}
    saved = await chief.post("/staff/wang", wanted)
    page = await chief.follow(saved)
    assert "1 处登录已退出" in page.visible
    assert "角色 在线客服 → 在线客服、审计员;兼任审计" in page.visible
    assert (await agent.get("/")).status == 303
    refused = await chief.post("/staff/wang", {**wanted, "why": "兼"})
    assert refused.status == 422
    assert "至少 4 个字" in refused.visible
    assert 'value="王主任"' in refused.text


async def test_an_account_is_switched_off_and_on_after_asking(console: ServedConsole, chief: Browser) -> None:
    agent = await console.staff("chat_agent", username="wang")
    panel = await chief.get("/staff/wang/lock", fragment=True)
    assert "<html" not in panel.text
    assert "登录着 1 处" in panel.visible
    page = await chief.get("/staff/wang/lock")
    assert "不会自动转走" in page.visible
    assert (await chief.post("/staff/wang/lock", {"reason": ""})).status == 422
    assert "已停用" in (await chief.follow(await chief.post("/staff/wang/lock", {"reason": "调离本单位"}))).visible
    assert (await agent.get("/")).status == 303
    assert (await agent.sign_in("wang")).status == 422
    await chief.get("/staff/wang/unlock")
    await chief.follow(await chief.post("/staff/wang/unlock", {"reason": "调回来了"}))
    assert (await agent.sign_in("wang")).status == 303


async def test_the_last_administrator_cannot_be_lost(chief: Browser) -> None:
    await chief.get("/staff/chief/lock")
    page = await chief.post("/staff/chief/lock", {"reason": "我要走了"})
    assert "最后一个能管理账号的人" in page.visible
    wanted = {"display_name": "chief", "roles": ["auditor"], "county": "", "why": "我要走了"}
    page = await chief.post("/staff/chief", wanted)
    assert (page.status, "最后一个能管理账号的人" in page.visible) == (422, True)
    assert (await chief.get("/staff")).status == 200


async def test_a_forgotten_password_is_reset(console: ServedConsole, chief: Browser) -> None:
    agent = await console.staff("chat_agent", username="wang")
    await chief.get("/staff/wang/password")
    page = await chief.post("/staff/wang/password", {"reason": "本人电话说忘了"})
    assert (await agent.get("/")).status == 303
    assert (await agent.sign_in("wang")).status == 422
    assert (await agent.sign_in("wang", _one_time(page))).status == 303
    assert (await agent.get("/")).location == "/account/password"


async def test_who_is_locked_out_is_shown_and_unlocked(console: ServedConsole, chief: Browser) -> None:
    await console.add("wang", "chat_agent")
    stranger = console.browser()
    for _ in range(5):
        await stranger.sign_in("wang", "wrong password")
    assert "输错密码被锁的账号" in (await chief.get("/")).visible
    assert "输错被锁" in (await chief.get("/staff")).visible
    await chief.get("/staff/wang/unlock")
    await chief.post("/staff/wang/unlock", {"reason": "核实是本人"})
    assert (await stranger.sign_in("wang")).status == 303


async def test_the_auditor_looks_and_changes_nothing(console: ServedConsole) -> None:
    auditor = await console.staff("auditor")
    page = await auditor.get("/staff/auditor")
    assert page.status == 200
    assert "重置密码" not in page.visible
    for path in ("/staff/new", "/staff/auditor", "/staff/auditor/lock"):
        assert (await auditor.post(path, {"reason": "试一试看"})).status == 403, path


async def test_a_list_of_many_accounts_pages_and_asks_twice(console: ServedConsole, chief: Browser) -> None:
    for number in range(60):
        await console.add(f"clerk.{number:02d}", "chat_agent", name=f"客服{number:02d}")
    with counted_queries(console.records.database) as queries:
        page = await chief.get("/staff?role=chat_agent")
    assert len(queries) == 2, queries
    assert page.text.count("/staff/clerk.") == 50
    rest = await chief.get(unescape(page.link("next")))
    assert rest.text.count("/staff/clerk.") == 10
    assert "没有符合条件的账号" in (await chief.get("/staff?q=nobody")).visible
    assert (await chief.get("/staff/nobody")).status == 404


# Sessions


async def test_a_strange_browser_is_signed_out(console: ServedConsole, chief: Browser) -> None:
    agent = await console.staff("chat_agent", username="wang")
    other = console.browser()
    await other.sign_in("wang")
    [latest, _] = await console.records.sessions.sessions_of("wang")
    page = await agent.get("/account")
    assert page.text.count("就是这个") == 1
    await agent.post(f"/account/sessions/{latest.id}/end")
    assert (await other.get("/")).status == 303
    await other.sign_in("wang")
    answer = await agent.post("/account/sessions/end")
    assert "其他 1 处登录已退出" in (await agent.follow(answer)).visible
    assert (await other.get("/")).status == 303
    assert (await agent.get("/")).status == 200
    await chief.get("/staff/wang")
    [only] = await console.records.sessions.sessions_of("wang")
    await chief.post("/staff/wang/sessions", {"session": str(only.id)})
    assert (await agent.get("/")).status == 303


async def test_nobody_ends_somebody_elses_session_from_their_own_account(console: ServedConsole) -> None:
    agent, lawyer = await console.staff("chat_agent"), await console.staff("lawyer", county=SONGTAO)
    [session] = await console.records.sessions.sessions_of(f"lawyer.{SONGTAO}")
    await agent.get("/account")
    await agent.post(f"/account/sessions/{session.id}/end")
    assert (await lawyer.get("/")).status == 200


# Codes


async def _enrol(browser: Browser, clock: MovedClock) -> tuple[pyotp.TOTP, list[str]]:
    page = await browser.get("/account/code")
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert secret is not None
    assert 'src="data:image/svg+xml;base64,' in page.text
    generator = pyotp.TOTP(secret[1].replace(" ", ""))
    page = await browser.post("/account/code", {"code": generator.at(clock.now())})
    assert "手机验证码已开启" in page.visible, page.visible
    codes = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", page.text)
    clock.move(timedelta(seconds=STEP_S))
    return generator, codes


async def test_with_a_code_the_password_alone_does_not_open(
    console: ServedConsole, chief: Browser, clock: MovedClock
) -> None:
    generator, codes = await _enrol(chief, clock)
    assert len(codes) == 10
    thief = console.browser()
    answer = await thief.sign_in("chief", to="/staff")
    assert answer.location == "/login/code?next=%2Fstaff"
    assert (await thief.get("/staff")).location.startswith("/login")
    await thief.get(answer.location)
    wrong = await thief.post("/login/code", {"code": "000000", "next": "/staff"})
    assert (wrong.status, "验证码不对或已经用过" in wrong.visible) == (422, True)
    code = generator.at(clock.now())
    answer = await thief.post("/login/code", {"code": code, "next": "/staff"})
    assert answer.location == "/staff"
    assert (await thief.get("/staff")).status == 200
    other = console.browser()
    await other.get((await other.sign_in("chief")).location)
    assert (await other.post("/login/code", {"code": code})).status == 422, "it was used"
    assert (await other.post("/login/code", {"code": codes[0]})).status == 303, "a recovery code stands in"


async def test_a_code_step_belongs_to_its_browser_and_its_five_minutes(
    console: ServedConsole, chief: Browser, clock: MovedClock
) -> None:
    generator, _ = await _enrol(chief, clock)
    browser, stranger = console.browser(), console.browser()
    await browser.get((await browser.sign_in("chief")).location)
    assert (await stranger.get("/login/code")).location == "/login"
    assert (await stranger.post("/login/code", {"code": generator.at(clock.now())}, csrf=browser.csrf)).status == 403
    clock.move(timedelta(minutes=5))
    answer = await browser.post("/login/code", {"code": generator.at(clock.now())})
    assert answer.location == "/login"
    assert "验证码没有及时输入" in (await browser.follow(answer)).visible


async def test_a_code_is_given_up_and_reset(console: ServedConsole, chief: Browser, clock: MovedClock) -> None:
    agent = await console.staff("chat_agent", username="wang")
    generator, _ = await _enrol(agent, clock)
    await agent.get("/account/code")
    page = await agent.post("/account/code/renew", {"renew_code": generator.at(clock.now())})
    assert "新的恢复码" in page.visible
    await agent.get("/account/code")
    assert (await agent.post("/account/code/remove", {"remove_code": "000000"})).status == 422
    clock.move(timedelta(seconds=STEP_S))
    gone = await agent.post("/account/code/remove", {"remove_code": generator.at(clock.now())})
    assert "已关闭" in (await agent.follow(gone)).visible
    await _enrol(agent, clock)
    await chief.get("/staff/wang/code")
    await chief.post("/staff/wang/code", {"reason": "手机丢了"})
    assert (await agent.get("/")).status == 303
    assert (await agent.sign_in("wang", PASSWORD)).location == "/"


async def test_the_trail_keeps_user_names_and_shows_the_names_beside_them(console: ServedConsole) -> None:
    chief = await console.staff("administrator", username="chief", name="龙主任")
    page = await chief.get("/trail")
    assert "chief 龙主任" in page.visible
    assert '<option value="chief">龙主任</option>' in page.text
    assert "chief 龙主任" in (await chief.get("/trail?actor=chief")).visible


async def test_the_trail_tells_moves_and_reasons_in_words(console: ServedConsole) -> None:
    receipt = await screened(console)
    master = await console.staff("administrator", "programme_manager")
    await master.get(f"/registrations/{receipt}/reject")
    await master.post(f"/registrations/{receipt}/reject", {"reason": "audience_rule"})
    await master.get("/registrations")
    asked = await master.post("/registrations/bulk/ask", {"step": "approve", "receipt": [receipt]})
    await master.post("/registrations/bulk", {"step": "approve", "receipts": receipt, "reason": "qualified"})
    trail = (await master.get("/trail")).visible
    assert asked.status == 200
    assert "报名 · 待审核 → 不通过" in trail
    assert "不在本期服务人群内" in trail
    assert "通过 1 份：符合本期规则" in trail
    found = (await master.get("/trail?reason=不在本期服务人群内")).visible
    assert receipt in found
    assert "通过 1 份" not in found

"""Signing in and out, what a session lasts, and what the gate refuses."""

from datetime import timedelta

import pytest
from aiohttp import web
from yarl import URL

from bot.console.gate import Cookies
from bot.console.session import own_path
from bot.values.clock import MovedClock
from tests.console.served import PASSWORD, ServedConsole


async def test_whoever_is_not_signed_in_is_asked_to_and_comes_back_to_the_page(console: ServedConsole) -> None:
    await console.add("li", "administrator", name="李老师")
    browser = console.browser()
    answer = await browser.get("/?from=mail")
    assert (answer.status, answer.location) == (303, "/login?next=%2F%3Ffrom%3Dmail")
    page = await browser.follow(answer)
    assert "只供工会工作人员使用" in page.visible
    answer = await browser.post("/login", {"username": "Li", "password": PASSWORD, "next": "/?from=mail"})
    assert (answer.status, answer.location) == (303, "/?from=mail")
    home = await browser.follow(answer)
    assert home.status == 200
    assert "李老师" in home.visible
    assert (await browser.get("/login")).location == "/"


async def test_a_wrong_password_says_so_and_keeps_the_username(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    for username in ("li", "nobody"):
        answer = await browser.sign_in(username, "something else")
        assert answer.status == 422
        assert "用户名或密码不对" in answer.visible
        assert f'value="{username}"' in answer.text


async def test_too_many_wrong_passwords_lock_the_account_for_a_while(
    sqlite_console: ServedConsole, clock: MovedClock
) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    for _ in range(5):
        answer = await browser.sign_in("li", "something else")
    assert "10:15 以后再试" in answer.visible
    assert (await browser.sign_in("li")).status == 422
    clock.move(timedelta(minutes=15, seconds=1))
    assert (await browser.sign_in("li")).status == 303


async def test_signing_in_gives_a_fresh_token_whatever_was_in_the_browser(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    browser.http.cookie_jar.update_cookies({"console_session": "planted-by-somebody"})
    answer = await browser.sign_in("li")
    session = next(cookie for cookie in answer.cookies if cookie.startswith("console_session="))
    assert "planted" not in session
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session


async def test_behind_https_cookies_are_bound_to_it() -> None:
    cookies, response = Cookies(secure=True, max_age_s=60), web.Response()
    cookies.set(response, cookies.session, "x")
    written = response.cookies["__Host-console_session"].OutputString()
    assert "Secure" in written
    assert "Path=/" in written


async def test_signing_out_ends_the_session_for_good(console: ServedConsole) -> None:
    browser = await console.staff("administrator")
    stolen = browser.http.cookie_jar.filter_cookies(URL(console.base))["console_session"].value
    answer = await browser.post("/logout")
    assert answer.location == "/login"
    assert "已安全退出" in (await browser.follow(answer)).visible
    thief = console.browser()
    thief.http.cookie_jar.update_cookies({"console_session": stolen})
    assert (await thief.get("/")).status == 303


async def test_a_session_ends_when_nobody_uses_it_and_after_a_working_day(
    console: ServedConsole, clock: MovedClock
) -> None:
    browser = await console.staff("administrator")
    for _ in range(25):
        clock.move(timedelta(minutes=28))
        answer = await browser.get("/")
    assert answer.status == 200
    clock.move(timedelta(minutes=28))
    assert (await browser.get("/")).status == 303, "twelve hours are over"
    assert (await browser.sign_in("administrator")).status == 303
    clock.move(timedelta(minutes=31))
    ended = await browser.get("/")
    assert ended.status == 303
    assert "登录已过期" in (await browser.follow(ended)).visible


async def test_an_account_that_was_switched_off_is_out_at_once(console: ServedConsole) -> None:
    browser = await console.staff("chat_agent")
    await console.records.staff.lock("chat_agent", by="test", source="test", reason="left")
    assert (await browser.get("/")).status == 303


async def test_a_session_can_be_ended_from_elsewhere(console: ServedConsole) -> None:
    browser, sessions = await console.staff("administrator"), console.records.sessions
    [session] = await sessions.sessions_of("administrator")
    assert session.source == "127.0.0.1"
    assert await sessions.end(session.id, username="administrator", by="chief", source="test")
    assert not await sessions.end(session.id, username="administrator", by="chief", source="test")
    assert (await browser.get("/")).status == 303
    trail = await console.records.audit.events(action="staff:session:end")
    assert [event.record.actor for event in trail] == ["chief"]


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [
        ("", {}),
        ("0" * 64, {}),
        (None, {"Origin": "https://elsewhere.example"}),
        (None, {"Sec-Fetch-Site": "cross-site"}),
    ],
)
async def test_a_form_that_is_not_ours_does_nothing(
    sqlite_console: ServedConsole, csrf: str | None, headers: dict[str, str]
) -> None:
    browser = await sqlite_console.staff("administrator")
    answer = await browser.post("/logout", csrf=csrf, headers=headers)
    assert answer.status == 403
    assert "刚才的操作没有执行" in answer.visible
    assert (await browser.get("/")).status == 200


async def test_the_login_form_needs_its_own_browser(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser, other = sqlite_console.browser(), sqlite_console.browser()
    await browser.get("/login")
    answer = await other.post("/login", {"username": "li", "password": PASSWORD}, csrf=browser.csrf)
    assert answer.status == 403


async def test_every_answer_carries_the_headers_and_errors_are_pages(sqlite_console: ServedConsole) -> None:
    browser = await sqlite_console.staff("administrator")
    for path, status in (("/", 200), ("/no-such-page", 404), ("/logout", 405), ("/static/console.css", 200)):
        answer = await browser.get(path)
        assert answer.status == status, path
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "没有这一页" in (await browser.get("/no-such-page")).visible
    part = await browser.get("/no-such-page", fragment=True)
    assert "<html" not in part.text
    assert (await browser.get("/static/..%2Fserver.py")).status == 404


async def test_scripts_and_styles_come_from_here(sqlite_console: ServedConsole) -> None:
    page = await sqlite_console.browser().get("/login")
    assert "http://" not in page.text.replace("http://127.0.0.1", "")
    assert "https://" not in page.text
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert "htmx" in (await sqlite_console.browser().get("/static/htmx.js")).text


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("/inbox/3?a=1", "/inbox/3?a=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_only_to_our_own_pages(wanted: str, kept: str) -> None:
    assert own_path(wanted) == kept

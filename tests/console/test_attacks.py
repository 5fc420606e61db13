"""What attackers try: forged forms, planted sessions, other people's records, markup, redirects, headers."""

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from bot.app.assistant import open_bot
from bot.app.tasks import task_runner_of
from bot.console.server import HEADERS, MAX_BODY_BYTES
from bot.followers.references import FollowerReferences
from bot.programmes.models import ProgrammeKind
from bot.staff.trail import TrailSearch
from bot.storage.encryption import FieldCipher
from bot.values.clock import MovedClock
from tests.console.hostile import (
    PAYLOAD,
    SCRIPT,
    SONGTAO,
    crawl,
    decide_many,
    hand_in,
    hand_over_a_card,
    pattern_of,
    plant,
    read,
)
from tests.console.served import PASSWORD, Browser, ServedConsole, serving
from tests.console.test_permissions import ROLES, STREAMS, address_of, named
from tests.support.assistant import settings_for

SINAN = "520624"
NOT_DONE = "刚才的操作没有执行"


@pytest.fixture
async def master(sqlite_console: ServedConsole) -> Browser:
    """A browser of somebody who may do everything that anybody may."""
    return await sqlite_console.staff(*ROLES, county=SONGTAO, username="master")


def _names(console: ServedConsole, method: str) -> list[str]:
    return [named(verb, path) for verb, path, _ in console.routes if verb == method]


async def _trail_length(console: ServedConsole) -> int:
    events = await console.records.audit.events(limit=1)
    return events[0].position if events else 0


# Forged forms


async def test_no_form_is_taken_without_the_token_of_its_session(
    sqlite_console: ServedConsole, master: Browser
) -> None:
    other = await sqlite_console.staff("administrator", username="other")
    genuine, length = master.csrf, await _trail_length(sqlite_console)
    assert other.csrf != genuine
    for name in (*_names(sqlite_console, "POST"), "POST /logout"):
        for csrf in ("", "0" * 64, other.csrf, genuine[:-1], genuine.upper()):
            answer = await master.post(address_of(name)[1], csrf=csrf)
            assert (answer.status, NOT_DONE in answer.visible) == (403, True), (name, answer.visible[:80])
    assert await _trail_length(sqlite_console) == length
    assert (await master.get("/")).status == 200, "the session stands"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_no_form_is_taken_from_another_site_even_with_the_token(
    sqlite_console: ServedConsole, master: Browser, headers: dict[str, str]
) -> None:
    token, length = master.csrf, await _trail_length(sqlite_console)
    for name in _names(sqlite_console, "POST"):
        answer = await master.post(address_of(name)[1], csrf=token, headers=headers)
        assert (answer.status, NOT_DONE in answer.visible) == (403, True), name
    assert await _trail_length(sqlite_console) == length


async def test_the_token_counts_in_the_body_and_in_the_header_and_nowhere_else(
    sqlite_console: ServedConsole, master: Browser
) -> None:
    token = master.csrf
    answer = await master.post(f"/account/sessions/end?csrf={token}", csrf="")
    assert answer.status == 403
    url = f"{sqlite_console.base}/account/sessions/end"
    async with master.http.post(url, json={"csrf": token}, allow_redirects=False) as response:
        assert response.status == 403
    async with master.http.post(url, headers={"X-CSRF-Token": token}, allow_redirects=False) as response:
        assert response.status == 303


async def test_what_changes_something_is_not_reached_by_another_verb(
    sqlite_console: ServedConsole, master: Browser
) -> None:
    only_posted = set(_names(sqlite_console, "POST")) - {
        name.replace("GET", "POST", 1) for name in _names(sqlite_console, "GET")
    }
    for name in sorted(only_posted - {"POST /staff/{username}/sessions"}):
        path = address_of(name)[1]
        for verb in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
            async with master.http.request(verb, f"{sqlite_console.base}{path}", allow_redirects=False) as response:
                assert response.status in (404, 405), (verb, name)


# Sessions


async def test_every_sign_in_gives_a_session_of_its_own(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser, tokens = sqlite_console.browser(), set()
    browser.http.cookie_jar.update_cookies({"console_session": "planted", "console_visit": "planted"})
    before = (await browser.get("/login")).text
    for _ in range(2):
        assert (await browser.sign_in("li")).status == 303
        tokens.add(browser.http.cookie_jar.filter_cookies(URL(sqlite_console.base))["console_session"].value)
        await browser.post("/logout")
    assert len(tokens) == 2
    assert "planted" not in tokens
    assert all(token not in before for token in tokens)


async def test_the_token_of_the_login_form_is_worth_nothing_inside(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    await browser.get("/login")
    outside = browser.csrf
    await browser.sign_in("li")
    assert (await browser.post("/account/sessions/end", csrf=outside)).status == 403


async def test_an_old_session_is_not_brought_back_by_a_new_one(sqlite_console: ServedConsole) -> None:
    first = await sqlite_console.staff("administrator", username="li")
    jar = first.http.cookie_jar
    stolen = jar.filter_cookies(URL(sqlite_console.base))["console_session"].value
    await first.post("/logout")
    await first.sign_in("li")
    thief = sqlite_console.browser()
    thief.http.cookie_jar.update_cookies({"console_session": stolen})
    assert (await thief.get("/")).status == 303


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    page = await browser.get("/login")
    entered = await browser.post("/login", {"username": "li", "password": PASSWORD})
    await browser.get("/")
    notice = await browser.post("/logout")
    set_cookies = [*page.cookies, *entered.cookies, *notice.cookies]
    written = [cookie for cookie in set_cookies if "Max-Age=0" not in cookie]
    assert {cookie.partition("=")[0] for cookie in written} == {
        "console_visit",
        "console_session",
        "console_notice",
    }
    for cookie in written:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


async def test_behind_https_cookies_and_answers_insist_on_it(
    sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> None:
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    settings = replace(settings, console=replace(settings.console, https=True))
    async with open_bot(settings, clock) as bot, serving(bot) as console:
        await console.add("li", "administrator")
        page = await console.browser().get("/login")
        [cookie] = page.cookies
        assert cookie.startswith("__Host-console_visit=")
        assert "Secure" in cookie
        assert "max-age" in page.headers["Strict-Transport-Security"]
        # A browser keeps such a cookie from plain HTTP, so the test carries it by hand.
        visit = cookie.partition(";")[0]
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token is not None
        fields = {"csrf": token[1], "username": "li", "password": PASSWORD}
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{console.base}/login", data=fields, headers={"Cookie": visit}, allow_redirects=False
            ) as response,
        ):
            assert response.status == 303
            session = next(c for c in response.headers.getall("Set-Cookie") if "console_session=" in c)
        assert session.startswith("__Host-console_session=")
        assert all(part in session for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))


# Other people's records


async def _walked(browser: Browser, names: list[str], values: Mapping[str, str]) -> dict[str, int]:
    statuses = {}
    for name in names:
        token, (method, path) = browser.csrf, address_of(name, values)
        answer = await browser.get(path) if method == "GET" else await browser.post(path, csrf=token)
        browser.csrf = token
        statuses[name] = answer.status
    return statuses


def _with(console: ServedConsole, *parameters: str) -> list[str]:
    names = [named(method, path) for method, path, _ in console.routes]
    return [name for name in names if any(f"{{{parameter}}}" in name for parameter in parameters)]


async def test_a_reviewer_reaches_no_record_of_another_county(sqlite_console: ServedConsole) -> None:
    await plant(sqlite_console)
    records = sqlite_console.records
    stranger = await sqlite_console.staff("county_reviewer", county=SINAN)
    [case, *_] = await records.cases.cases_of("o-evil")
    [registration] = await records.registrations.find_for("o-evil")
    [chat, *_] = [chat for chat in await records.desk.chats(limit=50) if chat.openid == "o-evil"]
    for name, receipt in (("legal", case.receipt), ("registrations", registration.receipt)):
        mine = [one for one in _with(sqlite_console, "receipt") if f" /{name}" in one]
        statuses = await _walked(stranger, mine, {"receipt": receipt})
        assert {one: status for one, status in statuses.items() if status not in (403, 404)} == {}
    statuses = await _walked(stranger, _with(sqlite_console, "chat"), {"chat": str(chat.id)})
    assert {one: status for one, status in statuses.items() if status not in (403, 404)} == {}
    owner = await sqlite_console.staff("county_reviewer", county=SONGTAO)
    assert (await owner.get(f"/legal/{case.receipt}")).status == 200, "the control: the record is there"
    assert (await owner.get(f"/inbox/{chat.id}")).status == 200


async def test_a_lawyer_reaches_no_case_of_another_lawyer(sqlite_console: ServedConsole) -> None:
    await plant(sqlite_console)
    lawyers = [await sqlite_console.staff("lawyer", county=SONGTAO, username=username) for username in ("wu", "tian")]
    [case, *_] = await sqlite_console.records.cases.cases_of("o-evil")
    await lawyers[0].get(f"/legal/{case.receipt}/take")
    await lawyers[0].post(f"/legal/{case.receipt}/take", {"decision": "none"})
    names = [
        name
        for name in _with(sqlite_console, "receipt")
        if "/legal" in name and not name.endswith(("take", "assign"))
    ]
    statuses = await _walked(lawyers[1], names, {"receipt": case.receipt})
    assert {name: status for name, status in statuses.items() if status not in (403, 404)} == {}


async def test_a_lawyer_takes_no_case_of_another_county(sqlite_console: ServedConsole) -> None:
    await plant(sqlite_console)
    cases = sqlite_console.records.cases
    [case, *_] = await cases.cases_of("o-evil")
    stranger = await sqlite_console.staff("lawyer", county=SINAN)
    for decision in ("take", "decline"):
        token = stranger.csrf
        answer = await stranger.post(f"/legal/{case.receipt}/take", {"decision": decision}, csrf=token)
        stranger.csrf = token
        assert answer.status == 404, decision
    [case, *_] = await cases.cases_of("o-evil")
    assert case.assigned_to is None


async def test_nobody_reaches_a_task_or_session_of_another(sqlite_console: ServedConsole, master: Browser) -> None:
    await master.get("/trail")
    await master.post("/trail/export", {"format": "csv"})
    [task] = await sqlite_console.records.tasks.of("master")
    stranger = await sqlite_console.staff("administrator", username="stranger")
    statuses = await _walked(stranger, _with(sqlite_console, "task"), {"task": str(task.id)})
    assert set(statuses.values()) == {404}
    [session] = await sqlite_console.records.sessions.sessions_of("master")
    await stranger.post(f"/account/sessions/{session.id}/end")
    assert (await master.get("/")).status == 200


async def test_a_reference_to_a_follower_cannot_be_made_up(sqlite_console: ServedConsole, master: Browser) -> None:
    await plant(sqlite_console)
    ours = FollowerReferences(sqlite_console.records.cipher).of("o-evil")
    assert (await master.get(f"/followers/{ours}")).status == 200
    theirs = FollowerReferences(FieldCipher.from_setting(FieldCipher.new_setting())).of("o-evil")
    for made_up in (theirs, ours[:-4] + "AAAA", "A" * 80):
        statuses = await _walked(master, _with(sqlite_console, "reference"), {"reference": made_up})
        assert set(statuses.values()) == {404}, made_up


# Markup


async def _crawled(browser: Browser, *starts: str) -> dict[str, bool]:
    """Open every page as a whole and as a part; return the kinds of addresses, and whether the name was on one."""
    kinds: dict[str, bool] = {}
    async for path, answer in crawl(browser, *starts):
        for answered in (answer, await browser.get(path, fragment=True)):
            assert answered.status in (200, 303), (path, answered.status, answered.visible[:200])
            assert read(answered).faults == [], path
        kind = pattern_of(path)
        kinds[kind] = kinds.get(kind, False) or "&lt;script&gt;alert(1)" in answer.text
    return kinds


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ROLES)
async def test_a_worker_named_like_a_script_stays_a_name_for_every_role(
    sqlite_console: ServedConsole, role: str
) -> None:
    await plant(sqlite_console)
    browser = await sqlite_console.staff(role, county=SONGTAO)
    assert len(await _crawled(browser, "/", "/account", "/tasks")) >= 3


@pytest.mark.timeout(300)
async def test_a_worker_named_like_a_script_stays_a_name_on_every_page(
    sqlite_console: ServedConsole, master: Browser
) -> None:
    await plant(sqlite_console)
    records = sqlite_console.records
    [registration] = await records.registrations.find_for("o-evil")
    [case] = await records.cases.cases_of("o-evil")
    follower = f"/followers/{FollowerReferences(records.cipher).of('o-evil')}"
    await _give(master, case.receipt, "master")
    own = (f"/registrations/{registration.receipt}", f"/legal/{case.receipt}", follower)
    screening = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert screening is not None
    handed_in = await hand_in(master, screening.id)
    student = await hand_over_a_card(sqlite_console)
    run = await decide_many(master, student)
    [unknown] = await records.campaigns.publications.unknown_ids()
    published = f"/campaigns/{unknown - 1}"
    opened = (published, f"{published}/withdraw", f"/campaigns/{unknown}/settle")
    made = (handed_in, run, f"{run}/undo", f"/registrations/{student}/materials", *opened)
    kinds = await _crawled(master, "/", "/account", "/tasks", *made, *own)
    assert sum(kinds.values()) >= 5, kinds
    pages = {re.sub(r"{[a-z_]+}", "*", name.removeprefix("GET ")) for name in _names(sqlite_console, "GET")}
    missed = {page for page in pages if not any(_fits(kind, page) for kind in kinds)}
    assert missed <= BEHIND_RECORDS_OF_THEIR_OWN, missed


async def _give(browser: Browser, receipt: str, lawyer: str) -> None:
    await browser.get(f"/legal/{receipt}/assign")
    assert (await browser.post(f"/legal/{receipt}/assign", {"lawyer": lawyer})).status == 303


BEHIND_RECORDS_OF_THEIR_OWN = {
    "/inbox/events",
    "/inbox/*/messages/*/picture",
    "/tasks/*/file",
    "/legal/*/evidence/*",
    "/registrations/*/materials/*",
    "/programmes/*/open",
    "/programmes/*/slots/move",
    "/campaigns/pictures/*",
    "/campaigns/*/settle",
    "/campaigns/*/withdraw",
}
"""A stream, files, what only long work or a photograph brings, a programme that is not open, a slot with people in
it, articles that stand on the account; their own tests open them."""


def _fits(kind: str, route: str) -> bool:
    return re.fullmatch(route.replace("*", "[^/]+"), kind.rstrip("?")) is not None


@pytest.mark.timeout(300)
async def test_markup_that_is_typed_comes_back_as_text(sqlite_console: ServedConsole, master: Browser) -> None:
    await plant(sqlite_console)
    for name in _names(sqlite_console, "POST"):
        path = address_of(name)[1]
        fields = dict.fromkeys(FIELDS, PAYLOAD) | {"typed": ""}
        token = master.csrf
        for fragment in (False, True):
            answer = await master.post(path, fields, fragment=fragment, csrf=token)
            assert answer.status < 500, (name, answer.visible[:200])
            assert read(answer).faults == [], name
        master.csrf = token
        if name.startswith("POST /account/sessions") or "lock" in name:
            continue
        assert (await master.get("/")).status == 200, name


@pytest.mark.timeout(300)
async def test_markup_in_an_address_comes_back_as_text(sqlite_console: ServedConsole, master: Browser) -> None:
    for name in set(_names(sqlite_console, "GET")) - STREAMS:
        path = address_of(name)[1]
        for value in (SCRIPT, '"><img src=x onerror=alert(2)>', "javascript:alert(1)", "../../etc/passwd"):
            query = str(URL(path).with_query(dict.fromkeys((*FIELDS, *FILTERS), value)))
            answer = await master.get(query)
            assert answer.status < 500, (name, answer.visible[:200])
            assert read(answer).faults == [], (name, value)


FIELDS = [
    "username",
    "display_name",
    "reason",
    "why",
    "name",
    "text",
    "note",
    "reply",
    "wording",
    "question",
    "variants",
    "answer",
    "who",
    "field",
    "code",
    "old",
    "new",
    "again",
    "label",
    "other",
    "typed",
    "client",
    "aliases",
    "title",
    "county",
    "roles",
    "q",
    "kind",
    "channel",
    "head",
    "choices",
    "tag_2",
    "person",
    "testers",
    "version",
    "file_id",
    "starts_at",
]
FILTERS = [
    "q",
    "status",
    "reason",
    "guessed",
    "section",
    "intent",
    "actor",
    "action",
    "object_id",
    "source",
    "role",
    "next",
    "state",
]
NASTY = ("'", "%", "\\", "\x00", "a" * 5_000, "99999999999999999999", "-1", "2026-13-45", "🏔" * 50, "' OR 1=1 --")


@pytest.mark.timeout(300)
async def test_values_that_nobody_expects_are_answered_with_a_page(
    sqlite_console: ServedConsole, master: Browser
) -> None:
    names = [*FIELDS, *FILTERS, "after", "before", "first", "last", "from", "to", "days", "active", "view", "page"]
    for name in set(_names(sqlite_console, "GET")) - STREAMS:
        path = address_of(name)[1]
        for value in NASTY:
            answer = await master.get(str(URL(path).with_query(dict.fromkeys(names, value))))
            assert answer.status < 500, (name, value[:20], answer.visible[:200])


# Redirects and headers


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=1\r\nSet-Cookie: x=1",
        " //evil.example",
        "\t//evil.example",
        "/x\r\nLocation: https://evil.example",
    ],
)
async def test_signing_in_leads_nowhere_else(sqlite_console: ServedConsole, target: str) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    page = await browser.get(str(URL("/login").with_query(next=target)))
    assert read(page).faults == []
    answer = await browser.post("/login", {"username": "li", "password": PASSWORD, "next": target})
    assert answer.status == 303
    assert answer.location.startswith("/")
    assert not answer.location.startswith(("//", "/\\"))
    assert not any(cookie.startswith("x=") for cookie in answer.cookies)
    already = await browser.get(str(URL("/login").with_query(next=target)))
    assert already.location.startswith("/")
    assert not already.location.startswith(("//", "/\\"))


async def test_the_address_that_a_stranger_claims_does_not_count(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    await browser.get("/login")
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    await browser.post("/login", {"username": "li", "password": PASSWORD}, headers=headers)
    [event] = await sqlite_console.records.audit.events(action="staff:session:login")
    assert event.record.source == "127.0.0.1"


async def test_a_browsers_own_words_do_not_break_the_page_of_sessions(sqlite_console: ServedConsole) -> None:
    await sqlite_console.add("li", "administrator")
    browser = sqlite_console.browser()
    await browser.get("/login")
    await browser.post("/login", {"username": "li", "password": PASSWORD}, headers={"User-Agent": PAYLOAD})
    page = await browser.get("/account")
    assert "alert(1)" in page.visible
    assert read(page).faults == []


async def test_every_answer_is_guarded_errors_too(
    sqlite_console: ServedConsole, master: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ValueError(f"杨小芳 {SCRIPT}")

    monkeypatch.setattr(TrailSearch, "page", broken)
    stranger = sqlite_console.browser()
    answers = {
        "a page": (200, await master.get("/")),
        "a part": (200, await master.get("/tasks", fragment=True)),
        "the login page": (200, await stranger.get("/login")),
        "a redirect": (303, await stranger.get("/")),
        "a style": (200, await stranger.get("/static/console.css")),
        "health": (200, await stranger.get("/healthz")),
        "no such page": (404, await master.get("/no-such-page")),
        "no such record": (404, await master.get("/staff/nobody")),
        "forbidden": (403, await master.post("/trail/check", csrf="")),
        "another verb": (405, await master.get("/logout")),
        "too much": (413, await master.post("/trail/export", _too_much())),
        "a fault": (500, await master.get("/trail")),
        "a fault in a part": (500, await master.get("/trail", fragment=True)),
    }
    for what, (status, answer) in answers.items():
        assert answer.status == status, what
        for name, value in HEADERS.items():
            if (what, name) != ("a style", "Cache-Control"):
                assert answer.headers[name] == value, (what, name)
        assert "杨小芳" not in answer.text, what
        assert "Traceback" not in answer.text, what
    assert "immutable" in answers["a style"][1].headers["Cache-Control"]
    assert "编号" in answers["a fault"][1].visible


def _too_much() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("note", io.BytesIO(b"x" * (MAX_BODY_BYTES + 1)), filename="note.txt")
    return form


def test_the_policy_allows_nothing_but_our_own_files() -> None:
    policy = {
        name: values for name, *values in (part.split() for part in HEADERS["Content-Security-Policy"].split(";"))
    }
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "data:"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert HEADERS["X-Frame-Options"] == "DENY"
    assert HEADERS["Cache-Control"] == "no-store"
    assert HEADERS["X-Content-Type-Options"] == "nosniff"


async def test_a_file_to_download_is_no_page(sqlite_console: ServedConsole, master: Browser) -> None:
    await master.get("/trail")
    await master.post("/trail/export", {"format": "csv"})
    [task] = await sqlite_console.records.tasks.of("master")
    await task_runner_of(sqlite_console.records).run(task.id)
    status, _, headers = await master.download(f"/tasks/{task.id}/file")
    assert status == 200
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"].startswith("text/csv")

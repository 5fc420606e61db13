"""Every route of the console as every role and as nobody, against a table written without the code's help."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from bot.console.texts import read_sections
from bot.staff.rules import PermissionTable
from bot.values.problem import Problem
from tests.console.served import PASSWORD, Browser, ServedConsole

ADMIN, MANAGER, REVIEWER, LAWYER = "administrator", "programme_manager", "county_reviewer", "lawyer"
AGENT, OPERATOR, APPROVER, AUDITOR = "chat_agent", "campaign_operator", "campaign_approver", "auditor"
ROLES = (ADMIN, MANAGER, REVIEWER, LAWYER, AGENT, OPERATOR, APPROVER, AUDITOR)
EVERYBODY = frozenset(ROLES)
SONGTAO = "520628"

APPLICATION_READERS = {ADMIN, MANAGER, REVIEWER, AUDITOR}
KNOWLEDGE_READERS = {ADMIN, MANAGER, REVIEWER, LAWYER, AGENT, AUDITOR}
EDITORS = {ADMIN, MANAGER, LAWYER}
DECIDERS = {ADMIN, MANAGER, REVIEWER}
CASE_READERS = {ADMIN, REVIEWER, LAWYER, AUDITOR}
ADVISERS = {ADMIN, LAWYER}
CHAT_READERS = {ADMIN, AGENT, REVIEWER, AUDITOR}
ANSWERERS = {ADMIN, AGENT, REVIEWER}
PROGRAMME_READERS = {ADMIN, MANAGER, REVIEWER, AGENT, AUDITOR}
MANAGERS = {ADMIN, MANAGER}
FIGURES = {ADMIN, MANAGER, REVIEWER, OPERATOR, AUDITOR}
CAMPAIGN_READERS = {ADMIN, OPERATOR, APPROVER, AUDITOR}
COMPOSERS = {ADMIN, OPERATOR}

MATRIX: dict[str, frozenset[str] | set[str]] = {
    "GET /": EVERYBODY,
    "GET /inbox": CHAT_READERS,
    "GET /inbox/events": CHAT_READERS,
    "GET /inbox/{chat}": CHAT_READERS,
    "POST /inbox/{chat}/claim": ANSWERERS,
    "POST /inbox/{chat}/answer": ANSWERERS,
    "GET /inbox/{chat}/close": ANSWERERS,
    "POST /inbox/{chat}/close": ANSWERERS,
    "POST /inbox/{chat}/hand-back": ANSWERERS,
    "POST /inbox/{chat}/reopen": ANSWERERS,
    "GET /inbox/{chat}/transfer": ANSWERERS,
    "POST /inbox/{chat}/transfer": ANSWERERS,
    "POST /inbox/{chat}/note": ANSWERERS,
    "POST /inbox/{chat}/typing": ANSWERERS,
    "POST /inbox/{chat}/remind": ANSWERERS,
    "POST /inbox/{chat}/reveal": ANSWERERS,
    "POST /inbox/{chat}/messages/{message}/resend": ANSWERERS,
    "GET /inbox/{chat}/messages/{message}/picture": CHAT_READERS,
    "POST /inbox/search": CHAT_READERS,
    "GET /inbox/alerts": ANSWERERS,
    "POST /inbox/alerts/{alert}/take": ANSWERERS,
    "GET /inbox/office": {ADMIN},
    "POST /inbox/office/queues/{topic}": {ADMIN},
    "POST /inbox/office/hours/{weekday}": {ADMIN},
    "POST /inbox/office/days": {ADMIN},
    "POST /inbox/office/days/drop": {ADMIN},
    "POST /inbox/office/reasons": {ADMIN},
    "GET /inbox/replies": {ADMIN, AGENT},
    "GET /inbox/replies/new": {ADMIN, AGENT},
    "POST /inbox/replies/new": {ADMIN, AGENT},
    "GET /inbox/replies/{reply}": {ADMIN, AGENT},
    "POST /inbox/replies/{reply}": {ADMIN, AGENT},
    "POST /inbox/replies/{reply}/offer": {ADMIN, AGENT},
    "GET /registrations": APPLICATION_READERS,
    "POST /registrations/search": APPLICATION_READERS,
    "POST /registrations/views": APPLICATION_READERS,
    "POST /registrations/views/{view}/delete": APPLICATION_READERS,
    "GET /registrations/next": DECIDERS,
    "POST /registrations/bulk/ask": DECIDERS,
    "GET /registrations/bulk": DECIDERS,
    "GET /registrations/bulk/{run}/undo": DECIDERS,
    "POST /registrations/bulk": DECIDERS,
    "GET /registrations/bulk/{run}": DECIDERS,
    "POST /registrations/bulk/{run}/undo": DECIDERS,
    "GET /registrations/export": DECIDERS,
    "POST /registrations/export": DECIDERS,
    "GET /registrations/{receipt}": APPLICATION_READERS,
    "POST /registrations/{receipt}/reveal": DECIDERS,
    "GET /registrations/{receipt}/materials": DECIDERS,
    "GET /registrations/{receipt}/materials/{material}": DECIDERS,
    "GET /registrations/{receipt}/{step}": DECIDERS,
    "POST /registrations/{receipt}/{step}": DECIDERS,
    "GET /registrations/lists": {ADMIN, MANAGER},
    "POST /registrations/lists": {ADMIN, MANAGER},
    "GET /registrations/lists/template": {ADMIN, MANAGER},
    "GET /registrations/lists/{list}": {ADMIN, MANAGER},
    "GET /registrations/lists/{list}/store": {ADMIN, MANAGER},
    "POST /registrations/lists/{list}/store": {ADMIN, MANAGER},
    "GET /registrations/lists/{list}/withdraw": {ADMIN, MANAGER},
    "POST /registrations/lists/{list}/withdraw": {ADMIN, MANAGER},
    "GET /attendance": DECIDERS,
    "GET /attendance/{site}/{day}": DECIDERS,
    "POST /attendance/{site}/{day}/check-in": DECIDERS,
    "POST /attendance/{site}/{day}/revoke": DECIDERS,
    "GET /attendance/{site}/{day}/print": DECIDERS,
    "POST /attendance/{site}/{day}/print": DECIDERS,
    "GET /knowledge": KNOWLEDGE_READERS,
    "GET /knowledge/try": KNOWLEDGE_READERS,
    "GET /knowledge/{code}": KNOWLEDGE_READERS,
    "GET /knowledge/new": EDITORS,
    "POST /knowledge/new": EDITORS,
    "GET /knowledge/{code}/edit": EDITORS,
    "POST /knowledge/{code}/edit": EDITORS,
    "POST /knowledge/{code}/restore": EDITORS,
    "POST /knowledge/{code}/publish": {ADMIN, MANAGER},
    "GET /knowledge/{code}/retire": {ADMIN, MANAGER},
    "POST /knowledge/{code}/retire": {ADMIN, MANAGER},
    "GET /review": {ADMIN, AGENT},
    "POST /review/{item}/relabel": {ADMIN, AGENT},
    "POST /review/{item}/dismiss": {ADMIN, AGENT},
    "POST /review/{item}/undo": {ADMIN, AGENT},
    "GET /legal": CASE_READERS,
    "GET /legal/waiting": {ADMIN, REVIEWER, LAWYER},
    "GET /legal/{receipt}": CASE_READERS,
    "GET /legal/{receipt}/evidence/{number}": CASE_READERS,
    "GET /legal/{receipt}/take": {LAWYER},
    "POST /legal/{receipt}/take": {LAWYER},
    "POST /legal/{receipt}/attempt": ADVISERS,
    "POST /legal/{receipt}/note": ADVISERS,
    "POST /legal/{receipt}/reply": ADVISERS,
    "POST /legal/{receipt}/move": ADVISERS,
    "POST /legal/{receipt}/give-back": ADVISERS,
    "POST /legal/{receipt}/reveal": ADVISERS,
    "GET /legal/{receipt}/assign": {ADMIN, REVIEWER},
    "POST /legal/{receipt}/assign": {ADMIN, REVIEWER},
    "GET /legal/clients": ADVISERS,
    "POST /legal/clients": ADVISERS,
    "POST /legal/clients/{client}/remove": ADVISERS,
    "GET /legal/statistics": FIGURES,
    "GET /programmes": PROGRAMME_READERS,
    "GET /programmes/new": MANAGERS,
    "POST /programmes/new": MANAGERS,
    "GET /programmes/{programme}": PROGRAMME_READERS,
    "GET /programmes/{programme}/copy": MANAGERS,
    "POST /programmes/{programme}/copy": MANAGERS,
    "GET /programmes/{programme}/open": MANAGERS,
    "POST /programmes/{programme}/open": MANAGERS,
    "GET /programmes/{programme}/close": MANAGERS,
    "POST /programmes/{programme}/close": MANAGERS,
    "GET /programmes/{programme}/history": PROGRAMME_READERS,
    "POST /programmes/{programme}/restore": MANAGERS,
    "GET /programmes/{programme}/edit/{section}": MANAGERS,
    "POST /programmes/{programme}/edit/{section}": MANAGERS,
    "POST /programmes/{programme}/edit/{section}/preview": MANAGERS,
    "GET /programmes/{programme}/preview": PROGRAMME_READERS,
    "GET /programmes/{programme}/occupancy": PROGRAMME_READERS,
    "GET /programmes/{programme}/slots": PROGRAMME_READERS,
    "GET /programmes/{programme}/slots/new": MANAGERS,
    "POST /programmes/{programme}/slots/new": MANAGERS,
    "GET /programmes/{programme}/slots/change": MANAGERS,
    "POST /programmes/{programme}/slots/change": MANAGERS,
    "GET /programmes/{programme}/slots/move": MANAGERS,
    "POST /programmes/{programme}/slots/move": MANAGERS,
    "GET /programmes/{programme}/sites": PROGRAMME_READERS,
    "GET /programmes/{programme}/sites/edit": MANAGERS,
    "POST /programmes/{programme}/sites/edit": MANAGERS,
    "GET /programmes/{programme}/posts": PROGRAMME_READERS,
    "GET /programmes/{programme}/posts/edit": MANAGERS,
    "POST /programmes/{programme}/posts/edit": MANAGERS,
    "GET /reports": FIGURES,
    "POST /reports/excel": FIGURES,
    "GET /reports/messages": FIGURES - {REVIEWER},
    "GET /reports/programmes/{programme}": FIGURES,
    "GET /reports/chats": FIGURES,
    "GET /campaigns": CAMPAIGN_READERS,
    "GET /campaigns/new": COMPOSERS,
    "POST /campaigns/new": COMPOSERS,
    "POST /campaigns/new/count": COMPOSERS,
    "GET /campaigns/opt-outs": CAMPAIGN_READERS,
    "POST /campaigns/opt-outs/find": COMPOSERS,
    "POST /campaigns/opt-outs/add": COMPOSERS,
    "GET /campaigns/opt-outs/{row}/lift": COMPOSERS,
    "POST /campaigns/opt-outs/{row}/lift": COMPOSERS,
    "GET /campaigns/pictures/{file}": CAMPAIGN_READERS,
    "GET /campaigns/rules": CAMPAIGN_READERS,
    "GET /campaigns/rules/new": COMPOSERS,
    "POST /campaigns/rules/new": COMPOSERS,
    "GET /campaigns/rules/{rule}": COMPOSERS,
    "POST /campaigns/rules/{rule}": COMPOSERS,
    "GET /campaigns/tags": CAMPAIGN_READERS,
    "POST /campaigns/tags/refresh": COMPOSERS,
    "POST /campaigns/tags/{tag}/pull": COMPOSERS,
    "GET /campaigns/testers": CAMPAIGN_READERS,
    "POST /campaigns/testers/find": COMPOSERS,
    "POST /campaigns/testers/add": COMPOSERS,
    "POST /campaigns/testers/{tester}/remove": COMPOSERS,
    "GET /campaigns/{campaign}": CAMPAIGN_READERS,
    "GET /campaigns/{campaign}/edit": COMPOSERS,
    "POST /campaigns/{campaign}/edit": COMPOSERS,
    "POST /campaigns/{campaign}/edit/count": COMPOSERS,
    "POST /campaigns/{campaign}/copy": COMPOSERS,
    "POST /campaigns/{campaign}/check": COMPOSERS,
    "POST /campaigns/{campaign}/preview": COMPOSERS,
    "GET /campaigns/{campaign}/approve": {APPROVER},
    "POST /campaigns/{campaign}/approve": {APPROVER},
    "GET /campaigns/{campaign}/reject": {APPROVER},
    "POST /campaigns/{campaign}/reject": {APPROVER},
    "GET /campaigns/{campaign}/{step}": {OPERATOR},
    "POST /campaigns/{campaign}/{step}": {OPERATOR},
    "GET /campaigns/{campaign}/withdraw": {OPERATOR},
    "POST /campaigns/{campaign}/withdraw": {OPERATOR},
    "GET /campaigns/{campaign}/settle": {OPERATOR},
    "POST /campaigns/{campaign}/settle": {OPERATOR},
    "GET /campaigns/{campaign}/results": CAMPAIGN_READERS,
    "GET /reports/campaigns": CAMPAIGN_READERS,
    "POST /campaigns/{campaign}/results/excel": CAMPAIGN_READERS,
    "GET /tasks": EVERYBODY,
    "GET /tasks/{task}/file": EVERYBODY,
    "GET /tasks/{task}/cancel": EVERYBODY,
    "POST /tasks/{task}/cancel": EVERYBODY,
    "GET /staff": {ADMIN, AUDITOR},
    "GET /staff/new": {ADMIN},
    "POST /staff/new": {ADMIN},
    "GET /staff/{username}": {ADMIN, AUDITOR},
    "POST /staff/{username}": {ADMIN},
    "GET /staff/{username}/{step}": {ADMIN},
    "POST /staff/{username}/lock": {ADMIN},
    "POST /staff/{username}/unlock": {ADMIN},
    "POST /staff/{username}/password": {ADMIN},
    "POST /staff/{username}/code": {ADMIN},
    "POST /staff/{username}/sessions": {ADMIN},
    "GET /followers": {ADMIN},
    "POST /followers": {ADMIN},
    "GET /followers/{reference}": {ADMIN},
    "POST /followers/{reference}/reveal": {ADMIN},
    "GET /followers/{reference}/export": {ADMIN},
    "POST /followers/{reference}/export": {ADMIN},
    "GET /followers/{reference}/erase": {ADMIN},
    "POST /followers/{reference}/erase": {ADMIN},
    "GET /trail": {ADMIN, AUDITOR},
    "POST /trail/export": {ADMIN, AUDITOR},
    "POST /trail/check": {ADMIN, AUDITOR},
    "GET /account": EVERYBODY,
    "GET /account/password": EVERYBODY,
    "POST /account/password": EVERYBODY,
    "GET /account/code": EVERYBODY,
    "POST /account/code": EVERYBODY,
    "POST /account/code/renew": EVERYBODY,
    "POST /account/code/remove": EVERYBODY,
    "POST /account/sessions/end": EVERYBODY,
    "POST /account/sessions/{session}/end": EVERYBODY,
}
STREAMS = {"GET /inbox/events"}
"""They go on for minutes; their first line tells enough."""
OWN_PAGES = {name for name in MATRIX if name == "GET /" or "/tasks" in name or "/account" in name}
"""What is for everybody who is signed in, because it shows one's own things alone."""
_PARAMETER = re.compile(r"{([a-z_]+)(?::(?:[^{}]|{[^{}]*})*)?}")
SAMPLES = {
    "code": "A01",
    "receipt": "FL26-0615-9999",
    "username": "nobody-there",
    "step": "lock",
    "reference": "A" * 60,
    "day": "2026-06-19",
    "section": "basics",
    "topic": "general",
    "weekday": "3",
    "file": "0" * 32,
}
"""What stands for a part of an address; a number for all others. None of the records needs to be there."""
STEPS_OF = {"/registrations/": {"step": "approve"}, "/campaigns/": {"step": "pause"}}


def named(method: str, path: str) -> str:
    """Return how a route is called in the table: its parameters without their patterns."""
    return f"{method} {_PARAMETER.sub(lambda found: '{' + found[1] + '}', path)}"


def address_of(name: str, values: Mapping[str, str] = MappingProxyType({})) -> tuple[str, str]:
    """Return the method and an address of a route, with ``values`` or samples in place of its parameters."""
    method, _, path = name.partition(" ")
    steps = next((step for place, step in STEPS_OF.items() if place in path), {})
    known = {**SAMPLES, **steps, **values}
    return method, re.sub(r"{([a-z_]+)}", lambda found: known.get(found[1], "999999"), path)


def test_the_table_names_the_roles_that_there_are() -> None:
    assert set(ROLES) == set(PermissionTable.load().roles)


async def test_every_route_stands_in_the_table(sqlite_console: ServedConsole) -> None:
    routes = {named(method, path) for method, path, _ in sqlite_console.routes}
    assert routes == set(MATRIX)


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_reaches_exactly_its_own_routes(sqlite_console: ServedConsole, role: str) -> None:
    browser = await sqlite_console.staff(role, county=SONGTAO)
    reached = {name for name in MATRIX if await _is_let_through(browser, name)}
    assert reached == {name for name, roles in MATRIX.items() if role in roles}


async def _is_let_through(browser: Browser, name: str) -> bool:
    method, path = address_of(name)
    token = browser.csrf
    if name in STREAMS:
        async with browser.http.get(f"{browser.base}{path}") as response:
            return response.status == 200
    answer = await browser.get(path) if method == "GET" else await browser.post(path, csrf=token)
    browser.csrf = token
    assert answer.status < 500, (name, answer.visible[:300])
    assert not answer.location.startswith("/login"), name
    return answer.status != 403


async def test_nobody_reaches_anything_but_the_door(sqlite_console: ServedConsole) -> None:
    browser = sqlite_console.browser()
    for name in MATRIX:
        method, path = address_of(name)
        answer = await (browser.get(path) if method == "GET" else browser.post(path, {}))
        assert answer.status == 303, name
        assert answer.location.startswith("/login"), name


async def test_an_account_without_roles_sees_its_own_pages_alone(sqlite_console: ServedConsole) -> None:
    browser = await sqlite_console.staff(username="newcomer")
    assert {name for name in MATRIX if await _is_let_through(browser, name)} == OWN_PAGES


async def test_a_county_role_needs_a_county(sqlite_console: ServedConsole) -> None:
    refused = await sqlite_console.records.staff.add(
        "nowhere", PASSWORD, display_name="nowhere", roles=[REVIEWER], by="test", source="test"
    )
    assert refused == Problem("staff.county_needed")


def test_every_permission_has_a_name() -> None:
    assert set(read_sections()["labels.permission"]) == set(PermissionTable.load().permissions)


async def test_who_is_not_allowed_reads_what_it_was_and_whose_it_is(sqlite_console: ServedConsole) -> None:
    lawyer = await sqlite_console.staff(LAWYER, county=SONGTAO)
    answer = await lawyer.get("/registrations")
    assert answer.status == 403
    assert "“看报名”不归您的账号办，由系统管理员、活动管理员、区县审核员、审计员办" in answer.visible
    assert "registrations:" not in answer.visible

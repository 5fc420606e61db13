"""Signing in and out."""

import secrets
from datetime import datetime
from typing import assert_never
from urllib.parse import quote, urlsplit

from aiohttp import web

from bot.console.forms import Form
from bot.console.gate import LOGIN_PATH, Cookies, Gate
from bot.console.visit import Building, public_values, set_notice
from bot.staff.sessions import SessionService
from bot.staff.sign_in import (
    AccountLocked,
    AddressBlocked,
    CodeNeeded,
    LoggedIn,
    PasswordExpired,
    SignInService,
    StepOver,
    WrongCode,
    WrongPassword,
)

VISIT_BYTES = 18
CODE_PATH = f"{LOGIN_PATH}/code"


class SessionPages:
    """The login page, for everybody, and the way out."""

    def __init__(
        self, sign_in: SignInService, sessions: SessionService, gate: Gate, building: Building, cookies: Cookies
    ) -> None:
        self._sign_in = sign_in
        self._sessions = sessions
        self._gate = gate
        self._building = building
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; they stand in front of the gate."""
        return [
            web.get(LOGIN_PATH, self.ask),
            web.post(LOGIN_PATH, self.sign_in),
            web.get(CODE_PATH, self.ask_code),
            web.post(CODE_PATH, self.take_code),
            web.post("/logout", self.sign_out),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Show the login form; whoever is signed in already goes on."""
        if await self._gate.viewer(request) is not None:
            return web.Response(status=303, headers={"Location": own_path(request.query.get("next", ""))})
        return self._login_page(request)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Check username and password and open a session with a fresh token."""
        await self._gate.check_genuine(request, self._gate.csrf(request.cookies.get(self._cookies.visit, "")))
        form = Form(await request.post())
        username, source = form.text("username", "用户名").lower(), self._gate.source(request)
        outcome = await self._sign_in.verify(username, form.raw("password"), source=source)
        match outcome:
            case LoggedIn():
                return await self._enter(request, outcome.account.username, source, own_path(form.raw("next")))
            case CodeNeeded():
                return self._to_code(outcome.token, own_path(form.raw("next")))
            case AccountLocked():
                return self._login_page(request, self._locked(outcome.until), form)
            case AddressBlocked():
                until = f"{outcome.until:%H:%M}"
                return self._login_page(request, f"这个网络输错次数太多，{until} 以后再试。", form)
            case PasswordExpired():
                return self._login_page(request, "一次性密码已过期，请系统管理员重新重置。", form)
            case WrongPassword():
                return self._login_page(request, "用户名或密码不对。连续输错 5 次会锁定 15 分钟。", form)
            case _:
                assert_never(outcome)

    async def ask_code(self, request: web.Request) -> web.StreamResponse:
        """Ask for the code that a right password leads to."""
        if not request.cookies.get(self._cookies.step):
            return web.Response(status=303, headers={"Location": LOGIN_PATH})
        return self._code_page(request)

    async def take_code(self, request: web.Request) -> web.StreamResponse:
        """Check the code and open a session with a fresh token."""
        step = request.cookies.get(self._cookies.step, "")
        await self._gate.check_genuine(request, self._gate.csrf(step))
        form, source = Form(await request.post()), self._gate.source(request)
        outcome = await self._sign_in.verify_code(step, form.raw("code"), source=source)
        match outcome:
            case LoggedIn():
                return await self._enter(request, outcome.account.username, source, own_path(form.raw("next")))
            case WrongCode():
                return self._code_page(request, "验证码不对或已经用过，等下一个再输。", form)
            case AccountLocked():
                return self._code_page(request, self._locked(outcome.until), form)
            case StepOver():
                response = web.Response(status=303, headers={"Location": LOGIN_PATH})
                response.del_cookie(self._cookies.step, path="/")
                set_notice(response, self._building, self._building.pages.texts.notice("session.step_over", {}))
                return response
            case _:
                assert_never(outcome)

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        token = request.cookies.get(self._cookies.session, "")
        await self._gate.check_genuine(request, self._gate.csrf(token))
        await self._sessions.close(token, source=self._gate.source(request))
        response = web.Response(status=303, headers={"Location": LOGIN_PATH})
        response.del_cookie(self._cookies.session, path="/")
        set_notice(response, self._building, self._building.pages.texts.notice("session.signed_out", {}))
        return response

    async def _enter(self, request: web.Request, username: str, source: str, target: str) -> web.Response:
        # A token that was in the browser before is never taken over: it may have been put there by somebody else.
        opened = await self._sessions.open(username, source=source, client=request.headers.get("User-Agent", ""))
        response = web.Response(status=303, headers={"Location": target})
        self._cookies.set(response, self._cookies.session, opened.token)
        for spent in (self._cookies.visit, self._cookies.step):
            response.del_cookie(spent, path="/")
        return response

    def _to_code(self, token: str, target: str) -> web.Response:
        query = "" if target == "/" else f"?next={quote(target, safe='')}"
        response = web.Response(status=303, headers={"Location": f"{CODE_PATH}{query}"})
        self._cookies.set(response, self._cookies.step, token)
        return response

    def _code_page(self, request: web.Request, refusal: str | None = None, form: Form | None = None) -> web.Response:
        wanted = form.raw("next") if form is not None else request.query.get("next", "")
        values = public_values(
            self._building,
            request,
            csrf=self._gate.csrf(request.cookies.get(self._cookies.step, "")),
            refusal=refusal,
            next=own_path(wanted),
        )
        return web.Response(
            text=self._building.pages.render("session/code.html", values),
            content_type="text/html",
            charset="utf-8",
            status=200 if refusal is None else 422,
        )

    def _locked(self, until: datetime) -> str:
        return f"输错次数太多，{until:%H:%M} 以后再试，或请管理员解锁。"

    def _login_page(self, request: web.Request, refusal: str | None = None, form: Form | None = None) -> web.Response:
        visit = request.cookies.get(self._cookies.visit) or secrets.token_urlsafe(VISIT_BYTES)
        wanted = form.raw("next") if form is not None else request.query.get("next", "")
        values = public_values(
            self._building,
            request,
            csrf=self._gate.csrf(visit),
            refusal=refusal,
            next=own_path(wanted),
            username=form.raw("username") if form is not None else "",
        )
        response = web.Response(
            text=self._building.pages.render("session/login.html", values),
            content_type="text/html",
            charset="utf-8",
            status=200 if refusal is None else 422,
        )
        self._cookies.set(response, self._cookies.visit, visit)
        return response


def own_path(wanted: str) -> str:
    """Return ``wanted`` when it is a path of this console, else the start page."""
    parts = urlsplit(wanted)
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if is_own and wanted.isprintable() and "\\" not in wanted else "/"

"""The gate in front of every route: a genuine request, a session, a permission; and what each refusal looks like."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from aiohttp import web

from bot.console.errors import FormNotGenuine
from bot.console.routing import Route
from bot.console.visit import Building, Viewer, Visit, set_notice
from bot.staff.second_factor import SecondFactorService
from bot.staff.sessions import SessionService
from bot.storage.encryption import FieldCipher

FIELD: Final = "csrf"
HEADER: Final = "X-CSRF-Token"
QUIET: Final = "X-Quiet"
"""With ``1`` the page asks by itself, as one that follows what happens does."""
LOGIN_PATH: Final = "/login"
PASSWORD_PATH: Final = "/account/password"  # noqa: S105 - An address.
CODE_PATH: Final = "/account/code"
_CSRF_CONTEXT = "console.csrf"


@dataclass(frozen=True, slots=True)
class Cookies:
    """How cookies are set. ``secure`` binds them to HTTPS and this very host."""

    secure: bool
    max_age_s: int

    @property
    def session(self) -> str:
        return "__Host-console_session" if self.secure else "console_session"

    @property
    def visit(self) -> str:
        """The cookie of somebody who is not signed in yet; it ties the login form to this browser."""
        return "__Host-console_visit" if self.secure else "console_visit"

    @property
    def step(self) -> str:
        """The cookie of somebody whose password was right and who still owes a code."""
        return "__Host-console_step" if self.secure else "console_step"

    def set(self, response: web.StreamResponse, name: str, value: str) -> None:
        """Set a cookie that scripts cannot read and other sites cannot send with a form."""
        response.set_cookie(
            name, value, max_age=self.max_age_s, httponly=True, samesite="Lax", secure=self.secure, path="/"
        )


class Gate:
    """Lets a request through to a route's handler, or sends it away."""

    def __init__(
        self,
        sessions: SessionService,
        cipher: FieldCipher,
        building: Building,
        cookies: Cookies,
        second_factor: SecondFactorService,
        *,
        trust_proxy: bool,
    ) -> None:
        self._sessions = sessions
        self._second_factor = second_factor
        self._cipher = cipher
        self._building = building
        self._cookies = cookies
        self._trust_proxy = trust_proxy

    def guarded(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the handler of ``route`` behind the gate."""

        async def handle(request: web.Request) -> web.StreamResponse:
            viewer = await self.viewer(request, quiet=route.quiet or request.headers.get(QUIET) == "1")
            if viewer is None:
                return self._to_login(request)
            owed = None if route.always else self._owed(viewer)
            if owed is not None:
                return _redirect(request, owed)
            if request.method != "GET":
                await self.check_genuine(request, viewer.csrf)
            visit = Visit(request, viewer, route, self._building, source=self.source(request))
            if route.permission is not None:
                visit.require(route.permission)
            return await route.handler(visit)

        return handle

    async def viewer(self, request: web.Request, *, quiet: bool = False) -> Viewer | None:
        """Return who is signed in; ``quiet`` does not count as a sign that somebody is there."""
        token = request.cookies.get(self._cookies.session)
        if not token:
            return None
        resumed = await self._sessions.resume(token, touch=not quiet)
        return None if resumed is None else Viewer(resumed.account, resumed.session_id, self.csrf(token))

    def csrf(self, token: str) -> str:
        """Return what the forms of a session carry: nobody else can know it, and it does not give the token away."""
        return self._cipher.lookup_hash(token, _CSRF_CONTEXT)

    async def check_genuine(self, request: web.Request, csrf: str) -> None:
        """Raise FormNotGenuine unless the request comes from a page of ours that this browser was given."""
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if site not in ("same-origin", "none") or (origin and urlsplit(origin).netloc != request.host):
            raise FormNotGenuine
        sent: object = request.headers.get(HEADER)
        if sent is None:
            sent = (await request.post()).get(FIELD, "")
        if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), csrf.encode()):
            raise FormNotGenuine

    def source(self, request: web.Request) -> str:
        """Return the address that a request came from; what a proxy says counts only where one is in front of us."""
        forwarded = request.headers.get("X-Forwarded-For", "") if self._trust_proxy else ""
        return (forwarded.rpartition(",")[2].strip() or request.remote or "")[:64]

    def _owed(self, viewer: Viewer) -> str | None:
        """Return the page of what somebody has to do before anything else."""
        if viewer.account.must_change_password:
            return PASSWORD_PATH
        if not viewer.account.has_code and self._second_factor.is_required(viewer.account.roles):
            return CODE_PATH
        return None

    def _to_login(self, request: web.Request) -> web.Response:
        here = request.path_qs if request.method == "GET" else "/"
        target = LOGIN_PATH if here == "/" else f"{LOGIN_PATH}?next={quote(here, safe='')}"
        if request.headers.get("HX-Request") == "true":
            return _redirect(request, LOGIN_PATH)
        response = _redirect(request, target)
        if self._cookies.session in request.cookies:
            response.del_cookie(self._cookies.session, path="/")
            set_notice(response, self._building, self._building.pages.texts.notice("session.ended", {}))
        return response


def _redirect(request: web.Request, path: str) -> web.Response:
    # A script follows a redirect without the browser's address changing, so it is told where to go.
    if request.headers.get("HX-Request") == "true":
        return web.Response(status=200, headers={"HX-Redirect": path})
    return web.Response(status=303, headers={"Location": path})

"""The console as an HTTP server: areas behind the gate, the login page, scripts, styles, and errors as pages."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

from bot.campaigns.errors import NoSuchCampaign, NoSuchTag
from bot.console.ending import HandlersAtWork
from bot.console.errors import BadAddress, FormNotGenuine, NotFound
from bot.console.gate import Cookies, Gate
from bot.console.home import HomePages
from bot.console.pages import HTMX, STATIC, Pages
from bot.console.routing import Area, Route, Streams
from bot.console.session import SessionPages
from bot.console.texts import Texts
from bot.console.visit import Building, public_values
from bot.followers.errors import NoSuchFollower
from bot.inbox.errors import NoSuchAlert, NoSuchChat, NoSuchMessage, NoSuchReply
from bot.knowledge.errors import EntryChanged, NoSuchEntry
from bot.legal.errors import NoSuchCase, TransitionRefused
from bot.programmes.errors import EditConflict, NotReady, UnknownProgramme, UnknownRow, UnknownVersion
from bot.registrations.errors import (
    IllegalTransition,
    MovedSince,
    UnknownBulkRun,
    UnknownMaterialFile,
    UnknownUnitList,
)
from bot.staff.errors import NoSuchAccount, NotPermitted
from bot.staff.names import StaffNames
from bot.staff.rules import PermissionTable
from bot.staff.second_factor import SecondFactorService
from bot.staff.sessions import SessionService
from bot.staff.sign_in import SignInService
from bot.staff.tasks.errors import NoSuchTask
from bot.storage.encryption import FieldCipher
from bot.storage.files import FileMissing
from bot.understanding.review.errors import NoSuchItem
from bot.values.errors import BotError

log = structlog.get_logger(__name__)

MIB: Final = 1024 * 1024
MAX_BODY_BYTES: Final = 20 * MIB
ADDRESS_MAX_BYTES: Final = 32 * 1024
"""A week of a large programme, every slot of it ticked, stands in an address of some ten thousand bytes."""
ROUTES = web.AppKey("routes", tuple[Route, ...])
"""Every route behind the gate, for the test that walks them as every role."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

STATUS_OF: Final[dict[type[BotError], int]] = {
    FormNotGenuine: 403,
    NotPermitted: 403,
    NotFound: 404,
    NoSuchAccount: 404,
    NoSuchFollower: 404,
    NoSuchAlert: 404,
    NoSuchChat: 404,
    NoSuchMessage: 404,
    NoSuchReply: 404,
    NoSuchItem: 404,
    NoSuchEntry: 404,
    NoSuchCase: 404,
    TransitionRefused: 409,
    FileMissing: 404,
    EntryChanged: 409,
    NoSuchTask: 404,
    NoSuchCampaign: 404,
    NoSuchTag: 404,
    UnknownProgramme: 404,
    UnknownRow: 404,
    UnknownVersion: 404,
    EditConflict: 409,
    NotReady: 409,
    BadAddress: 400,
    IllegalTransition: 409,
    MovedSince: 409,
    UnknownBulkRun: 404,
    UnknownMaterialFile: 404,
    UnknownUnitList: 404,
}
"""Errors that are not the general 422: the request was understood and is refused."""

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How it is served. ``https``: a proxy in front of it speaks HTTPS; ``trust_proxy``: its headers count."""

    https: bool
    trust_proxy: bool
    session_s: int
    is_demo: bool


class Console:
    """The aiohttp application of one console process.

    ``problems`` are the sentences of the subjects' rules, ``reasons`` those of decisions.
    """

    def __init__(
        self,
        sign_in: SignInService,
        second_factor: SecondFactorService,
        sessions: SessionService,
        permissions: PermissionTable,
        cipher: FieldCipher,
        areas: Sequence[Area],
        settings: ConsoleSettings,
        *,
        names: StaffNames,
        problems: Mapping[str, str],
        reasons: Mapping[str, str],
    ) -> None:
        home = HomePages(areas)
        self._areas: tuple[Area, ...] = (home, *areas)
        self._building = Building(
            pages=Pages(Texts.load(problems=problems, reasons=reasons)),
            permissions=permissions,
            cipher=cipher,
            nav=tuple(item for area in self._areas for item in area.nav),
            names=names,
            is_demo=settings.is_demo,
            secure=settings.https,
        )
        cookies = Cookies(secure=settings.https, max_age_s=settings.session_s)
        self._gate = Gate(sessions, cipher, self._building, cookies, second_factor, trust_proxy=settings.trust_proxy)
        self._session_pages = SessionPages(sign_in, sessions, self._gate, self._building, cookies)
        self._https = settings.https

    def application(self) -> web.Application:
        """Return the application with its routes. Raises ValueError for a route with an unknown permission."""
        handlers = HandlersAtWork()
        app = web.Application(middlewares=[handlers.noted, self._errors], client_max_size=MAX_BODY_BYTES)
        routes = tuple(route for area in self._areas for route in area.routes())
        for route in routes:
            if route.permission is not None and route.permission not in self._building.permissions.permissions:
                raise ValueError(f"{route.method} {route.path} needs the unknown permission {route.permission!r}")
            app.router.add_route(route.method, route.path, self._gate.guarded(route))
        app[ROUTES] = routes
        app.add_routes(self._session_pages.routes())
        app.router.add_get("/healthz", _healthy)
        app.router.add_get("/static/{name}", _static)
        app.on_response_prepare.append(self._secure)
        app.on_shutdown.append(self._end_streams)
        app.on_cleanup.append(handlers.end)
        return app

    async def _end_streams(self, _app: web.Application) -> None:
        for area in self._areas:
            if isinstance(area, Streams):
                area.end_streams()

    async def _secure(self, _request: web.Request, response: web.StreamResponse) -> None:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if self._https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    @web.middleware
    async def _errors(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return await self._error_page(request, 404, NotFound.code, {})
        except web.HTTPMethodNotAllowed:
            return await self._error_page(request, 405, "console.method", {})
        except web.HTTPRequestEntityTooLarge:
            return await self._error_page(request, 413, "console.too_large", {"max_mib": MAX_BODY_BYTES // MIB})
        except NotPermitted as error:
            return await self._error_page(request, STATUS_OF[NotPermitted], error.code, self._not_permitted(error))
        except BotError as error:
            status = next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 422)
            return await self._error_page(request, status, error.code, error.fields)
        except (web.HTTPException, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 - Whatever it is, people get a page with a number to ask about.
            reference = secrets.token_hex(4)
            log.error("page failed", path=_pattern_of(request), error=type(error).__name__, reference=reference)
            return await self._error_page(request, 500, "internal", {"reference": reference})

    def _not_permitted(self, error: NotPermitted) -> dict[str, str | int]:
        """Return what the sentence needs: what was wanted, and whom to ask for it."""
        permission = str(error.fields["permission"])
        holders = self._building.permissions.holders(permission)
        return {"what": self._building.pages.texts.label(permission, "permission"), "roles": "、".join(holders)}

    async def _error_page(
        self, request: web.Request, status: int, code: str, fields: dict[str, str | int]
    ) -> web.Response:
        text = self._building.pages.texts.error(code, fields)
        reference = str(fields.get("reference", ""))
        if request.headers.get("HX-Request") == "true":
            # The page stays as it is, with what was typed; a script shows the sentence above it.
            values = {"text": text, "reference": reference}
            body = self._building.pages.render("error_part.html", values)
            headers = {"HX-Retarget": "#trouble", "HX-Reswap": "innerHTML"}
            return web.Response(text=body, content_type="text/html", charset="utf-8", status=status, headers=headers)
        values = dict(public_values(self._building, request, status=status, text=text, reference=reference))
        return web.Response(
            text=self._building.pages.render("error.html", values),
            content_type="text/html",
            charset="utf-8",
            status=status,
        )


def _pattern_of(request: web.Request) -> str:
    # The path itself may hold a receipt number; the pattern does not.
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


async def _healthy(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def _static(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    path = HTMX if name == "htmx.js" else STATIC / name
    if path.parent not in (STATIC, HTMX.parent) or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "max-age=31536000, immutable"})

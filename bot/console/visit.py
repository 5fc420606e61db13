"""One request by one member of staff: who it is, how far they may reach, and how to answer."""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.console.forms import Form
from bot.console.names import Names
from bot.console.pages import Pages
from bot.console.routing import NavItem, Route
from bot.console.texts import Said
from bot.staff.errors import NotPermitted
from bot.staff.models import StaffView
from bot.staff.names import StaffNames
from bot.staff.rules import PermissionTable, Reach
from bot.storage.encryption import FieldCipher
from bot.values.errors import BotError
from bot.values.problem import FieldValue

NOTICE_COOKIE = "console_notice"
NOTICE_LIFE_S = 60
_NOTICE_CONTEXT = "console.notice"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in, by which session, and the token that this session's forms carry."""

    account: StaffView
    session_id: int
    csrf: str

    @property
    def username(self) -> str:
        return self.account.username


@dataclass(frozen=True, slots=True)
class Building:
    """What every page needs: templates, the permission table, the menu, and how notices are signed."""

    pages: Pages
    permissions: PermissionTable
    cipher: FieldCipher
    nav: tuple[NavItem, ...]
    names: StaffNames
    is_demo: bool
    secure: bool


class Visit:
    """A request that has passed the gate: genuine, signed in and permitted."""

    def __init__(
        self, request: web.Request, viewer: Viewer, route: Route, building: Building, *, source: str
    ) -> None:
        self.request = request
        self.viewer = viewer
        self.source = source
        """The address it came from, for the trail."""
        self._route = route
        self._building = building
        self._names: Names | None = None

    # Who may see what

    @property
    def reach(self) -> Reach:
        """How far the route's permission reaches for this viewer; everything where the route asks for none."""
        permission = self._route.permission
        return Reach.ALL if permission is None else self.require(permission)

    @property
    def county(self) -> str | None:
        """The county that lists are narrowed to, ``None`` where the permission reaches everywhere.

        Raises NotPermitted for an account that sees one county and has none.
        """
        permission = self._route.permission
        return None if permission is None else self.county_for(permission)

    def county_for(self, permission: str) -> str | None:
        """Return ``county`` for another permission than the route's; raises NotPermitted."""
        if self.require(permission) is not Reach.COUNTY:
            return None
        if self.viewer.account.county is None:
            raise NotPermitted(permission=permission)
        return self.viewer.account.county

    def owner_for(self, permission: str) -> str | None:
        """Return ``owner`` for another permission than the route's; raises NotPermitted."""
        return self.viewer.username if self.require(permission) is Reach.OWN else None

    @property
    def owner(self) -> str | None:
        """The username that lists are narrowed to where the permission reaches one's own things only."""
        return self.viewer.username if self.reach is Reach.OWN else None

    def can(self, permission: str) -> bool:
        """Say whether the viewer has ``permission`` at all."""
        return self._building.permissions.reach(self.viewer.account.roles, permission) is not None

    def require(self, permission: str) -> Reach:
        """Return how far ``permission`` reaches; raises NotPermitted."""
        return self._building.permissions.require(self.viewer.account.roles, permission)

    @property
    def role_names(self) -> Mapping[str, str]:
        """Every role with what it is called."""
        return self._building.permissions.roles

    def may_touch(self, permission: str, *, county: str | None = None, owner: str | None = None) -> bool:
        """Say whether ``permission`` reaches a record of ``county`` that is ``owner``'s."""
        return self._building.permissions.covers(self.viewer.account, permission, county=county, owner=owner)

    def label(self, code: str | None, kind: str) -> str:
        """Return what a code is called; see ``Texts.label``."""
        return self._building.pages.texts.label(code, kind)

    def labels(self, kind: str) -> list[tuple[str, str]]:
        """Return every code of a kind with what it is called."""
        return self._building.pages.texts.labels(kind)

    async def names(self) -> Names:
        """Return what people are called, read once; what is rendered afterwards shows them by the filter ``who``."""
        if self._names is None:
            self._names = Names(await self._building.names.read(), self._building.pages.texts)
        return self._names

    def audit_action(self, action: str) -> str:
        """Return what an action of the trail is called; see ``Texts.audit_action``."""
        return self._building.pages.texts.audit_action(action)

    def audit_reason_code(self, words: str) -> str:
        """Return what the trail keeps for a reason; see ``Texts.audit_reason_code``."""
        return self._building.pages.texts.audit_reason_code(words)

    def error(self, error: BotError) -> str:
        """Return the sentence for an error that a page shows beside what was typed."""
        return self._building.pages.texts.error(error.code, error.fields)

    def sentence(self, code: str, fields: Mapping[str, FieldValue]) -> str:
        """Return the sentence for an error that was kept by its code."""
        return self._building.pages.texts.error(code, fields)

    # What was sent

    @property
    def wants_fragment(self) -> bool:
        """Whether a script asks for a part of the page; going back in the browser wants the whole one again."""
        headers = self.request.headers
        return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"

    def path(self, name: str) -> str:
        """Return a part of the address."""
        return self.request.match_info[name]

    def filters(self) -> Form:
        """Return the values behind the question mark."""
        return Form(self.request.query)

    async def form(self) -> Form:
        """Return the form that was sent."""
        return Form(await self.request.post())

    # How to answer

    def page(self, template: str, /, *, status: int = 200, **values: Any) -> web.Response:
        """Return a whole page."""
        response = web.Response(
            text=self._building.pages.render(template, self._shared() | values),
            content_type="text/html",
            charset="utf-8",
            status=status,
        )
        if NOTICE_COOKIE in self.request.cookies:
            response.del_cookie(NOTICE_COOKIE, path="/")
        return response

    def part(self, template: str, block: str, /, *, status: int = 200, **values: Any) -> web.Response:
        """Return one block of a page, for scripts that replace a part."""
        text = self._building.pages.fragment(template, block, self._shared() | values)
        return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)

    def to(self, path: str, notice: str | None = None, **fields: FieldValue) -> web.Response:
        """Send the browser to another page, which shows the notice with that code of ``texts/`` once."""
        # A script follows a redirect without the browser's address changing, so it is told where to go.
        headers = {"HX-Redirect": path} if self.wants_fragment else {"Location": path}
        response = web.Response(status=200 if self.wants_fragment else 303, headers=headers)
        if notice is not None:
            set_notice(response, self._building, self._building.pages.texts.notice(notice, fields))
        return response

    def _shared(self) -> dict[str, Any]:
        nav = [item for item in self._building.nav if item.permission is None or self.can(item.permission)]
        here = self.request.path
        above = [item.path for item in nav if here == item.path or here.startswith(f"{item.path}/")]
        return {
            "viewer": self.viewer,
            "can": self.can,
            "nav": nav,
            "nav_path": max(above, key=len, default=""),
            "notice": read_notice(self.request, self._building),
            "roles": self._building.permissions.roles,
            "is_demo": self._building.is_demo,
            "staff_names": self._names,
            "problems": {},
            "typed": {},
        }


def set_notice(response: web.StreamResponse, building: Building, said: Said) -> None:
    """Let the next page show what is ``said`` once."""
    payload = base64.urlsafe_b64encode(json.dumps([said.text, said.is_refusal]).encode()).decode()
    value = f"{payload}.{building.cipher.lookup_hash(payload, _NOTICE_CONTEXT)}"
    response.set_cookie(
        NOTICE_COOKIE,
        value,
        max_age=NOTICE_LIFE_S,
        httponly=True,
        samesite="Lax",
        path="/",
        secure=building.secure,
    )


def read_notice(request: web.Request, building: Building) -> Said | None:
    """Return the notice that the last step left; ``None`` for none, or for one that is not ours."""
    payload, _, signature = request.cookies.get(NOTICE_COOKIE, "").partition(".")
    if not hmac.compare_digest(signature.encode(), building.cipher.lookup_hash(payload, _NOTICE_CONTEXT).encode()):
        return None
    try:
        text, is_refusal = json.loads(base64.urlsafe_b64decode(payload))
    except (ValueError, binascii.Error):
        return None
    return Said(str(text), is_refusal=bool(is_refusal))


def public_values(building: Building, request: web.Request, **values: Any) -> Mapping[str, Any]:
    """Return what a page needs that nobody is signed in for."""
    shared: dict[str, Any] = {
        "viewer": None,
        "nav": [],
        "nav_path": "",
        "notice": read_notice(request, building),
        "is_demo": building.is_demo,
        "problems": {},
        "typed": {},
    }
    return shared | values

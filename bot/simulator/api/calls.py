"""One call of the platform's API, and the table entry that says how it is served."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.simulator.errors import ApiFault, BadField
from bot.simulator.json_body import Fields, JsonObject, has_unicode_escape, parse_object
from bot.simulator.models import Follower
from bot.simulator.platform import SimulatedPlatform

OK: JsonObject = {"errcode": 0, "errmsg": "ok"}


@dataclass(slots=True)
class ApiCall:
    """A request whose token is good. ``openid`` is filled in by handlers for the call log."""

    platform: SimulatedPlatform
    request: web.Request
    path: str
    raw: bytes = b""
    openid: str = ""

    @property
    def now(self) -> datetime:
        """The platform's time."""
        return self.platform.clock.now()

    def body(self) -> Fields:
        """Return the JSON body; escapes stay literal as on the platform. Raises ApiFault 44002 or 47001."""
        if not self.raw.strip():
            raise ApiFault(44002)
        try:
            return Fields(parse_object(self.raw, literal_escapes=True))
        except BadField as error:
            raise ApiFault(47001) from error

    def refuse_escapes(self) -> None:
        r"""Raise ApiFault 40033 when the body spells characters as ``\uXXXX``, where the platform refuses that."""
        if has_unicode_escape(self.raw):
            raise ApiFault(40033)

    def follower(self, openid: str) -> Follower:
        """Return the user with this OpenID, note it for the log; raises ApiFault 40003."""
        self.openid = openid
        follower = self.platform.followers.find(openid)
        if follower is None:
            raise ApiFault(40003)
        return follower


Answer = JsonObject | web.Response
Handler = Callable[[ApiCall], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a path is served; ``daily_limit`` 0 means that it is not counted."""

    method: str
    path: str
    handler: Handler
    daily_limit: int = 0
    needs_token: bool = True
    multipart: bool = False

"""The control API under /sim: what tests and the chat page do to the platform, as JSON."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import BodyPartReader, web

from bot.simulator import pushes
from bot.simulator.errors import ApiFault, BadField
from bot.simulator.faults import ANY_PATH, Fault
from bot.simulator.json_body import Fields, JsonObject, JsonValue, parse_object
from bot.simulator.models import Exchange
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.publications import Verdict, take_down
from bot.simulator.views import attempt_view, entry_view, exchange_view, follower_view, state_view

Action = Callable[[SimulatedPlatform, str, Fields], Awaitable[Exchange]]
DEFAULT_PLACE = (27.7183, 109.1896, "铜仁市碧江区")
MAX_DELIVERIES = 50


class ControlServer:
    """Serves /sim for one platform."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self._platform = platform

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to add to the application."""
        one = "/sim/followers/{openid}"
        return [
            web.get("/sim/state", self.state),
            web.post("/sim/followers", self.add_follower),
            web.patch(one, self.change_follower),
            web.post(f"{one}/actions", self.act),
            web.post(f"{one}/pictures", self.send_picture),
            web.post(f"{one}/deliveries", self.deliver),
            web.get(f"{one}/conversation", self.conversation),
            web.post("/sim/faults", self.add_fault),
            web.delete("/sim/faults", self.clear_faults),
            web.get("/sim/counters", self.counters),
            web.post("/sim/tokens", self.spoil_tokens),
            web.post("/sim/clock", self.move_clock),
            web.post("/sim/publications", self.change_publications),
            web.post("/sim/verify", self.verify),
            web.post("/sim/reset", self.reset),
        ]

    async def state(self, _request: web.Request) -> web.Response:
        """Return account, menu, followers, newest exchanges."""
        return web.json_response(state_view(self._platform))

    async def add_follower(self, request: web.Request) -> web.Response:
        """Add a user: ``nickname``, ``subscribed`` (false: they follow by an action later)."""
        body = await _body(request)
        follower = self._platform.add_follower(
            body.text("nickname", "测试职工"), subscribed=body.flag("subscribed"), scene=body.text("scene", "")
        )
        return web.json_response(follower_view(self._platform, follower), status=201)

    async def change_follower(self, request: web.Request) -> web.Response:
        """Change ``blocks_templates``."""
        follower = self._platform.followers.get(request.match_info["openid"])
        follower.blocks_templates = (await _body(request)).flag("blocks_templates")
        return web.json_response(follower_view(self._platform, follower))

    async def act(self, request: web.Request) -> web.Response:
        """Do what ``action`` names and return the exchange."""
        body = await _body(request)
        action = ACTIONS.get(body.text("action"))
        if action is None:
            raise BadField(field="action", reason=f"one of {', '.join(ACTIONS)}")
        exchange = await action(self._platform, request.match_info["openid"], body)
        return web.json_response(exchange_view(exchange))

    async def send_picture(self, request: web.Request) -> web.Response:
        """Send the uploaded ``picture``."""
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "picture":
                exchange = await self._platform.send_image(request.match_info["openid"], bytes(await part.read()))
                return web.json_response(exchange_view(exchange))
        raise BadField(field="picture", reason="missing")

    async def deliver(self, request: web.Request) -> web.Response:
        """Deliver one ``text`` several ``times``, ``at_once`` or in turn, to ``callback_urls``."""
        body = await _body(request)
        push = pushes.text(body.text("text"), body.text("menu_id", ""))
        delivery = self._platform.prepare(request.match_info["openid"], push)
        attempts = await self._platform.deliver(
            delivery,
            times=min(body.integer("times", 3), MAX_DELIVERIES),
            at_once=body.flag("at_once", default=True),
            callback_urls=body.texts("callback_urls") if "callback_urls" in body else (),
        )
        return web.json_response({"attempts": [attempt_view(one) for one in attempts]})

    async def conversation(self, request: web.Request) -> web.Response:
        """Return both sides of a conversation ``after`` a number."""
        openid = self._platform.followers.get(request.match_info["openid"]).openid
        after = request.query.get("after", "0")
        entries = self._platform.conversation(openid, int(after) if after.isdecimal() else 0)
        return web.json_response({"entries": [entry_view(entry) for entry in entries]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Put a fault in force; ``calls`` says for how many calls (without it: until lifted)."""
        body = await _body(request)
        self._platform.faults.add(
            Fault(
                path=body.text("path", ANY_PATH),
                left=body.integer("calls") if "calls" in body else None,
                latency_s=body.number("latency_ms", 0) / 1000,
                errcode=body.integer("errcode", 0),
                errmsg=body.text("errmsg", ""),
                http_status=body.integer("http_status", 0),
                drop=body.flag("drop"),
                after_work=body.flag("after_work"),
            )
        )
        return web.json_response({"ok": True}, status=201)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """Lift every fault."""
        self._platform.faults.clear()
        return web.json_response({"ok": True})

    async def counters(self, request: web.Request) -> web.Response:
        """Return calls by path, for one ``openid`` when it is given."""
        calls, openid = self._platform.calls, request.query.get("openid", "")
        by_path: JsonObject = {path: calls.count(path, openid) for path in calls.by_path}
        listed: list[JsonValue] = [f"{openid}: {one.rule}: {one.detail}" for openid, one in self._platform.violations]
        return web.json_response({"calls": by_path, "violations": listed})

    async def spoil_tokens(self, request: web.Request) -> web.Response:
        """Make every token invalid (``how`` revoke, 40001) or expired (expire, 42001)."""
        how = (await _body(request)).text("how", "revoke")
        if how == "expire":
            self._platform.tokens.expire(self._platform.clock.now())
        else:
            self._platform.tokens.revoke()
        return web.json_response({"ok": True})

    async def move_clock(self, request: web.Request) -> web.Response:
        """Set the ``offset_s`` of the clock behind allowances, media and tokens."""
        self._platform.clock.offset = timedelta(seconds=(await _body(request)).number("offset_s"))
        self._platform.changed()
        return web.json_response({"offset_s": self._platform.clock.offset.total_seconds()})

    async def change_publications(self, request: web.Request) -> web.Response:
        """End the next publication by ``verdict`` (2, 3, 4), or take ``article_id`` down, ``how``: delete or ban."""
        body = await _body(request)
        if "verdict" in body:
            self._platform.publications.verdicts.append(_verdict(body))
        else:
            verdict = Verdict.BANNED if body.text("how", "delete") == "ban" else Verdict.DELETED
            try:
                take_down(self._platform, body.text("article_id"), verdict)
            except ApiFault as fault:
                raise BadField(field="article_id", reason=fault.errmsg) from fault
        return web.json_response({"ok": True})

    async def verify(self, _request: web.Request) -> web.Response:
        """Check the callback URL as the console's settings page does."""
        return web.json_response({"ok": await self._platform.verify_callback()})

    async def reset(self, _request: web.Request) -> web.Response:
        """Forget everything."""
        self._platform.reset()
        return web.json_response({"ok": True})


async def _body(request: web.Request) -> Fields:
    # A page of another origin cannot send this content type without asking first, and is not answered then.
    if request.content_type != "application/json":
        raise BadField(field="body", reason="Content-Type must be application/json")
    return Fields(parse_object(await request.read() or b"{}"))


async def _text(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.say(openid, body.text("text"), menu_id=body.text("menu_id", ""))


async def _click(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.click(openid, body.text("label"))


async def _voice(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.send_voice(openid, body.text("text"), recognised=body.flag("recognised"))


async def _video(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.send_video(openid, short=body.flag("short"))


async def _location(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.send_location(openid, *_place(body))


async def _position(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    latitude, longitude, _ = _place(body)
    return await platform.do(openid, pushes.position_reported(latitude, longitude))


async def _link(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.send_link(openid, body.text("title"), body.text("description", ""), body.text("url"))


async def _follow(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.follow(openid, body.text("scene", ""))


async def _unfollow(platform: SimulatedPlatform, openid: str, _body: Fields) -> Exchange:
    return await platform.unfollow(openid)


async def _scan(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    return await platform.scan(openid, body.text("scene"))


async def _menu(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    scan_result = body.text("scan_result", "")
    return await platform.tap(openid, body.text("button"), scan_result=scan_result, place=_place(body))


async def _opt_in(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    answers = body.object("answers")
    return await platform.answer_opt_in(openid, {name: answers.flag(name) for name in answers})


async def _raw(platform: SimulatedPlatform, openid: str, body: Fields) -> Exchange:
    fields: dict[str, pushes.XmlValue] = {name: body.object("fields").text(name) for name in body.object("fields")}
    return await platform.do(openid, pushes.anything(body.text("msg_type"), fields, body.text("said", "")))


def _verdict(body: Fields) -> Verdict:
    number = body.integer("verdict")
    if number not in set(Verdict) or number == Verdict.RUNNING:
        raise BadField(field="verdict", reason="no end of a publication")
    return Verdict(number)


def _place(body: Fields) -> tuple[float, float, str]:
    latitude, longitude, label = DEFAULT_PLACE
    return body.number("latitude", latitude), body.number("longitude", longitude), body.text("label", label)


ACTIONS: dict[str, Action] = {
    "text": _text,
    "click": _click,
    "voice": _voice,
    "video": _video,
    "location": _location,
    "position": _position,
    "link": _link,
    "follow": _follow,
    "unfollow": _unfollow,
    "scan": _scan,
    "menu": _menu,
    "opt_in": _opt_in,
    "raw": _raw,
}

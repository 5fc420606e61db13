"""From a request under /cgi-bin to its handler: faults, method, token, quota, and errors as HTTP 200."""

import asyncio
import json

from aiohttp import web

from bot.simulator.api import mass, media, menus, messages, notices, publishing, quotas, tokens, users
from bot.simulator.api.calls import Answer, ApiCall, Endpoint
from bot.simulator.errors import ApiFault, BadField, new_rid
from bot.simulator.faults import Call, Fault
from bot.simulator.json_body import JsonObject
from bot.simulator.platform import SimulatedPlatform

MODULES = (tokens, messages, media, menus, notices, mass, publishing, users)
ENDPOINTS: dict[str, Endpoint] = {endpoint.path: endpoint for module in MODULES for endpoint in module.ENDPOINTS}
ENDPOINTS |= {endpoint.path: endpoint for endpoint in quotas.endpoints(ENDPOINTS)}


class ApiServer:
    """Serves the platform's API for one account."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self._platform = platform

    async def handle(self, request: web.Request) -> web.Response:
        """Serve one call, with the faults that are in force for its path."""
        path = request.path
        faults = self._platform.faults.take(path)
        await asyncio.sleep(sum(fault.latency_s for fault in faults if not fault.after_work))
        broken = next((one for one in faults if one.http_status or (one.drop and not one.after_work)), None)
        if broken is not None:
            self._log(ApiCall(self._platform, request, path), -1, "")
            return _break(request, broken)
        response = await self._serve(request, path, faults)
        await asyncio.sleep(sum(fault.latency_s for fault in faults if fault.after_work))
        if any(fault.drop for fault in faults):
            return _cut(request)
        return response

    async def _serve(self, request: web.Request, path: str, faults: list[Fault]) -> web.Response:
        endpoint = ENDPOINTS.get(path)
        call = ApiCall(self._platform, request, path)
        try:
            if endpoint is None or not endpoint.multipart:
                call.raw = await request.read()
            answer = await self._answer(endpoint, call, faults)
        except ApiFault as fault:
            answer = self._refusal(call, fault.errcode, fault.errmsg)
        except BadField as bad:
            answer = self._refusal(call, 47001, f"data format error hint: [{bad.fields['field']}]")
        else:
            self._log(call, _errcode(answer), "")
        if isinstance(answer, web.Response):
            return answer
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", "replace")
        return web.Response(body=body, headers={"Content-Type": "application/json; encoding=utf-8"})

    async def _answer(self, endpoint: Endpoint | None, call: ApiCall, faults: list[Fault]) -> Answer:
        if endpoint is None:
            raise ApiFault(40066)
        if call.request.method != endpoint.method:
            raise ApiFault(43002 if endpoint.method == "POST" else 43001)
        for fault in faults:
            if fault.errcode:
                _note_openid(call)
                raise ApiFault(fault.errcode, fault.errmsg or None)
        if endpoint.needs_token:
            self._platform.tokens.check(call.request.query.get("access_token", ""), call.now)
        self._count(endpoint, call)
        return await endpoint.handler(call)

    def _count(self, endpoint: Endpoint, call: ApiCall) -> None:
        limit = quotas.daily_limit(self._platform.config, endpoint)
        used, key = self._platform.calls.by_day, quotas.day_key(endpoint.path, call.now)
        if limit and used[key] >= limit:
            raise ApiFault(45009)
        used[key] += 1

    def _refusal(self, call: ApiCall, errcode: int, errmsg: str) -> JsonObject:
        rid = new_rid()
        self._log(call, errcode, rid)
        return {"errcode": errcode, "errmsg": f"{errmsg} rid: {rid}"}

    def _log(self, call: ApiCall, errcode: int, rid: str) -> None:
        self._platform.calls.add(Call(call.now, call.path, call.openid, errcode, rid))


def _errcode(answer: Answer) -> int:
    if isinstance(answer, web.Response):
        return 0
    errcode = answer.get("errcode", 0)
    return errcode if isinstance(errcode, int) else 0


def _note_openid(call: ApiCall) -> None:
    # An injected error still concerns the follower in the body, and tests count calls per follower.
    try:
        call.openid = call.body().text("touser", "")
    except (ApiFault, BadField):
        call.openid = ""


def _break(request: web.Request, fault: Fault) -> web.Response:
    if fault.http_status:
        return web.Response(status=fault.http_status, text="<html>error</html>", content_type="text/html")
    return _cut(request)


def _cut(request: web.Request) -> web.Response:
    # With the transport closed, aiohttp drops the response it is given.
    if request.transport is not None:
        request.transport.close()
    return web.Response()

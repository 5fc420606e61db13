"""The platform's API at the wire: a small server that issues tokens, answers as told and remembers every call."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.values.clock import Clock

TOKEN_LIFE_S = 7200
OVERLAP_S = 300


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call as it came over the wire."""

    method: str
    path: str
    query: Mapping[str, str]
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not JSON of status 200. ``stays_away`` never answers, ``hangs_up`` closes the connection."""

    content: bytes = b""
    content_type: str = "text/plain"
    status: int = 200
    stays_away: bool = False
    hangs_up: bool = False


Answer = Mapping[str, Any] | Raw


@dataclass
class FakeApi:
    """Tokens as ``stable_token`` gives them; other paths answer what was put into ``answers``, else errcode 0."""

    clock: Clock
    base: str = ""
    calls: list[Recorded] = field(default_factory=list)
    answers: defaultdict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    token_delay_s: float = 0.0
    issued: int = 0
    _ends_at_s: float = 0.0

    def say(self, path: str, *answers: Answer) -> None:
        """Answer the next calls to ``path`` with these, one each."""
        self.answers[path].extend(answers)

    def calls_to(self, path: str) -> list[Recorded]:
        return [call for call in self.calls if call.path == path]

    @property
    def fetches(self) -> int:
        """How often a token was asked for."""
        return len(self.calls_to("/cgi-bin/stable_token"))

    def rotate(self) -> None:
        """Give out another token from now on."""
        self._ends_at_s = 0.0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.calls.append(Recorded(request.method, request.path, dict(request.query), request.content_type, body))
        if self.answers[request.path]:
            return await self._told(request, self.answers[request.path].popleft())
        if request.path == "/cgi-bin/stable_token":
            await asyncio.sleep(self.token_delay_s)
            return web.json_response(self._token())
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _told(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if not isinstance(answer, Raw):
            # The platform calls its JSON text.
            return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="text/plain")
        if answer.stays_away:
            await asyncio.Event().wait()
        if answer.hangs_up and request.transport is not None:
            request.transport.close()
        return web.Response(body=answer.content, content_type=answer.content_type, status=answer.status)

    def _token(self) -> dict[str, Any]:
        now_s = self.clock.now().timestamp()
        if self._ends_at_s - now_s < OVERLAP_S:
            self.issued += 1
            self._ends_at_s = now_s + TOKEN_LIFE_S
        return {"access_token": f"token-{self.issued}", "expires_in": int(self._ends_at_s - now_s)}


def server_of(api: FakeApi) -> TestServer:
    """Return a server, not yet started, on a free port of 127.0.0.1."""
    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", api.handle)
    return TestServer(application, host="127.0.0.1")

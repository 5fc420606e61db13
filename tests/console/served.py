"""The console over HTTP, staff who are signed in with browsers of their own, and what pages cost in queries."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from html import unescape

import aiohttp
from aiohttp import web
from sqlalchemy import Engine, event

from bot.app.assistant import Bot
from bot.app.campaigns import platform_tags_of
from bot.app.console import console_of
from bot.app.records import Records
from bot.app.tasks import task_runner_of
from bot.console.server import ADDRESS_MAX_BYTES, ROUTES
from bot.staff.service import Added
from bot.storage.sql import Database

PASSWORD = "correct-horse-42"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_KEY = re.compile(r'name="key" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``text`` is the page."""

    status: int
    text: str
    headers: Mapping[str, str]
    cookies: Sequence[str] = ()

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    def link(self, rel: str) -> str:
        """Return the address of the link with that ``rel``; empty when there is none."""
        found = re.search(rf'href="([^"]+)" rel="{rel}"', self.text)
        return unescape(found[1]) if found else ""

    @property
    def visible(self) -> str:
        """Return the text that a person sees, without tags."""
        body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", self.text)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).strip()


@dataclass
class Browser:
    """A browser with its cookies. ``csrf`` is the token of the page it saw last."""

    base: str
    http: aiohttp.ClientSession
    csrf: str = ""
    key: str = ""

    async def get(self, path: str, *, fragment: bool = False, headers: Mapping[str, str] | None = None) -> Answer:
        """Get a page without following redirects; ``fragment`` asks as a script does."""
        extra = {"HX-Request": "true"} if fragment else {}
        async with self.http.get(
            f"{self.base}{path}", allow_redirects=False, headers={**extra, **(headers or {})}
        ) as response:
            return await self._taken(response)

    async def post(
        self,
        path: str,
        fields: Mapping[str, str | Sequence[str]] | aiohttp.FormData | None = None,
        *,
        fragment: bool = False,
        headers: Mapping[str, str] | None = None,
        csrf: str | None = None,
    ) -> Answer:
        """Post a form with the token of the last page; without ``key`` in ``fields`` the last page's key."""
        token = self.csrf if csrf is None else csrf
        extra = {"HX-Request": "true"} if fragment else {}
        data = fields
        if isinstance(data, aiohttp.FormData):
            extra["X-CSRF-Token"] = token
        else:
            given = {"csrf": token, "key": self.key, **(data or {})}
            pairs: list[tuple[str, str]] = []
            for name, value in given.items():
                pairs += [(name, value)] if isinstance(value, str) else [(name, one) for one in value]
            data = aiohttp.FormData(pairs)
        async with self.http.post(
            f"{self.base}{path}", data=data, allow_redirects=False, headers={**extra, **(headers or {})}
        ) as response:
            return await self._taken(response)

    async def follow(self, answer: Answer) -> Answer:
        """Get the page that a redirect leads to."""
        assert answer.status == 303, (answer.status, answer.visible[:400])
        return await self.get(answer.location)

    async def sign_in(self, username: str, password: str = PASSWORD, *, to: str = "") -> Answer:
        """Open the login page and sign in; the answer is the redirect, or the page that says why not."""
        await self.get("/login" + (f"?next={to}" if to else ""))
        answer = await self.post("/login", {"username": username, "password": password, "next": to})
        if answer.status == 303:
            await self.get("/")
        return answer

    async def download(self, path: str) -> tuple[int, bytes, Mapping[str, str]]:
        """Get a file."""
        async with self.http.get(f"{self.base}{path}", allow_redirects=False) as response:
            return response.status, await response.read(), dict(response.headers)

    async def _taken(self, response: aiohttp.ClientResponse) -> Answer:
        # A file is no page; whoever wants its bytes uses ``download``.
        text = await response.text(errors="replace")
        if found := _CSRF.search(text):
            self.csrf = unescape(found[1])
        if found := _KEY.search(text):
            self.key = unescape(found[1])
        cookies = response.headers.getall("Set-Cookie", [])
        return Answer(response.status, text, dict(response.headers), cookies)


@dataclass
class ServedConsole:
    """A running console, and the assistant behind it."""

    base: str
    bot: Bot
    application: web.Application
    _browsers: list[aiohttp.ClientSession] = field(default_factory=list)

    @property
    def records(self) -> Records:
        return self.bot.records

    @property
    def routes(self) -> list[tuple[str, str, str | None]]:
        """Return every route behind the gate: method, pattern, permission."""
        return [(route.method, route.path, route.permission) for route in self.application[ROUTES]]

    def browser(self) -> Browser:
        """Return a fresh browser without cookies."""
        http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._browsers.append(http)
        return Browser(self.base, http)

    async def add(self, username: str, *roles: str, county: str | None = None, name: str | None = None) -> None:
        """Create an account with the password of the tests."""
        added = await self.records.staff.add(
            username, PASSWORD, display_name=name or username, roles=roles, county=county, by="test", source="test"
        )
        assert isinstance(added, Added), added

    async def staff(
        self, *roles: str, county: str | None = None, username: str = "", name: str | None = None
    ) -> Browser:
        """Create an account with ``roles`` and return a browser in which it is signed in."""
        username = username or "_".join(roles) + (f".{county.lower()}" if county else "")
        await self.add(username, *roles, county=county, name=name)
        browser = self.browser()
        answer = await browser.sign_in(username)
        assert answer.status == 303, answer.visible
        return browser

    async def run_tasks(self, owner: str) -> None:
        """Run the long work that ``owner`` has started, as a worker would."""
        runner = task_runner_of(self.records, platform_tags_of(self.bot))
        for task in await self.records.tasks.open_of(owner):
            await runner.run(task.id)

    async def close(self) -> None:
        """Close every browser."""
        for http in self._browsers:
            await http.close()


@asynccontextmanager
async def serving(bot: Bot) -> AsyncIterator[ServedConsole]:
    """Serve the console of ``bot`` on a free port."""
    application = console_of(bot).application()
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1, max_line_size=ADDRESS_MAX_BYTES)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    console = ServedConsole(f"http://127.0.0.1:{runner.addresses[0][1]}", bot, application)
    try:
        yield console
    finally:
        await console.close()
        await runner.cleanup()


@contextmanager
def counted_queries(database: Database) -> Iterator[list[str]]:
    """Collect the statements that run meanwhile, to show that a page asks a constant number of times."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    engine: Engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)

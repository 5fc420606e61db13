"""When a console stops, nothing of it goes on: no stream, no look for changes, no handler whose browser has gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from bot.app.assistant import open_bot
from bot.console.ending import HandlersAtWork
from bot.inbox.feed import Change, ChangeFeed, Position
from bot.settings import Settings
from tests.console.served import Browser, ServedConsole, serving
from tests.support.assistant import settings_for


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(database_url=database_url, redis_url=redis_url, data_dir=tmp_path_factory.mktemp("ending"))


def running(name: str) -> list[asyncio.Task[object]]:
    """Return the tasks of that name that have not ended."""
    return [task for task in asyncio.all_tasks() if task.get_name() == name]


async def _stream_opened(console: ServedConsole, http: aiohttp.ClientSession) -> aiohttp.ClientResponse:
    """Open the page's stream in a browser of its own, which stays open when the console's have been closed."""
    agent = await console.staff("chat_agent")
    response = await http.get(f"{agent.base}/inbox/events", cookies=_cookies(agent))
    assert await response.content.readline() == b"retry: 1000\n"
    return response


def _cookies(browser: Browser) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in browser.http.cookie_jar}


@pytest.mark.parametrize("browser", ["open", "gone"])
async def test_a_stream_ends_with_its_console(settings: Settings, browser: str) -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as http, open_bot(settings) as bot:
        async with serving(bot) as console:
            response = await _stream_opened(console, http)
            assert running("chat feed")
            if browser == "gone":
                response.close()
            begun = loop.time()
        assert running("chat feed") == []
        response.close()
    assert loop.time() - begun < 10.0, "an open page does not hold the end up"


async def test_a_look_that_is_under_way_is_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen: a console closed in the middle of a look, whose connection to the database was never closed."""
    looking, go_on = asyncio.Event(), asyncio.Event()
    look = ChangeFeed.since

    async def slow(feed: ChangeFeed, position: Position) -> list[Change]:
        looking.set()
        await go_on.wait()
        return await look(feed, position)

    monkeypatch.setattr(ChangeFeed, "since", slow)
    async with aiohttp.ClientSession() as http, open_bot(settings) as bot:
        async with serving(bot) as console:
            response = await _stream_opened(console, http)
            response.close()
            await looking.wait()
            asyncio.get_running_loop().call_later(0.3, go_on.set)
        assert go_on.is_set()
        assert running("chat feed") == []


async def test_no_stream_begins_while_the_console_ends(settings: Settings) -> None:
    async with open_bot(settings) as bot, serving(bot) as console:
        agent = await console.staff("chat_agent")
        await console.application.shutdown()
        assert (await agent.get("/inbox/events")).status == 503
        assert running("chat feed") == []


@dataclass
class SlowPage:
    """A page that is ready when ``go_on`` is set; ``ended`` says how."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    ended: str = ""

    async def show(self, _request: web.Request) -> web.Response:
        """Answer in time."""
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "done"
        return web.Response(text="here")


@asynccontextmanager
async def asked_and_left(page: SlowPage, *ends: HandlersAtWork) -> AsyncIterator[None]:
    """Serve ``page`` to a browser that goes away before it comes; the server stops at the end of the block."""
    app = web.Application(middlewares=[one.noted for one in ends])
    app.router.add_get("/", page.show)
    app.on_cleanup.extend(one.end for one in ends)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as http:
            asking = asyncio.create_task(http.get(f"http://127.0.0.1:{runner.addresses[0][1]}/"))
            await page.begun.wait()
            asking.cancel()
            await asyncio.wait({asking})
        yield
    finally:
        await runner.cleanup()


async def test_a_page_whose_browser_has_gone_is_finished_first() -> None:
    page = SlowPage()
    async with asked_and_left(page, HandlersAtWork()):
        asyncio.get_running_loop().call_later(0.3, page.go_on.set)
    assert page.ended == "done"


async def test_without_waiting_it_would_go_on_beside_the_end() -> None:
    """The control: a server that knows of its connections alone."""
    page = SlowPage()
    async with asked_and_left(page):
        asyncio.get_running_loop().call_later(0.3, page.go_on.set)
    assert page.ended == ""
    await page.go_on.wait()
    await asyncio.sleep(0)
    assert page.ended == "done"


async def test_a_page_that_takes_too_long_is_cancelled() -> None:
    page = SlowPage()
    async with asked_and_left(page, HandlersAtWork(wait_s=0.1)):
        pass
    assert page.ended == "cancelled"

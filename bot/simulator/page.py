"""The web chat and the pictures it shows."""

import io
from pathlib import Path

import qrcode
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from bot.simulator.api.media import binary
from bot.simulator.errors import ApiFault
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.publications import Verdict

HERE = Path(__file__).parent
STATIC = HERE / "static"
_SHOWABLE = frozenset({"image/png", "image/jpeg", "image/gif"})


class Pages:
    """Serves the chat page, media files and QR codes."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self._platform = platform
        loader = FileSystemLoader(HERE / "templates")
        environment = Environment(loader=loader, autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
        self._chat = environment.get_template("chat.html")
        self._home = environment.get_template("home.html")
        self._article = environment.get_template("article.html")

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to add to the application."""
        return [
            web.get("/", self.chat),
            web.get("/home", self.home),
            web.get("/s/{code}", self.article),
            web.get("/sim/media/{media_id}", self.media),
            web.get("/mmbiz_pic/{media_id}/0", self.media),
            web.get("/cgi-bin/showqrcode", self.qr_code),
        ]

    async def chat(self, _request: web.Request) -> web.Response:
        """Return the chat page; what changes on it is fetched by its script."""
        html = self._chat.render(account=self._platform.config, version=_version())
        return web.Response(text=html, content_type="text/html")

    async def home(self, _request: web.Request) -> web.Response:
        """Return the account's page: what is published, the newest first."""
        articles = [
            (f"/s/{one.codes[place - 1]}", article, one.at)
            for one in self._platform.publications.everything()
            for place, article in enumerate(one.articles, start=1)
            if one.shows(place)
        ]
        html = self._home.render(account=self._platform.config, version=_version(), articles=articles)
        return web.Response(text=html, content_type="text/html")

    async def article(self, request: web.Request) -> web.Response:
        """Return a published article; what was taken down says so."""
        found = self._platform.publications.at(request.match_info["code"])
        if found is None:
            raise web.HTTPNotFound
        publication, place = found
        html = self._article.render(
            account=self._platform.config,
            version=_version(),
            article=publication.articles[place - 1] if publication.shows(place) else None,
            is_banned=publication.verdict is Verdict.BANNED,
            at=publication.at,
        )
        return web.Response(text=html, content_type="text/html")

    async def media(self, request: web.Request) -> web.Response:
        """Return a media file; only pictures are shown inside a page."""
        media = self._platform.media.seen(request.match_info["media_id"])
        if media is None:
            raise web.HTTPNotFound
        return binary(media, inline=media.content_type in _SHOWABLE)

    async def qr_code(self, request: web.Request) -> web.Response:
        """Return the picture of a scene QR code."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._platform.scenes:
            raise web.HTTPNotFound(text=ApiFault(40035).errmsg)
        picture = io.BytesIO()
        qrcode.make(f"http://weixin.qq.com/q/{ticket}").save(picture, "PNG")
        return web.Response(body=picture.getvalue(), content_type="image/png")


def _version() -> str:
    # Browsers keep old scripts; a new file has a new address.
    return f"{max(file.stat().st_mtime_ns for file in STATIC.iterdir()):x}"

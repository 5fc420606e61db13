"""The web chat and the pictures it shows."""

import io
from pathlib import Path

import qrcode
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from bot.simulator.api.media import binary
from bot.simulator.errors import ApiFault
from bot.simulator.platform import SimulatedPlatform

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

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to add to the application."""
        return [
            web.get("/", self.chat),
            web.get("/sim/media/{media_id}", self.media),
            web.get("/mmbiz_pic/{media_id}/0", self.media),
            web.get("/cgi-bin/showqrcode", self.qr_code),
        ]

    async def chat(self, _request: web.Request) -> web.Response:
        """Return the chat page; what changes on it is fetched by its script."""
        html = self._chat.render(account=self._platform.config, version=_version())
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

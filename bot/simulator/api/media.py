"""media/upload, media/get, media/uploadimg and permanent material."""

from datetime import datetime

from aiohttp import BodyPartReader, web

from bot.simulator.api.calls import ApiCall, Endpoint
from bot.simulator.errors import ApiFault
from bot.simulator.json_body import JsonObject
from bot.simulator.media import MIB, Media

MAX_ARTICLE_IMAGE_BYTES = MIB


async def upload(call: ApiCall) -> JsonObject:
    """Store temporary media for three days."""
    kind = call.request.query.get("type", "")
    media = call.platform.media.upload(kind, await _field(call.request), call.now)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: media.media_id, "created_at": _seconds(media.created_at)}


async def get(call: ApiCall) -> JsonObject | web.Response:
    """Return the bytes; for a video JSON with its address."""
    media = call.platform.media.get(call.request.query.get("media_id", ""), call.now)
    if media.kind == "video":
        return {"video_url": f"{call.platform.base_url}/sim/media/{media.media_id}"}
    return binary(media, inline=False)


async def upload_image(call: ApiCall) -> JsonObject:
    """Store a picture for articles and answer its address."""
    data = await _field(call.request)
    if len(data) > MAX_ARTICLE_IMAGE_BYTES:
        raise ApiFault(45001)
    media = call.platform.media.upload("image", data, call.now, permanent=True)
    return {"url": f"{call.platform.base_url}/mmbiz_pic/{media.media_id}/0"}


async def add_material(call: ApiCall) -> JsonObject:
    """Store permanent material."""
    kind = call.request.query.get("type", "")
    media = call.platform.media.upload(kind, await _field(call.request), call.now, permanent=True)
    return {"media_id": media.media_id, "url": f"{call.platform.base_url}/mmbiz_pic/{media.media_id}/0"}


async def delete_material(call: ApiCall) -> JsonObject:
    """Delete permanent material."""
    call.platform.media.drop(call.body().text("media_id"), call.now)
    return {}


def binary(media: Media, *, inline: bool) -> web.Response:
    """Return a media file as an HTTP response."""
    how = "inline" if inline else "attachment"
    disposition = f'{how}; filename="{media.media_id}.{media.extension}"'
    return web.Response(
        body=media.data, content_type=media.content_type, headers={"Content-Disposition": disposition}
    )


async def _field(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        raise ApiFault(41005)
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "media":
            return bytes(await part.read())
    raise ApiFault(41005)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


ENDPOINTS = (
    Endpoint("POST", "/cgi-bin/media/upload", upload, daily_limit=100_000, multipart=True),
    Endpoint("GET", "/cgi-bin/media/get", get, daily_limit=200_000),
    Endpoint("POST", "/cgi-bin/media/uploadimg", upload_image, multipart=True),
    Endpoint("POST", "/cgi-bin/material/add_material", add_material, multipart=True),
    Endpoint("POST", "/cgi-bin/material/del_material", delete_material),
)

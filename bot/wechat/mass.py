"""Mass sends: to a list of OpenIDs, to a tag or to all; their drafts, previews, states, and taking them back.

Success means submitted: the outcome is reported as MASSSENDJOBFINISH. Sources: the platform's pages "massSend",
"sendAll", "preview", "getMassMsg", "deleteMassMsg", "draft_add", "draft_delete" and "delMaterial".
"""

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from bot.wechat.transport import AiohttpWeChatClient
from bot.wechat.wire import Call, JsonAnswer, Upload, expect_json, number_of, text_of

CLIENT_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class MassText:
    text: str


@dataclass(frozen=True, slots=True)
class MassImage:
    media_id: str


@dataclass(frozen=True, slots=True)
class MassNews:
    """Articles by the id of their draft, which dies with the send."""

    media_id: str


MassContent: TypeAlias = MassText | MassImage | MassNews


@dataclass(frozen=True, slots=True)
class DraftArticle:
    """One article of a draft; ``content`` is HTML, ``thumb_media_id`` a permanent picture."""

    title: str
    content: str
    thumb_media_id: str
    author: str = ""
    digest: str = ""
    content_source_url: str = ""


class MassStatus(StrEnum):
    """How far the platform is with a mass send."""

    SENDING = "SENDING"
    SUCCESS = "SEND_SUCCESS"
    FAILED = "SEND_FAIL"
    DELETED = "DELETE"


class MassApi:
    """Mass sends of one account. Raises the errors of ``WeChatApi``, and AlreadySubmitted with the earlier number."""

    def __init__(self, client: AiohttpWeChatClient) -> None:
        self._client = client

    async def send_list(self, openids: Sequence[str], content: MassContent, client_id: str) -> int:
        """Send to 2 to 10,000 followers and return the job's number. ``client_id`` is sent once in a day."""
        body = {"touser": list(openids), **_body(content), "clientmsgid": client_id}
        return number_of(await self._post("message/mass/send", body), "msg_id", "message/mass/send")

    async def send_all(self, content: MassContent, client_id: str, *, tag_id: int | None = None) -> int:
        """Send to the followers with a tag, or to all, and return the job's number."""
        audience: dict[str, Any] = {"is_to_all": tag_id is None}
        if tag_id is not None:
            audience["tag_id"] = tag_id
        body = {"filter": audience, **_body(content), "clientmsgid": client_id}
        return number_of(await self._post("message/mass/sendall", body), "msg_id", "message/mass/sendall")

    async def status(self, msg_id: int) -> MassStatus | None:
        """Return how far a job is; None for a word that is not known."""
        answer = await self._post("message/mass/get", {"msg_id": msg_id})
        word = text_of(answer, "msg_status", "message/mass/get")
        return MassStatus(word) if word in set(MassStatus) else None

    async def delete(self, msg_id: int) -> None:
        """Take back the articles of a finished job. The card stays in the chats, what it leads to is gone."""
        await self._post("message/mass/delete", {"msg_id": msg_id})

    async def preview(self, openid: str, content: MassContent) -> None:
        """Show the message to one follower; 100 a day."""
        await self._post("message/mass/preview", {"touser": openid, **_body(content)})

    async def add_draft(self, articles: Sequence[DraftArticle]) -> str:
        """Store a draft and return its media id, good for one send."""
        rows = [{name: getattr(article, name) for name in article.__slots__} for article in articles]
        return text_of(await self._post("draft/add", {"articles": rows}), "media_id", "draft/add")

    async def delete_draft(self, media_id: str) -> None:
        """Delete a draft; 1,000 a day. Raises InvalidMedia for what is not there, such as one that was sent."""
        await self._post("draft/delete", {"media_id": media_id})

    async def add_picture(self, data: bytes, filename: str) -> str:
        """Store a picture for good and return its media id. ``filename`` is ASCII; its ending names the type."""
        content_type = mimetypes.guess_type(filename)[0] or "application/octet-stream"
        path = "/cgi-bin/material/add_material"
        call = Call("POST", path, params={"type": "image"}, upload=Upload(data, filename, content_type))
        return text_of(expect_json(await self._client.ask(call, is_file=True), path), "media_id", path)

    async def delete_material(self, media_id: str) -> None:
        """Delete what was stored for good. Raises InvalidMedia for what is not there."""
        await self._post("material/del_material", {"media_id": media_id})

    async def _post(self, endpoint: str, body: Mapping[str, Any]) -> JsonAnswer:
        path = f"/cgi-bin/{endpoint}"
        return expect_json(await self._client.ask(Call("POST", path, body=body)), path)


def _body(content: MassContent) -> dict[str, Any]:
    match content:
        case MassText(text):
            return {"msgtype": "text", "text": {"content": text}}
        case MassImage(media_id):
            return {"msgtype": "image", "images": {"media_ids": [media_id]}}
        case MassNews(media_id):
            return {"msgtype": "mpnews", "mpnews": {"media_id": media_id}, "send_ignore_reprint": 1}

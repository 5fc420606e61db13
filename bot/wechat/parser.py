"""From the elements of a delivery to its typed value."""

from collections.abc import Callable, Mapping
from typing import TypedDict

from bot.wechat.errors import Malformed
from bot.wechat.events import EVENT_READERS
from bot.wechat.fields import Fields
from bot.wechat.inbound import (
    ImageMessage,
    Inbound,
    LinkMessage,
    LocationMessage,
    Message,
    RawValue,
    TextMessage,
    UnknownEvent,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
)

LAST_SECOND = 32_503_680_000
"""The year 3000: what lies behind it is no CreateTime, and no calendar need cope with it."""


class _Common(TypedDict):
    openid: str
    account: str
    created_s: int
    raw: Mapping[str, RawValue]


class _MessageCommon(_Common):
    msg_id: int
    article_id: str | None
    article_index: int | None


def read_inbound(raw: Mapping[str, RawValue]) -> Inbound:
    """Return the typed value of a delivery.

    A type or event that is not modelled becomes UnknownMessage or UnknownEvent. Raises Malformed when what every
    delivery has is missing, or when a known one lacks what it consists of.
    """
    fields = Fields(raw)
    kind = fields.required("MsgType").lower()
    common: _Common = {
        "openid": fields.required("FromUserName"),
        "account": fields.required("ToUserName"),
        "created_s": fields.integer("CreateTime"),
        "raw": raw,
    }
    if common["created_s"] > LAST_SECOND:
        raise Malformed("CreateTime")
    if kind == "event":
        event = fields.required("Event").lower()
        read = EVENT_READERS.get(event)
        return UnknownEvent(**common, event=event) if read is None else read(fields, {**common, "event": event})
    return _read_message(kind, fields, common)


def _read_message(kind: str, fields: Fields, common: _Common) -> Message:
    message_common: _MessageCommon = {
        **common,
        "msg_id": fields.integer("MsgId", 0),
        "article_id": fields.optional("MsgDataId"),
        "article_index": fields.optional_integer("Idx"),
    }
    read = _MESSAGE_READERS.get(kind)
    return UnknownMessage(**message_common, kind=kind) if read is None else read(fields, message_common)


def _text(fields: Fields, common: _MessageCommon) -> TextMessage:
    return TextMessage(**common, content=fields.text("Content"), menu_id=fields.optional("bizmsgmenuid"))


def _image(fields: Fields, common: _MessageCommon) -> ImageMessage:
    return ImageMessage(**common, media_id=fields.required("MediaId"), pic_url=fields.text("PicUrl"))


def _voice(fields: Fields, common: _MessageCommon) -> VoiceMessage:
    return VoiceMessage(
        **common,
        media_id=fields.required("MediaId"),
        format=fields.text("Format"),
        media_id_16k=fields.optional("MediaId16K"),
        recognition=fields.optional("Recognition"),
    )


def _video(fields: Fields, common: _MessageCommon) -> VideoMessage:
    return _any_video(fields, common, short=False)


def _short_video(fields: Fields, common: _MessageCommon) -> VideoMessage:
    return _any_video(fields, common, short=True)


def _any_video(fields: Fields, common: _MessageCommon, *, short: bool) -> VideoMessage:
    return VideoMessage(
        **common, media_id=fields.required("MediaId"), thumb_media_id=fields.text("ThumbMediaId"), short=short
    )


def _location(fields: Fields, common: _MessageCommon) -> LocationMessage:
    return LocationMessage(
        **common,
        latitude=fields.decimal("Location_X"),
        longitude=fields.decimal("Location_Y"),
        scale=fields.text("Scale"),
        label=fields.text("Label"),
    )


def _link(fields: Fields, common: _MessageCommon) -> LinkMessage:
    return LinkMessage(
        **common,
        title=fields.text("Title"),
        description=fields.text("Description"),
        url=fields.required("Url"),
    )


_MESSAGE_READERS: dict[str, Callable[[Fields, _MessageCommon], Message]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _short_video,
    "location": _location,
    "link": _link,
}

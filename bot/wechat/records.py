"""Replies and messages as plain dicts, for the stored reply, the kept answer and the outbox.

A record is ``{"v": 1, "kind": "text", …}`` with the value's fields beside; JSON keeps it unchanged.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from bot.wechat.customer_messages import (
    CustomerArticle,
    CustomerImage,
    CustomerMenu,
    CustomerMessage,
    CustomerMiniProgram,
    CustomerMusic,
    CustomerNews,
    CustomerText,
    CustomerVideo,
    CustomerVoice,
    JsonObject,
)
from bot.wechat.errors import WechatError
from bot.wechat.outgoing import (
    Article,
    Choice,
    ImageReply,
    MusicReply,
    NewsReply,
    Outgoing,
    OutImage,
    OutNews,
    OutText,
    PassiveReply,
    TextReply,
    TransferReply,
    VideoReply,
    VoiceReply,
)

VERSION = 1

_CUSTOMER_KINDS: dict[str, type[CustomerMessage]] = {
    "text": CustomerText,
    "image": CustomerImage,
    "voice": CustomerVoice,
    "video": CustomerVideo,
    "music": CustomerMusic,
    "news": CustomerNews,
    "article": CustomerArticle,
    "menu": CustomerMenu,
    "mini_program": CustomerMiniProgram,
}
_REPLY_KINDS: dict[str, type[PassiveReply]] = {
    "text": TextReply,
    "image": ImageReply,
    "voice": VoiceReply,
    "video": VideoReply,
    "music": MusicReply,
    "news": NewsReply,
    "transfer": TransferReply,
}
_OUTGOING_KINDS: dict[str, type[Outgoing]] = {"text": OutText, "image": OutImage, "news": OutNews}
_PART_TYPES: dict[str, type[Choice | Article]] = {"choices": Choice, "articles": Article}
"""The fields that hold tuples of values."""

_Stored = TypeVar("_Stored", CustomerMessage, PassiveReply, Outgoing)


class RecordUnreadable(WechatError):
    """A stored message has an unknown version, kind or field: another release wrote it."""

    code: ClassVar[str] = "wechat.record_unreadable"


def customer_message_to_dict(message: CustomerMessage) -> JsonObject:
    """Return ``message`` as a record."""
    return _to_dict(message, _CUSTOMER_KINDS)


def customer_message_from_dict(record: Mapping[str, Any]) -> CustomerMessage:
    """Return the message of a record; raises RecordUnreadable."""
    return _from_dict(record, _CUSTOMER_KINDS)


def passive_reply_to_dict(reply: PassiveReply) -> JsonObject:
    """Return ``reply`` as a record."""
    return _to_dict(reply, _REPLY_KINDS)


def passive_reply_from_dict(record: Mapping[str, Any]) -> PassiveReply:
    """Return the reply of a record; raises RecordUnreadable."""
    return _from_dict(record, _REPLY_KINDS)


def outgoing_to_dict(outgoing: Outgoing) -> JsonObject:
    """Return ``outgoing`` as a record."""
    return _to_dict(outgoing, _OUTGOING_KINDS)


def outgoing_from_dict(record: Mapping[str, Any]) -> Outgoing:
    """Return what the bot wants to say of a record; raises RecordUnreadable."""
    return _from_dict(record, _OUTGOING_KINDS)


def _to_dict(value: _Stored, kinds: Mapping[str, type[_Stored]]) -> JsonObject:
    kind = next(name for name, cls in kinds.items() if type(value) is cls)
    record: JsonObject = {"v": VERSION, "kind": kind}
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        is_tuple = isinstance(content, tuple)
        record[field.name] = [dataclasses.asdict(part) for part in content] if is_tuple else content
    return record


def _from_dict(record: Mapping[str, Any], kinds: Mapping[str, type[_Stored]]) -> _Stored:
    version, kind = record.get("v"), record.get("kind")
    if version != VERSION or not isinstance(kind, str) or kind not in kinds:
        raise RecordUnreadable(version=str(version), kind=str(kind))
    fields = {name: content for name, content in record.items() if name not in ("v", "kind")}
    try:
        for name in fields.keys() & _PART_TYPES.keys():
            fields[name] = tuple(_PART_TYPES[name](**part) for part in fields[name])
        return kinds[kind](**fields)
    except (TypeError, ValueError) as error:
        raise RecordUnreadable(version=VERSION, kind=kind) from error

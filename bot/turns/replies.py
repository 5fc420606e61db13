"""Stored replies: as bytes in the store, and as customer-service messages when their connection is gone."""

import json
from collections.abc import Iterable

from bot.dialogue.render import Message
from bot.wechat.models import (
    Choice,
    CustomerImage,
    CustomerMessage,
    CustomerNews,
    CustomerText,
    ImageReply,
    NewsReply,
    Outgoing,
    OutImage,
    OutText,
    PassiveReply,
    TextReply,
    passive_reply_from_dict,
    passive_reply_to_dict,
)


def as_outgoing(messages: Iterable[Message]) -> tuple[Outgoing, ...]:
    """Return the dialogue's messages in the platform's terms."""
    return tuple(
        OutImage(message.media_id)
        if message.media_id is not None
        else OutText(message.text, tuple(Choice(choice.id, choice.label, choice.main) for choice in message.choices))
        for message in messages
    )


def dump_reply(reply: PassiveReply | None) -> bytes:
    """Return the reply as it is stored; ``b""`` for none."""
    if reply is None:
        return b""
    return json.dumps(passive_reply_to_dict(reply), ensure_ascii=False).encode()


def load_reply(stored: bytes) -> PassiveReply | None:
    """Return the reply that ``dump_reply`` stored."""
    return passive_reply_from_dict(json.loads(stored)) if stored else None


def as_customer_message(reply: PassiveReply) -> CustomerMessage | None:
    """Return the customer-service message that says the same; ``None`` where there is none."""
    match reply:
        case TextReply(content):
            return CustomerText(content)
        case ImageReply(media_id):
            return CustomerImage(media_id)
        case NewsReply(articles):
            first = articles[0]
            return CustomerNews(first.title, first.description, first.picture_url, first.url)
        case _:
            return None

"""What stands in an outbox entry: one customer-service message, and what to send when no allowance is left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.turns.models import OutboxEntry
from bot.wechat.models import CustomerMessage, customer_message_from_dict, customer_message_to_dict


@dataclass(frozen=True, slots=True)
class Fallback:
    """A template message that takes the place of a message outside the follower's allowance."""

    template_id: str
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way to a follower."""

    message: CustomerMessage
    fallback: Fallback | None = None


def pack(entry_id: str, parcel: Parcel) -> OutboxEntry:
    """Return the outbox entry of a message; ``unpack`` reads it back."""
    body: dict[str, Any] = {"message": customer_message_to_dict(parcel.message)}
    if parcel.fallback is not None:
        body["fallback"] = {"template_id": parcel.fallback.template_id, "data": dict(parcel.fallback.data)}
    return OutboxEntry(entry_id, json.dumps(body, ensure_ascii=False).encode())


def unpack(body: bytes) -> Parcel:
    """Return the message of an entry's body."""
    content = json.loads(body)
    fallback = content.get("fallback")
    return Parcel(
        customer_message_from_dict(content["message"]),
        Fallback(fallback["template_id"], fallback["data"]) if fallback else None,
    )


def pack_all(key: str, messages: Sequence[CustomerMessage]) -> tuple[OutboxEntry, ...]:
    """Return the entries of one turn's later messages, with ids made from the delivery key."""
    return tuple(pack(f"{key}:{number}", Parcel(message)) for number, message in enumerate(messages, start=1))

"""From what the platform delivered to what the flow engine is told."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Literal

from bot.dialogue.models import Said
from bot.wechat.models import (
    Followed,
    ImageMessage,
    Inbound,
    LinkMessage,
    LocationChosen,
    LocationMessage,
    MenuClicked,
    PicturesChosen,
    ScanCode,
    Scanned,
    TextMessage,
    Unfollowed,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
)
from bot.wechat.parser import read_inbound

CRISIS_EVENT = "/flow:crisis_support"
LEFT_PEOPLE_EVENT = "/flow:leave_people"

Kind = Literal["said", "left", "noted"]


@dataclass(frozen=True, slots=True)
class Reading:
    """``said`` is for the engine; an unfollow is ``left``, events that ask nothing are ``noted``.

    ``scene`` is the QR scene or the key of the menu item.
    """

    kind: Kind
    said: Said | None = None
    scene: str | None = None


def reading_of(message: Inbound, today: date) -> Reading:
    """Return what a message or event means for the dialogue. Events that ask nothing are ``noted``."""
    match message:
        case TextMessage():
            return Reading("said", Said(message.content, menu_id=message.menu_id, today=today))
        case VoiceMessage(recognition=str() as heard) if heard.strip():
            return Reading("said", Said(heard, today=today))
        case ImageMessage():
            return Reading("said", Said("", media_id=message.media_id, today=today))
        case MenuClicked():
            return Reading("said", Said("", event=message.key, today=today), scene=message.key)
        case Followed():
            return Reading("said", Said("", event="subscribe", today=today), scene=message.scene)
        case Scanned():
            return Reading("said", Said("", event="scan", today=today), scene=message.scene)
        case LocationMessage() | LocationChosen():
            return Reading("said", Said(message.label, event="location", today=today))
        case VoiceMessage():
            return Reading("said", Said("", event="voice", today=today))
        case VideoMessage():
            return Reading("said", Said("", event="video", today=today))
        case LinkMessage():
            return Reading("said", Said("", event="link", today=today))
        case UnknownMessage():
            return Reading("said", Said("", event="file", today=today))
        case Unfollowed():
            return Reading("left")
        case ScanCode() | PicturesChosen():
            return Reading("noted")
        case _:
            return Reading("noted")


def dump(message: Inbound) -> bytes:
    """Return the message as the pending store keeps it."""
    return json.dumps(dict(message.raw), ensure_ascii=False).encode()


def load(body: bytes) -> Inbound:
    """Return the message that ``dump`` stored."""
    return read_inbound(json.loads(body))

"""How many customer-service messages a follower may still be sent. Pure.

The platform states what each action opens (page "sendCustomMessage") but not how two of them combine; the mini
program's page says that the number is refreshed, not added up. So of two allowances the better one is kept. The
platform has the last word: its 45015 and 45047 correct this estimate.
"""

from dataclasses import dataclass
from typing import assert_never

from bot.wechat.inbound import (
    AccountNotice,
    AuthorizationChanged,
    Followed,
    ImageMessage,
    Inbound,
    KfSession,
    LinkMessage,
    LocationChosen,
    LocationMessage,
    LocationReported,
    MassJobFinished,
    MenuClicked,
    MenuViewed,
    MiniProgramViewed,
    PicturesChosen,
    PublishJobFinished,
    ScanCode,
    Scanned,
    SubscribeDecided,
    SubscribeSent,
    TemplateJobFinished,
    TextMessage,
    Unfollowed,
    UnknownEvent,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one action of a follower opens: ``count`` messages for ``lasts_s`` seconds."""

    count: int
    lasts_s: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a follower may still be sent: ``remaining`` messages until ``expires_at_ms`` (Unix milliseconds)."""

    remaining: int
    expires_at_ms: int


AFTER_MESSAGE = Grant(count=5, lasts_s=48 * 3600)
AFTER_TAP = Grant(count=3, lasts_s=60)


def grant(inbound: Inbound) -> Grant | None:
    """Return what ``inbound`` opens, None if nothing. A tap on an option is delivered as a text but counts as a tap
    on a menu."""
    match inbound:
        case TextMessage(menu_id=menu_id):
            return AFTER_MESSAGE if menu_id is None else AFTER_TAP
        case ImageMessage() | VoiceMessage() | VideoMessage() | LocationMessage() | LinkMessage() | UnknownMessage():
            return AFTER_MESSAGE
        case MenuClicked() | ScanCode() | Followed() | Scanned():
            return AFTER_TAP
        case (
            Unfollowed()
            | MenuViewed()
            | MiniProgramViewed()
            | PicturesChosen()
            | LocationChosen()
            | LocationReported()
            | TemplateJobFinished()
            | MassJobFinished()
            | PublishJobFinished()
            | SubscribeDecided()
            | SubscribeSent()
            | AuthorizationChanged()
            | KfSession()
            | AccountNotice()
            | UnknownEvent()
        ):
            return None
        case _:
            assert_never(inbound)


def refresh(current: Allowance | None, granted: Grant, now_ms: int) -> Allowance:
    """Return the better of ``current`` and what was just granted; they never add up.

    An allowance with nothing left, or run out, is worth nothing. Of two others the one that lasts longer is better:
    two messages for a day reach a follower whom three for a minute do not.
    """
    fresh = Allowance(granted.count, now_ms + granted.lasts_s * 1000)
    if current is None or current.remaining <= 0 or current.expires_at_ms <= now_ms:
        return fresh
    return max(fresh, current, key=lambda allowance: (allowance.expires_at_ms, allowance.remaining))


def take(allowance: Allowance | None, now_ms: int) -> Allowance | None:
    """Return the allowance after one more message, None when none may be sent."""
    if allowance is None or allowance.remaining <= 0 or allowance.expires_at_ms <= now_ms:
        return None
    return Allowance(allowance.remaining - 1, allowance.expires_at_ms)

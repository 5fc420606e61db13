"""The inbox as the turn sees it."""

from datetime import datetime
from typing import assert_never

from actions.wording import day_with_weekday, time_text
from bot.dialogue.outcomes import Spoken
from bot.inbox.models import ChatStatus, MessageKind, Satisfaction
from bot.inbox.running import RunningChats
from bot.inbox.service import InboxService, Left, NoOpenChat, NothingToRate, Rated, Recorded
from bot.inbox.views import CRISIS_TOPIC
from bot.values.clock import Clock
from bot.values.options import Option, parse_option
from bot.values.problem import Problem
from bot.wechat.models import (
    Followed,
    ImageMessage,
    Inbound,
    LinkMessage,
    LocationChosen,
    LocationMessage,
    MenuClicked,
    Scanned,
    TextMessage,
    VideoMessage,
    VoiceMessage,
)

RATINGS = (
    Option(str(Satisfaction.SATISFIED.value), "满意", ("好", "很满意", "可以")),
    Option(str(Satisfaction.FAIR.value), "一般", ("还行", "一般般")),
    Option(str(Satisfaction.DISSATISFIED.value), "不满意", ("不好", "差")),
)


RATING_LABELS = frozenset(option.label for option in RATINGS)
"""What a tap on one of the buttons of the satisfaction question says."""


class InboxChats:
    """Passes messages to the running chat, and ratings to the one that ended."""

    def __init__(self, inbox: InboxService, running: RunningChats, clock: Clock) -> None:
        self._inbox = inbox
        self._running = running
        self._clock = clock

    async def is_with_people(self, openid: str, *, expected: bool) -> bool:
        """Say whether people have this follower's chat now; where it is not ``expected``, as of a second ago."""
        if not expected and not await self._running.may_have(openid):
            return False
        return await self._inbox.open_chat_of(openid) is not None

    async def take_down(self, message: Inbound, text: str, *, asks_place: bool, asks_person: bool) -> Spoken | None:
        """Add a message to the running chat; a repeated delivery is one message.

        ``asks_person``: it says no more than that somebody should come. Return what the follower should hear
        meanwhile: that nobody is there now, or what they asked for.
        """
        if asks_person:
            outcome = await self._inbox.record_call(message.openid, message.delivery_key)
        else:
            kind, written, media = _content(message, text)
            outcome = await self._inbox.record_inbound(
                message.openid, message.delivery_key, text=written, kind=kind, media_ref=media
            )
        if isinstance(outcome, Recorded) and outcome.opens_at is not None:
            return Spoken("utter_people_away", {"opens": self._when(outcome.opens_at)})
        return await self._place(message.openid) if asks_place else None

    async def _place(self, openid: str) -> Spoken | None:
        place = await self._inbox.place_of(openid)
        if place is None:
            return None
        if place.topic == CRISIS_TOPIC:
            return Spoken("utter_people_alerted")
        if not place.within_hours:
            opens_at = place.opens_at
            return None if opens_at is None else Spoken("utter_people_away", {"opens": self._when(opens_at)})
        fields = {"ahead": max(place.position - 1, 0), "minutes": place.usual_minutes}
        return Spoken("utter_people_place" if place.position > 1 else "utter_people_place_next", fields)

    def _when(self, opens_at: datetime) -> str:
        clock = time_text(opens_at.time())
        is_today = opens_at.date() == self._clock.now().date()
        return clock if is_today else f"{day_with_weekday(opens_at.date())}{clock}"

    async def leave(self, openid: str, key: str, *, only_waiting: bool) -> bool:
        """End the follower's chat at their own word, with ``only_waiting`` only one that nobody has claimed.

        Say whether it is ended; a chat about a danger never is.
        """
        chat = await self._inbox.open_chat_of(openid)
        if chat is None or chat.topic == CRISIS_TOPIC or (only_waiting and chat.status is not ChatStatus.WAITING):
            return False
        outcome = await self._inbox.leave(openid, key)
        match outcome:
            case Left():
                return True
            case NoOpenChat():
                return False
            case _:
                assert_never(outcome)

    async def rate(self, openid: str, text: str, key: str) -> bool:
        """Take ``text`` as the answer to the satisfaction question, if one is open; say whether it was."""
        chosen = parse_option(text, RATINGS)
        if isinstance(chosen, Problem):
            return False
        outcome = await self._inbox.rate(openid, Satisfaction(int(chosen.id)), key)
        match outcome:
            case Rated():
                return True
            case NothingToRate():
                return False
            case _:
                assert_never(outcome)


def _content(message: Inbound, text: str) -> tuple[MessageKind, str, str | None]:
    """Return what staff see of a message: its kind, its words, and the platform's id of a picture or recording."""
    match message:
        case TextMessage():
            return MessageKind.TEXT, text, None
        case ImageMessage():
            return MessageKind.IMAGE, "", message.media_id
        case VoiceMessage():
            return MessageKind.VOICE, text, message.media_id
        case LinkMessage():
            return MessageKind.OTHER, f"［链接］{message.title} {message.url}", None
        case LocationMessage() | LocationChosen():
            return MessageKind.OTHER, f"［位置］{text}", None
        case VideoMessage():
            return MessageKind.OTHER, "［视频］", None
        case MenuClicked():
            return MessageKind.OTHER, "［点了菜单］", None
        case Followed():
            return MessageKind.OTHER, "［重新关注］", None
        case Scanned():
            return MessageKind.OTHER, "［扫了二维码］", None
        case _:
            return MessageKind.OTHER, "［文件］", None

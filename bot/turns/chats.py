"""The inbox as the turn sees it."""

from typing import assert_never

from bot.inbox.models import ChatStatus, MessageKind, Satisfaction
from bot.inbox.service import InboxService, Left, NoOpenChat, NothingToRate, Rated
from bot.values.options import Option, parse_option
from bot.values.problem import Problem
from bot.wechat.models import ImageMessage, Inbound, VoiceMessage

CRISIS_TOPIC = "crisis"
RATINGS = (
    Option(str(Satisfaction.SATISFIED.value), "满意", ("好", "很满意", "可以")),
    Option(str(Satisfaction.FAIR.value), "一般", ("还行", "一般般")),
    Option(str(Satisfaction.DISSATISFIED.value), "不满意", ("不好", "差")),
)


class InboxChats:
    """Passes messages to the running chat, and ratings to the one that ended."""

    def __init__(self, inbox: InboxService) -> None:
        self._inbox = inbox

    async def is_with_people(self, openid: str) -> bool:
        """Say whether people have this follower's chat now."""
        return await self._inbox.open_chat_of(openid) is not None

    async def take_down(self, message: Inbound, text: str) -> None:
        """Add a message to the running chat; a repeated delivery is one message."""
        kind, media = MessageKind.TEXT, None
        if isinstance(message, ImageMessage):
            kind, media = MessageKind.IMAGE, message.media_id
        elif isinstance(message, VoiceMessage):
            kind, media = MessageKind.VOICE, message.media_id
        await self._inbox.record_inbound(message.openid, message.delivery_key, text=text, kind=kind, media_ref=media)

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

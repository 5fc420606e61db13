"""A lawyer's answer to the worker: it goes through a chat, within the follower's allowance, exactly once."""

from dataclasses import dataclass

from bot.inbox.desk import ChatDesk, ChatIsOver, Queued, TakenBy
from bot.inbox.service import InboxService
from bot.legal.models import CaseSummary

TOPIC = "legal"
REASON = "lawyer"


@dataclass(frozen=True, slots=True)
class Replied:
    """The answer waits to be sent in this chat."""

    chat_id: int


ReplyOutcome = Replied | TakenBy | ChatIsOver


class LegalReplies:
    """Opens a chat with the worker where none runs. While it runs the bot is silent."""

    def __init__(self, inbox: InboxService, desk: ChatDesk) -> None:
        self._inbox = inbox
        self._desk = desk

    async def reply(self, case: CaseSummary, text: str, *, by: str, key: str) -> ReplyOutcome:
        """Queue ``text`` for the worker; the same ``key`` queues it once. ``TakenBy``: a colleague has the chat."""
        escalated = await self._inbox.escalate(
            case.openid,
            TOPIC,
            f"律师回复 {case.receipt}",
            f"legal:{case.receipt}:{key}",
            county=case.county,
            reason=REASON,
        )
        outcome = await self._desk.answer(escalated.chat_id, by, text, f"legal:{key}")
        return Replied(escalated.chat_id) if isinstance(outcome, Queued) else outcome

"""What stands around the field for an answer: how much may still be sent, and canned replies with their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.wording import day_with_weekday, time_text
from bot.console.inbox.parts import InboxParts
from bot.console.visit import Visit
from bot.inbox.canned import Reply
from bot.inbox.placeholders import Filled, fill
from bot.inbox.views import ChatView, MessageView
from bot.storage.redis import RedisUnavailable
from bot.wechat.allowance import Allowance


@dataclass(frozen=True, slots=True)
class Left:
    """What the follower may still be sent. ``count`` leaves out what is queued already."""

    count: int
    lasts: str
    is_known: bool = True


class Composer:
    """Reads what an agent needs for the next answer."""

    def __init__(self, parts: InboxParts) -> None:
        self._parts = parts

    async def left(self, chat: ChatView, lines: Sequence[MessageView]) -> Left:
        """Return what the follower may still be sent; what waits among ``lines`` is spent already."""
        queued = sum(line.delivery_status.value in ("queued", "sending") for line in lines)
        try:
            allowance = await self._parts.ledger.of(chat.openid)
        except RedisUnavailable:
            return Left(0, "", is_known=False)
        if allowance is None:
            return Left(0, "")
        return Left(max(0, allowance.remaining - queued), self._lasts(allowance))

    def _lasts(self, allowance: Allowance) -> str:
        seconds = allowance.expires_at_ms / 1000 - self._parts.clock.now().timestamp()
        if seconds < timedelta(minutes=1).total_seconds():
            return "不到 1 分钟"
        minutes = int(seconds // 60)
        return f"{minutes} 分钟" if minutes < timedelta(hours=1).seconds // 60 else f"{minutes // 60} 小时"

    async def filled(self, visit: Visit, chat: ChatView, reply: Reply) -> Filled:
        """Return a canned reply with the values of this chat."""
        return fill(reply.text, await self._values(visit, chat))

    async def canned(self, visit: Visit, chat: ChatView) -> list[tuple[Reply, Filled]]:
        """Return the replies that are offered in this chat, with its values."""
        offered = await self._parts.replies.offered(chat.topic)
        values = await self._values(visit, chat) if offered else {}
        return [(reply, fill(reply.text, values)) for reply in offered]

    async def _values(self, visit: Visit, chat: ChatView) -> Mapping[str, str]:
        """Return the values of the placeholders; the follower's name is no more than a surname."""
        registrations = await self._parts.registrations.find_for(chat.openid, limit=1)
        cases = await self._parts.cases.cases_of(chat.openid)
        calendar, now = await self._parts.calendar.calendar(), self._parts.clock.now()
        own = registrations[0] if registrations and registrations[0].relation == "self" else None
        surname = own.name_masked.split("*")[0] if own is not None else ""
        receipts = [(one.created_at, one.receipt) for one in registrations]
        receipts += [(one.created_at, one.receipt) for one in cases]
        opens_at = calendar.next_start(now)
        return {
            "name": f"{surname}同志",
            "receipt": max(receipts)[1] if receipts else "",
            "number": chat.number,
            "agent": visit.viewer.account.display_name,
            "open_at": "" if opens_at is None else _when(opens_at, now),
            "hours": " ".join(map(str, calendar.stretches(now.date()))),
        }


def _when(moment: datetime, now: datetime) -> str:
    if moment.date() == now.date():
        return f"今天{time_text(moment.time())}"
    if moment.date() == now.date() + timedelta(days=1):
        return f"明天{time_text(moment.time())}"
    return f"{day_with_weekday(moment.date())}{time_text(moment.time())}"

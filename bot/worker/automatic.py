"""Sends what goes out by itself: reminders with buttons, openings, follow-ups."""

from bot.campaigns.automatic import ATTEMPTS_MAX, AutomaticMessages, DueMessage
from bot.campaigns.content import filled
from bot.turns.outbox import Fallback, Parcel
from bot.wechat.models import CustomerMenu, CustomerText
from bot.wechat.outgoing import Choice
from bot.worker.outbox import OutboxRelay, Outcome

TEMPLATE_TITLE_CHARS = 20


class AutomaticSender:
    """One message an occasion, within the allowance, else a template message when the rule names one."""

    def __init__(self, messages: AutomaticMessages, relay: OutboxRelay) -> None:
        self._messages = messages
        self._relay = relay

    async def plan(self) -> int:
        """Plan what is due today. Returns 0, so that the worker rests."""
        await self._messages.plan()
        return 0

    async def send(self) -> int:
        """Send one batch; return how many messages were taken."""
        due = await self._messages.lease_due()
        for message in due:
            delivery = await self._relay.send_now(message.openid, message.key, _parcel(message))
            await self._report(message, delivery.outcome)
        return len(due)

    async def _report(self, message: DueMessage, outcome: Outcome) -> None:
        match outcome:
            case Outcome.SENT | Outcome.REPEATED | Outcome.TEMPLATE:
                await self._messages.sent(message.id)
            case Outcome.HELD | Outcome.LATER if message.attempts < ATTEMPTS_MAX:
                await self._messages.later(message.id)
            case Outcome.HELD | Outcome.LATER | Outcome.FAILED | Outcome.UNKNOWN:
                await self._messages.failed(message.id, outcome.value)


def _parcel(message: DueMessage) -> Parcel:
    text = filled(message.body, message.values)
    choices = tuple(Choice(choice.id, choice.label) for choice in message.choices)
    said = CustomerMenu(text, choices, "") if choices else CustomerText(text)
    if not message.template_id:
        return Parcel(said)
    data = {"thing1": message.values["项目"][:TEMPLATE_TITLE_CHARS]}
    if "日期" in message.values:
        data["time2"] = f"{message.values['日期']} {message.values['时间']}"
    return Parcel(said, Fallback(message.template_id, data))

"""Actions that bring people in: handing the chat over, complaints, and crisis messages."""

from collections.abc import Mapping, Sequence

from actions.wording import day_text, time_text
from bot.dialogue.events import ActionContext, ActionTable, Event, HandOver, Say
from bot.inbox.alerts import AlertService
from bot.inbox.models import AlertLevel
from bot.inbox.service import Escalated, InboxService
from bot.understanding.crisis import crisis_signal
from bot.understanding.models import CrisisSignal
from bot.values.problem import FieldValue

GENERAL, LEGAL, COMPLAINT, CRISIS = "general", "legal", "complaint", "crisis"
TOPIC_BY_FLOW: Mapping[str, str] = {
    "register_work_study": "work_study",
    "book_health_screening": "health_screening",
    "consult_lawyer": LEGAL,
}
SUPPORT = CrisisSignal("P2", "distress", rule="model")
"""What the model took for a crisis and the words alone do not tell: somebody looks at it."""

RESPONSES: Mapping[str, str] = {
    "self_harm": "utter_crisis_self_harm",
    "work_accident": "utter_crisis_accident",
    "violence": "utter_crisis_violence",
    "child": "utter_crisis_child",
    "mass_protest": "utter_crisis_group",
    "threat": "utter_crisis_threat",
    "fraud_detention": "utter_crisis_detained",
    "media": "utter_crisis_media",
    "medical": "utter_crisis_medical",
}


class PeopleActions:
    """Hands chats to staff. The bot is silent afterwards."""

    def __init__(self, inbox: InboxService, alerts: AlertService) -> None:
        self._inbox = inbox
        self._alerts = alerts

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_hand_over": self.hand_over,
            "action_take_complaint": self.take_complaint,
            "action_crisis": self.crisis,
        }

    async def hand_over(self, context: ActionContext) -> Sequence[Event]:
        """Queue the chat for staff and say how long it usually takes."""
        topic = TOPIC_BY_FLOW.get(context.flow, GENERAL)
        queued = await self._inbox.escalate(
            context.openid, topic, context.said, context.idempotency_key, reason="asked"
        )
        return [_queued_text(queued, context), HandOver(topic, "asked")]

    async def take_complaint(self, context: ActionContext) -> Sequence[Event]:
        """Give the complaint a number and queue it for staff."""
        queued = await self._inbox.escalate(
            context.openid, COMPLAINT, context.said, context.idempotency_key, reason="complaint"
        )
        return [Say("utter_complaint_taken", {"number": f"TS{queued.chat_id:06d}"}), HandOver(COMPLAINT, "complaint")]

    async def crisis(self, context: ActionContext) -> Sequence[Event]:
        """Give the approved words and hotlines, alert the people on duty at once, and let no form go on."""
        signal = crisis_signal(context.said) or SUPPORT
        await self._alerts.raise_alert(
            AlertLevel(signal.level), signal.kind, context.openid, context.idempotency_key, detail=context.said
        )
        await self._inbox.escalate(
            context.openid, CRISIS, context.said, f"{context.idempotency_key}:chat", reason=signal.kind
        )
        return [Say(RESPONSES.get(signal.kind, "utter_crisis_support")), HandOver(CRISIS, signal.kind)]


def _queued_text(queued: Escalated, context: ActionContext) -> Say:
    if not queued.within_hours and queued.expected_at is not None:
        opens = queued.expected_at
        same_day = opens.date() == context.now.date()
        when = time_text(opens.time()) if same_day else f"{day_text(opens.date())}{time_text(opens.time())}"
        return Say("utter_handed_over_closed_hours", {"opens": when})
    fields: dict[str, FieldValue] = {"minutes": queued.usual_minutes, "ahead": max(queued.position - 1, 0)}
    return Say("utter_handed_over" if queued.position > 1 else "utter_handed_over_next", fields)

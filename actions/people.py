"""Actions that bring people in: handing the chat over, complaints, and crisis messages."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from actions.wording import day_with_weekday, text_of, time_text
from bot.dialogue.events import ActionContext, ActionTable, Event, HandOver, Rest, Say, SetSlots
from bot.inbox.alerts import AlertService
from bot.inbox.models import AlertLevel
from bot.inbox.service import Escalated, InboxService
from bot.understanding.crisis import crisis_signal
from bot.understanding.models import CrisisSignal
from bot.values.clock import LOCAL_ZONE
from bot.values.problem import FieldValue

GENERAL, REGISTRATION, LEGAL, COMPLAINT, CRISIS = "general", "registration", "legal", "complaint", "crisis"
TOPIC_BY_OPEN_FORM: Mapping[str, str] = {
    "ws_window": REGISTRATION,
    "hs_window": REGISTRATION,
    "legal_window": LEGAL,
}
"""The queue of a chat that is handed over while a form is open, by a slot that only this form fills."""

MATTER = "legal_story"
"""What the follower has told of their matter in a form that asks for it: staff see this before the word 人工."""

VIOLENCE = CrisisSignal("P0", "violence", rule="topic")
MAY_BE = CrisisSignal("P1", "distress", rule="model")
"""What the model took for a crisis and the words alone do not tell: it is asked about, and somebody looks at it."""

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
    "distress": "utter_crisis_support",
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
            "action_crisis_contact": self.crisis_contact,
            "action_crisis_check": self.crisis_check,
            "action_crisis_call": self.crisis_call,
            "action_crisis_over": self.crisis_over,
            "action_left_people": self.left_people,
        }

    async def hand_over(self, context: ActionContext) -> Sequence[Event]:
        """Queue the chat for staff and say how long it usually takes."""
        topic = next((queue for slot, queue in TOPIC_BY_OPEN_FORM.items() if context.slots.get(slot)), GENERAL)
        told = text_of(context.slots.get(MATTER)) if topic == LEGAL else ""
        queued = await self._inbox.escalate(
            context.openid, topic, told or context.said, context.idempotency_key, reason="asked"
        )
        return [_queued_text(queued, context), HandOver(topic, "asked")]

    async def take_complaint(self, context: ActionContext) -> Sequence[Event]:
        """Give the complaint a number and queue it for staff."""
        queued = await self._inbox.escalate(
            context.openid, COMPLAINT, context.said, context.idempotency_key, reason="complaint"
        )
        return [Say("utter_complaint_taken", {"number": f"TS{queued.chat_id:06d}"}), HandOver(COMPLAINT, "complaint")]

    async def crisis(self, context: ActionContext) -> Sequence[Event]:
        """Give the approved words and hotlines, and alert the people on duty at once.

        Where it is clear, they have the chat from now on and no form goes on. Where it may be no more than a manner
        of speaking, the follower is asked first.
        """
        signal = _signal(context)
        await self._alerts.raise_alert(
            AlertLevel(signal.level), signal.kind, context.openid, context.idempotency_key, detail=context.said
        )
        if signal.kind == "distress":
            response = "utter_crisis_may_be" if signal is MAY_BE else RESPONSES[signal.kind]
            return [SetSlots({"crisis_kind": None, "crisis_unclear": True, "crisis_contact": None}), Say(response)]
        learnt = SetSlots({"crisis_kind": None, "crisis_unclear": False})
        return [learnt, Say(RESPONSES[signal.kind]), await self._to_people(context, signal.kind)]

    async def crisis_contact(self, context: ActionContext) -> Sequence[Event]:
        """The follower wants somebody, or told more: people have the chat."""
        return [Say("utter_crisis_called"), await self._to_people(context, "distress")]

    async def crisis_check(self, context: ActionContext) -> Sequence[Event]:
        """Ask once whether all is well, with the hotlines in sight; whatever form is open rests."""
        today = context.now.astimezone(LOCAL_ZONE).date().isoformat()
        return [SetSlots({"crisis_checked_on": today}), Say("utter_crisis_check"), Rest()]

    async def crisis_call(self, context: ActionContext) -> Sequence[Event]:
        """Alert the people on duty, because the follower asked for them after the gentle question."""
        await self._alerts.raise_alert(
            AlertLevel.P1, MAY_BE.kind, context.openid, context.idempotency_key, detail=context.said
        )
        return await self.crisis_contact(context)

    async def crisis_over(self, context: ActionContext) -> Sequence[Event]:
        """Nobody is wanted. An open form rests until the follower comes back to it by themselves."""
        return [Say("utter_crisis_here_form" if _has_form(context) else "utter_crisis_here"), Rest()]

    async def left_people(self, context: ActionContext) -> Sequence[Event]:
        """The bot answers again; an open form rests until the follower comes back to it."""
        return [Say("utter_left_people_form" if _has_form(context) else "utter_left_people"), Rest()]

    async def _to_people(self, context: ActionContext, reason: str) -> HandOver:
        await self._inbox.escalate(
            context.openid, CRISIS, context.said, f"{context.idempotency_key}:chat", reason=reason, moves=True
        )
        return HandOver(CRISIS, reason)


def _has_form(context: ActionContext) -> bool:
    return any(context.slots.get(slot) for slot in TOPIC_BY_OPEN_FORM)


def _signal(context: ActionContext) -> CrisisSignal:
    spoken = crisis_signal(context.said)
    if spoken is not None:
        return spoken
    return VIOLENCE if text_of(context.slots.get("crisis_kind")) == VIOLENCE.kind else MAY_BE


def _queued_text(queued: Escalated, context: ActionContext) -> Say:
    if not queued.within_hours:
        if queued.expected_at is None:
            return Say("utter_handed_over_no_hours")
        opens = queued.expected_at - timedelta(minutes=queued.usual_minutes)
        is_today = opens.date() == context.now.date()
        when = time_text(opens.time()) if is_today else f"{day_with_weekday(opens.date())}{time_text(opens.time())}"
        return Say("utter_handed_over_closed_hours", {"opens": when})
    fields: dict[str, FieldValue] = {"minutes": queued.usual_minutes, "ahead": max(queued.position - 1, 0)}
    return Say("utter_handed_over" if queued.position > 1 else "utter_handed_over_next", fields)

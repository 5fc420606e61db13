"""Sends the notices that changes of registrations have planned. Their texts name no illness, hardship or dispute."""

from collections.abc import Mapping
from datetime import timedelta

from bot.dialogue.outcomes import Spoken
from bot.dialogue.render import Renderer
from bot.registrations.notices import NoticeBook, PlannedNotice
from bot.turns.outbox import Fallback, Parcel
from bot.turns.replies import as_outgoing
from bot.values.clock import Clock
from bot.wechat.planner import plan
from bot.worker.outbox import OutboxRelay, Outcome

TEXTS: Mapping[str, str] = {
    "pending": "utter_notice_pending",
    "approved": "utter_notice_approved",
    "returned": "utter_notice_returned",
    "rejected": "utter_notice_rejected",
    "waitlisted": "utter_notice_waitlisted",
    "cancelled": "utter_notice_cancelled",
    "completed": "utter_notice_completed",
    "no_show": "utter_notice_no_show",
    "offered": "utter_notice_offered",
    "offer_lapsed": "utter_notice_offer_lapsed",
    "post_assigned": "utter_notice_post_assigned",
    "changes_confirmed": "utter_notice_changes_confirmed",
    "slot_moved": "utter_notice_slot_moved",
    "slot_cancelled": "utter_notice_slot_cancelled",
    "corrected_pending": "utter_notice_corrected_pending",
    "corrected_returned": "utter_notice_corrected_returned",
    "corrected_waitlisted": "utter_notice_corrected_waitlisted",
    "corrected_approved": "utter_notice_corrected_approved",
    "corrected_rejected": "utter_notice_corrected_rejected",
    "corrected_no_show": "utter_notice_corrected_no_show",
}
AGAIN_AFTER = timedelta(minutes=15)
ATTEMPTS_MAX = 96
"""With a quarter of an hour between them, a day of attempts."""


class RegistrationNotices:
    """One message a notice, within the allowance, else a template message when one is configured."""

    def __init__(
        self, book: NoticeBook, relay: OutboxRelay, renderer: Renderer, clock: Clock, *, template_id: str
    ) -> None:
        self._book = book
        self._relay = relay
        self._renderer = renderer
        self._clock = clock
        self._template_id = template_id

    async def send(self) -> int:
        """Send one batch; return how many notices were taken."""
        notices = await self._book.lease_due()
        for notice in notices:
            delivery = await self._relay.send_now(notice.openid, notice.key, self._parcel(notice))
            await self._report(notice, delivery.outcome)
        return len(notices)

    async def _report(self, notice: PlannedNotice, outcome: Outcome) -> None:
        match outcome:
            case Outcome.SENT | Outcome.REPEATED | Outcome.TEMPLATE:
                await self._book.mark_sent(notice.id, outcome.value)
            case Outcome.HELD | Outcome.LATER if notice.attempts < ATTEMPTS_MAX:
                again = self._clock.now() + AGAIN_AFTER
                await self._book.mark_failed(notice.id, again_at=again, code=outcome.value)
            case Outcome.HELD | Outcome.LATER | Outcome.FAILED | Outcome.UNKNOWN:
                await self._book.mark_failed(notice.id, again_at=None, code=outcome.value)

    def _parcel(self, notice: PlannedNotice) -> Parcel:
        fields = {
            "title": notice.programme_title,
            "receipt": notice.receipt,
            "when": str(notice.fields.get("when", "")),
        }
        said = as_outgoing(self._renderer.render([Spoken(TEXTS[notice.kind], fields)]))
        message = plan(said, passive_open=False, link_choices=False).later[0]
        if not self._template_id:
            return Parcel(message)
        data = {"thing1": notice.programme_title[:20], "character_string2": notice.receipt}
        return Parcel(message, Fallback(self._template_id, data))

"""Consents: the texts are rows of the programme, asked one by one, each answer recorded with its version."""

from collections.abc import Sequence

from actions.wording import text_of
from bot.dialogue.events import ActionContext, ActionTable, Event, Say, SetSlots, SlotValue
from bot.followers.consents import ConsentService
from bot.programmes.models import ConsentText
from bot.programmes.service import ProgrammeService


class ConsentActions:
    """Actions of the flow ``give_consents``; the caller has set ``programme_id``."""

    def __init__(self, programmes: ProgrammeService, consents: ConsentService) -> None:
        self._programmes = programmes
        self._consents = consents

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {"action_next_consent": self.next_consent, "action_record_consent": self.record_consent}

    async def next_consent(self, context: ActionContext) -> Sequence[Event]:
        """Name the next consent to ask, or say that all are given."""
        given = _given(context)
        for consent in await self._asked_at_start(text_of(context.slots.get("programme_id"))):
            if consent.code not in given:
                recipients = "、".join(consent.recipients)
                text = consent.text.replace("{recipients}", recipients)
                return [SetSlots({"consent_code": consent.code, "consent_text": text, "consent_answer": None})]
        return [SetSlots({"consent_code": None, "consents_given": True})]

    async def record_consent(self, context: ActionContext) -> Sequence[Event]:
        """Store a yes; a no ends the form without anything being stored."""
        if context.slots.get("consent_answer") is not True:
            return [SetSlots({"consents_given": False}), Say("utter_consent_declined")]
        programme_id, code = text_of(context.slots.get("programme_id")), text_of(context.slots.get("consent_code"))
        for consent in await self._asked_at_start(programme_id):
            if consent.code == code:
                view = await self._consents.record_consent(
                    context.openid,
                    code,
                    key=context.idempotency_key,
                    programme_id=programme_id,
                    text_version=consent.version,
                    text=consent.text,
                    channel="chat",
                )
                ids: dict[str, SlotValue] = {**_given(context), code: view.id}
                return [SetSlots({"consent_ids": ids, "consent_answer": None})]
        return [SetSlots({"consent_answer": None})]

    async def _asked_at_start(self, programme_id: str) -> tuple[ConsentText, ...]:
        programme = await self._programmes.get(programme_id)
        return tuple(consent for consent in programme.consents if not consent.needed_when)


def _given(context: ActionContext) -> dict[str, SlotValue]:
    ids = context.slots.get("consent_ids")
    return dict(ids) if isinstance(ids, dict) else {}

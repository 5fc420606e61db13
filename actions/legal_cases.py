"""Actions about a case that is there: find it, add to it, take it back."""

from collections.abc import Sequence
from typing import assert_never

from actions.materials import PictureSource
from actions.wording import refusal_of, text_of
from bot.dialogue.events import ActionContext, ActionTable, Event, Say, SetSlots
from bot.legal.rules import may_change
from bot.legal.service import Done, LegalService, NotYours, TooLate
from bot.storage.files import FileRefused, PrivateFiles


class LegalCaseActions:
    """What a worker does with a case after it was registered."""

    def __init__(self, cases: LegalService, files: PrivateFiles, source: PictureSource) -> None:
        self._cases = cases
        self._files = files
        self._source = source

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_legal_find_case": self.find_case,
            "action_legal_keep_evidence": self.keep_evidence,
            "action_legal_add_words": self.add_words,
            "action_legal_withdraw": self.withdraw,
        }

    async def find_case(self, context: ActionContext) -> Sequence[Event]:
        """Find the follower's newest case that is not over."""
        cases = await self._cases.cases_of(context.openid)
        running = next((case for case in cases if may_change(case.status)), None)
        if running is None:
            return [Say("utter_legal_no_case")]
        return [SetSlots({"legal_receipt": running.receipt, "legal_pictures": None})]

    async def keep_evidence(self, context: ActionContext) -> Sequence[Event]:
        """Fetch the photo that was sent and put it with the case."""
        data = await self._source.picture(text_of(context.slots.get("legal_evidence")))
        try:
            stored = await self._files.save(data, owner=context.openid, purpose="legal_evidence")
        except FileRefused as error:
            return [SetSlots({"legal_evidence": None}), refusal_of(error, "utter_legal_evidence_refused")]
        receipt, count = text_of(context.slots.get("legal_receipt")), context.slots.get("legal_pictures")
        outcome = await self._cases.add_evidence(
            receipt, context.openid, context.idempotency_key, kind="image", file_ref=stored.id
        )
        match outcome:
            case Done():
                kept = count + 1 if isinstance(count, int) else 1
                return [SetSlots({"legal_evidence": None, "legal_pictures": kept})]
            case TooLate() | NotYours():
                await self._files.delete(stored.id)
                return [SetSlots({"legal_evidence": None, "legal_receipt": None}), Say("utter_legal_evidence_over")]
            case _:
                assert_never(outcome)

    async def add_words(self, context: ActionContext) -> Sequence[Event]:
        """Put what was told now with the case that runs already."""
        receipt, words = text_of(context.slots.get("legal_running")), text_of(context.slots.get("legal_said"))
        outcome = await self._cases.add_evidence(
            receipt, context.openid, context.idempotency_key, kind="note", text=words
        )
        match outcome:
            case Done():
                return [Say("utter_legal_words_added", {"receipt": receipt})]
            case TooLate() | NotYours():
                return [Say("utter_legal_evidence_over")]
            case _:
                assert_never(outcome)

    async def withdraw(self, context: ActionContext) -> Sequence[Event]:
        """Take the case back."""
        receipt = text_of(context.slots.get("legal_receipt"))
        outcome = await self._cases.cancel(receipt, context.openid, context.idempotency_key)
        match outcome:
            case Done():
                return [Say("utter_legal_withdrawn", {"receipt": receipt})]
            case TooLate() | NotYours():
                return [Say("utter_legal_no_case")]
            case _:
                assert_never(outcome)

"""Files that workers photograph: fetched from the platform at once, kept privately, attached to the registration."""

from collections.abc import Mapping, Sequence
from typing import Protocol, assert_never

from actions.wording import refusal_of, text_of
from bot.dialogue.events import ActionContext, Event, Say, SetSlots, SlotValue
from bot.programmes.models import Programme
from bot.registrations.outcomes import Attached, NotFound, NotPossible, Resubmitted, TooMany, UnknownMaterial
from bot.registrations.service import RegistrationService
from bot.storage.files import FileRefused, PrivateFiles

NOTHING_MISSING: Mapping[str, SlotValue] = {
    "ws_wanted": None,
    "ws_missing_code": None,
    "ws_missing_label": None,
    "ws_material": None,
}


class PictureSource(Protocol):
    """Where pictures come from."""

    async def picture(self, media_id: str) -> bytes:
        """Return the picture's bytes. Raises ApiError when the platform does not hand it out."""
        ...


class MaterialDesk:
    """Asks for files one by one and puts them away."""

    def __init__(self, registrations: RegistrationService, files: PrivateFiles, source: PictureSource) -> None:
        self._registrations = registrations
        self._files = files
        self._source = source

    def next_slots(self, programme: Programme, wanted: Sequence[str]) -> Mapping[str, SlotValue]:
        """Return the slots that ask for the first of the ``wanted`` files (codes), or end the asking."""
        labels = {rule.code: rule.label for rule in programme.required_materials}
        codes = [code for code in wanted if code in labels]
        if not codes:
            return NOTHING_MISSING
        return {
            "ws_wanted": list(codes),
            "ws_missing_code": codes[0],
            "ws_missing_label": labels[codes[0]],
            "ws_material": None,
            "programme_title": programme.title,
        }

    async def store(self, context: ActionContext, *, receipt: str, programme: Programme) -> Sequence[Event]:
        """Keep the file in ``ws_material`` under the code that was asked for; return what to say next.

        When it was the last one of a registration that was sent back, that one goes to review again.
        """
        code, label = text_of(context.slots.get("ws_missing_code")), text_of(context.slots.get("ws_missing_label"))
        data = await self._source.picture(text_of(context.slots.get("ws_material")))
        try:
            stored = await self._files.save(data, owner=context.openid, purpose=code)
        except FileRefused as error:
            return [SetSlots({"ws_material": None}), refusal_of(error, "utter_ws_material_refused")]
        outcome = await self._registrations.attach_material(
            receipt, context.openid, code, stored.id, context.idempotency_key
        )
        match outcome:
            case Attached():
                if outcome.file_id != stored.id:
                    # The same message was worked on before; its file is the one that counts.
                    await self._files.delete(stored.id)
                wanted = context.slots.get("ws_wanted")
                left = [text_of(one) for one in wanted if one != code] if isinstance(wanted, list) else []
                said = [Say("utter_ws_material_stored", {"label": label})]
                if not left:
                    said.append(Say(await self._completed(context, receipt)))
                return [SetSlots(self.next_slots(programme, left)), *said]
            case TooMany() | UnknownMaterial() | NotPossible() | NotFound():
                await self._files.delete(stored.id)
                return [SetSlots(NOTHING_MISSING), Say("utter_ws_material_unneeded")]
            case _:
                assert_never(outcome)

    async def _completed(self, context: ActionContext, receipt: str) -> str:
        again = await self._registrations.resubmit(receipt, context.openid, context.idempotency_key)
        return "utter_ws_resubmitted" if isinstance(again, Resubmitted) else "utter_ws_materials_complete"

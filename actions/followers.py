"""Actions about the follower: the welcome, a scanned code, and what is stored of them."""

from collections.abc import Sequence

from actions.wording import text_of
from bot.dialogue.events import ActionContext, ActionTable, Event, Forget, Say, SetSlots
from bot.followers.consents import ConsentService
from bot.followers.models import ConsentPurpose
from bot.followers.privacy import BY_FOLLOWER, PrivacyService
from bot.followers.service import FollowerService
from bot.legal.service import LegalService
from bot.registrations.service import RegistrationService
from bot.values.problem import FieldValue

PROFILE = ("ws_parent_name", "ws_parent_mobile", "ws_parent_employer", "hs_mobile", "hs_employer")
"""The answers that are offered again in the next form, of all forms."""


class FollowerActions:
    """Greets followers and serves their rights over their data."""

    def __init__(
        self,
        followers: FollowerService,
        consents: ConsentService,
        registrations: RegistrationService,
        cases: LegalService,
        privacy: PrivacyService,
    ) -> None:
        self._followers = followers
        self._consents = consents
        self._registrations = registrations
        self._cases = cases
        self._privacy = privacy

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_welcome": self.welcome,
            "action_scanned": self.scanned,
            "action_my_data": self.my_data,
            "action_erase_me": self.erase_me,
            "action_prefill_wanted": self.prefill_wanted,
            "action_keep_profile": self.keep_profile,
        }

    async def welcome(self, context: ActionContext) -> Sequence[Event]:
        """Greet a new follower, or one who came back; the scene of the code they scanned is kept."""
        welcome = await self._followers.followed(context.openid, context.scene or "", context.idempotency_key)
        return [Say("utter_welcome_back" if welcome.returning else "utter_welcome")]

    async def scanned(self, context: ActionContext) -> Sequence[Event]:
        """Keep the scene of a code that a follower scanned, and offer the services."""
        await self._followers.followed(context.openid, context.scene or "", context.idempotency_key)
        return [Say("utter_menu")]

    async def my_data(self, context: ActionContext) -> Sequence[Event]:
        """Tell what is stored, or withdraw the consents in force."""
        match text_of(context.slots.get("data_wish")):
            case "show":
                return [await self._shown(context.openid)]
            case "withdraw":
                return await self._withdrawn(context.openid)
            case _:
                return []

    async def _shown(self, openid: str) -> Say:
        fields: dict[str, FieldValue] = {
            "registrations": len(await self._registrations.find_for(openid, limit=100)),
            "cases": len(await self._cases.cases_of(openid)),
            "consents": len(await self._consents.consents_of(openid)),
        }
        return Say("utter_data_shown", fields) if any(fields.values()) else Say("utter_data_nothing")

    async def _withdrawn(self, openid: str) -> Sequence[Event]:
        """Withdraw every consent; what was being filled in rests on them and ends with them."""
        count = 0
        for purpose in {*ConsentPurpose, *(consent.purpose for consent in await self._consents.consents_of(openid))}:
            count += await self._consents.withdraw(openid, purpose)
        if not count:
            return [Say("utter_data_nothing_withdrawn")]
        return [Forget(), Say("utter_data_withdrawn", {"count": count})]

    async def prefill_wanted(self, context: ActionContext) -> Sequence[Event]:
        """Keep the answers for next time where that was agreed to before; else say that it is still to be asked."""
        if await self._consents.has_consent(context.openid, ConsentPurpose.PREFILL):
            await self._save_profile(context)
            return [SetSlots({"prefill_open": False})]
        return [SetSlots({"prefill_open": context.slots.get("prefill_declined") is not True})]

    async def keep_profile(self, context: ActionContext) -> Sequence[Event]:
        """Record the agreement to what was asked, and keep the answers for the next form."""
        await self._consents.record_consent(
            context.openid,
            ConsentPurpose.PREFILL,
            text_version=text_of(context.slots.get("prefill_version")),
            text=text_of(context.slots.get("prefill_terms")),
            channel="chat",
            key=context.idempotency_key,
        )
        await self._save_profile(context)
        return []

    async def _save_profile(self, context: ActionContext) -> None:
        earlier = await self._followers.prefill(context.openid)
        filled = {name: text_of(context.slots.get(name)) for name in PROFILE if context.slots.get(name) is not None}
        known = dict(earlier.values) if earlier is not None else {}
        await self._followers.save_profile(context.openid, known | filled)

    async def erase_me(self, context: ActionContext) -> Sequence[Event]:
        """Erase the follower everywhere, the open forms and drafts of this conversation too.

        A second run for the same message finds nothing any more and says the same.
        """
        await self._privacy.erase(context.openid, requested_by=BY_FOLLOWER)
        return [Forget(), Say("utter_data_erased")]

"""Actions about messages the union sends by itself: opting out and in, opening reminders, confirmed visits."""

from collections.abc import Sequence

from bot.campaigns.automatic import AutomaticMessages
from bot.campaigns.opt_outs import OptOuts
from bot.dialogue.events import ActionContext, ActionTable, Event, Say
from bot.programmes.service import ProgrammeService


class CampaignActions:
    """Followers' own words about campaigns and reminders."""

    def __init__(self, opt_outs: OptOuts, automatic: AutomaticMessages, programmes: ProgrammeService) -> None:
        self._opt_outs = opt_outs
        self._automatic = automatic
        self._programmes = programmes

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_opt_out": self.opt_out,
            "action_opt_in": self.opt_in,
            "action_remind_of_opening": self.remind_of_opening,
            "action_confirm_visit": self.confirm_visit,
        }

    async def opt_out(self, context: ActionContext) -> Sequence[Event]:
        """Send this follower no more campaigns."""
        await self._opt_outs.opt_out(context.openid, source="chat")
        return [Say("utter_opted_out")]

    async def opt_in(self, context: ActionContext) -> Sequence[Event]:
        """Send this follower campaigns again."""
        had_opted_out = await self._opt_outs.opt_in(context.openid)
        return [Say("utter_opted_in" if had_opted_out else "utter_opted_in_already")]

    async def remind_of_opening(self, context: ActionContext) -> Sequence[Event]:
        """Note the wish for every published programme that has not opened yet."""
        awaited = [one for one in await self._programmes.published() if one.open_at > context.now]
        if not awaited:
            return [Say("utter_opening_nothing")]
        for programme in awaited:
            await self._opt_outs.remind_of_opening(context.openid, programme.id)
        return [Say("utter_opening_noted", {"titles": "、".join(one.title for one in awaited)})]

    async def confirm_visit(self, context: ActionContext) -> Sequence[Event]:
        """Note that the follower comes to the appointment they were reminded of."""
        is_known = await self._automatic.confirm(context.openid)
        return [Say("utter_visit_confirmed" if is_known else "utter_visit_unknown")]

"""The open dialogue's part of an export or erasure: what is being filled in, before it becomes a record."""

from datetime import UTC, datetime

from bot.dialogue.errors import StateUnreadable
from bot.followers.privacy import JsonValue
from bot.turns.conversation import dialogue_of
from bot.turns.store import TurnStore


class DialogueData:
    """Implements ``PersonalData`` for the dialogue in Redis: open forms and drafts.

    While a message is still to be finished the dialogue goes with its commit: until then the message may have to be
    worked on again, and the one that asks for the erasure is understood by the question before it only.
    """

    subject = "dialogue"

    def __init__(self, store: TurnStore) -> None:
        self._store = store

    async def export(self, openid: str) -> JsonValue:
        """Return the answers of the open form and of the drafts; raises RedisUnavailable."""
        try:
            state = dialogue_of(await self._store.stored_state(openid))
        except StateUnreadable:
            # It is of another release and will be begun anew with the next message.
            return {"answers": {}, "drafts": []}
        return {
            "answers": dict(state.slots),
            "drafts": [
                {
                    "flow": draft.flow,
                    "answers": dict(draft.slots),
                    "until": datetime.fromtimestamp(draft.until_s, UTC).isoformat(),
                }
                for draft in state.drafts
            ],
        }

    async def erase(self, openid: str) -> int:
        """Forget the dialogue, at once or with the message at work; raises RedisUnavailable."""
        return await self._store.forget(openid)

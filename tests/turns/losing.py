"""Answers that get lost between the two commits: what the turn wrote is in SQL, its answer never reaches Redis."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.storage.redis import RedisLink
from bot.turns.answers import Answer
from bot.turns.models import FollowerKeys
from bot.turns.service import Responder
from bot.wechat.models import Inbound

How = Literal["killed", "forgotten"]
"""``killed``: the process died, and Redis knows that the message was begun. ``forgotten``: Redis lost that too."""


def every_message(message: Inbound) -> bool:
    """Lose the first answer to whatever comes."""
    del message
    return True


@dataclass
class Losing:
    """Answers as ``inner`` does, but the first answer to each message that ``loses`` picks is lost."""

    inner: Responder
    link: RedisLink
    how: How = "killed"
    loses: Callable[[Inbound], bool] = every_message
    lost: dict[str, Answer] = field(default_factory=dict)

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        """Answer, and take the lock away under which the answer would be committed."""
        answer = await self.inner.respond(message, stored)
        if message.delivery_key not in self.lost and self.loses(message):
            self.lost[message.delivery_key] = answer
            keys = FollowerKeys.of(message.openid)
            await self.link.call("DEL", keys.lock)
            if self.how == "forgotten":
                await self.link.call("DEL", keys.delivery(message.delivery_key))
        return answer

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        """Leave that to ``inner``."""
        return self.inner.apologise(message, stored)

"""Showing a follower that an answer is being written, no oftener than the platform takes it."""

from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from bot.storage.redis import Commands, RedisUnavailable
from bot.turns.models import FollowerKeys
from bot.values.clock import Clock
from bot.wechat.errors import ApiCallFailed

log = structlog.get_logger(__name__)

IN_CONTACT: Final = timedelta(seconds=30)
"""The platform shows the sign only so long after the last message in either direction."""
SHOWN_MS: Final = 15_000
"""How long the sign stays; the platform refuses a second one before."""


class ShowsTyping(Protocol):
    """The platform, which shows followers that somebody writes."""

    async def typing(self, openid: str, on: bool) -> None:
        """Show the sign or hide it. Raises ApiCallFailed."""
        ...


class TypingSign:
    """One sign at a time for each follower, however many pages ask for it."""

    def __init__(self, api: ShowsTyping, commands: Commands, clock: Clock) -> None:
        self._api = api
        self._commands = commands
        self._clock = clock

    async def show(self, openid: str, last_contact_at: datetime) -> bool:
        """Show the sign if it would be seen; say whether the platform was asked.

        What the platform says to it does not matter to anybody: a sign that is not shown is no loss.
        """
        if self._clock.now() - last_contact_at > IN_CONTACT:
            return False
        try:
            fresh = await self._commands.call("SET", FollowerKeys.of(openid).typing, "1", "NX", "PX", SHOWN_MS)
            if fresh is None:
                return False
            await self._api.typing(openid, True)
        except (ApiCallFailed, RedisUnavailable) as error:
            log.info("no typing sign", error=error.code)
        return True

    async def over(self, openid: str) -> None:
        """Note that an answer is on its way, which ends the sign: the next one may be shown at once.

        Without Redis it stays noted for a while longer, and a sign is not shown.
        """
        try:
            await self._commands.call("DEL", FollowerKeys.of(openid).typing)
        except RedisUnavailable as error:
            log.info("typing sign not ended", error=error.code)

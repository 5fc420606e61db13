"""How fast campaigns may go: one pace for the account and one for each campaign, shared by all workers."""

from redis.asyncio import Redis

from bot.campaigns.models import SendChannel
from bot.campaigns.rules import MASS_CALLS_PER_MINUTE, SINGLES_PER_MINUTE_MAX

LONGEST_WAIT_S = 10.0
"""Who would have to wait longer gets no turn and comes again."""
_TTL_MS = 600_000
_MASS_MARGIN = 1.015
"""The platform counts arrivals within a minute; evenly spaced calls that travel unevenly need a little room."""

# Each key holds the moment, in microseconds of the server's clock, at which the next call is free. A turn is the
# later of the two; taking it moves both. A wait that is too long takes nothing.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local start = now
for _, key in ipairs(KEYS) do
    local free = tonumber(redis.call('GET', key) or '0')
    if free > start then start = free end
end
if start - now > tonumber(ARGV[1]) then return -1 end
for place, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', start + tonumber(ARGV[place + 2])), 'PX', ARGV[2])
end
return start - now
"""


class Pace:
    """Gives turns. Raises the errors of the Redis client when it is away: without it nothing is sent."""

    def __init__(self, redis: Redis, *, prefix: str = "{campaigns}") -> None:
        self._take = redis.register_script(_TAKE)
        self._prefix = prefix

    async def take(self, campaign_id: int, channel: SendChannel, per_minute: int, *, calls: int = 1) -> float | None:
        """Take the next turn for ``calls`` and return the seconds until it; ``None``: come again later."""
        kind = "mass" if channel.is_mass else "singles"
        fastest = MASS_CALLS_PER_MINUTE / _MASS_MARGIN if channel.is_mass else SINGLES_PER_MINUTE_MAX
        costs_us = [int(calls * 60_000_000 / min(rate, fastest)) for rate in (fastest, per_minute)]
        wait_us = await self._take(
            keys=[f"{self._prefix}pace:{kind}", f"{self._prefix}pace:{campaign_id}"],
            args=[int(LONGEST_WAIT_S * 1_000_000), _TTL_MS, *costs_us],
        )
        return None if wait_us < 0 else wait_us / 1_000_000

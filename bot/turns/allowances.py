"""How much a follower may still be sent, as the ledger of the turns has it."""

from bot.storage.redis import Commands
from bot.turns.models import FollowerKeys
from bot.values.clock import Clock
from bot.wechat.allowance import Allowance


class AllowanceLedger:
    """Reads the ledger; the turns and the relay write it."""

    def __init__(self, commands: Commands, clock: Clock) -> None:
        self._commands = commands
        self._clock = clock

    async def of(self, openid: str) -> Allowance | None:
        """Return what is left, None when nothing is or its time is over. Raises RedisUnavailable."""
        answer = await self._commands.call("HMGET", FollowerKeys.of(openid).allowance, "left", "until")
        assert isinstance(answer, list)
        left, until_ms = (int(part) if isinstance(part, bytes) else 0 for part in answer)
        now_ms = int(self._clock.now().timestamp() * 1000)
        return Allowance(left, until_ms) if left > 0 and until_ms > now_ms else None

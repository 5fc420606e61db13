"""``python -m bot privacy …``: what is kept about a follower, shown and erased."""

import json
import sys

from bot.app.assistant import open_personal_data
from bot.settings import Settings


async def export(settings: Settings, openid: str) -> int:
    """Print everything that is kept about a follower, as JSON."""
    async with open_personal_data(settings) as records:
        print(json.dumps(await records.privacy.export(openid), ensure_ascii=False, indent=1))
    _tell_of_dialogues(settings)
    return 0


async def erase(settings: Settings, openid: str) -> int:
    """Erase everything that is kept about a follower, and print how much that was."""
    async with open_personal_data(settings) as records:
        report = await records.privacy.erase(openid, requested_by="staff")
    print(f"Erased {report.total} rows.")
    _tell_of_dialogues(settings)
    return 0


def _tell_of_dialogues(settings: Settings) -> None:
    if not settings.redis_url:
        days = settings.state_ttl_s / 86_400
        print(
            f"An open dialogue is not among it: it is kept in Redis, which BOT_REDIS_URL does not name, and goes by "
            f"itself {days:.0f} days after the last message.",
            file=sys.stderr,
        )

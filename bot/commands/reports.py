"""The definitions of ``python -m bot reports …``; what they do is imported when it is asked for."""

import argparse
from datetime import date

from bot.commands.arguments import Commands, add, complete, group
from bot.settings import Settings


def add_commands(commands: Commands) -> None:
    """Add ``reports …``."""
    reports = group(commands, "reports", "the figures of the console")
    text = "count the turns and chats of these days again; days whose turns or chats are gone keep their counts"
    command = add(reports, "rebuild", _rebuild, text)
    command.add_argument("first", type=date.fromisoformat, help="the first day, such as 2026-06-01")
    command.add_argument("last", type=date.fromisoformat, nargs="?", help="the last day; default: today")


async def _rebuild(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app.records import open_records
    from bot.reports.chat_rollups import ChatRollups
    from bot.reports.models import Period
    from bot.reports.rollups import TurnRollups

    async with open_records(complete(settings)) as records:
        period = Period(options.first, options.last or records.clock.now().date())
        found = await TurnRollups(records.database, records.clock).rebuild(period)
        await ChatRollups(records.database, records.clock).rebuild(period)
    print(f"{max(0, period.days)} days looked at, {found} of them had messages.")
    return 0

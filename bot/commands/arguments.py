"""What the definitions of commands share."""

import argparse
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from bot.settings import Settings

if TYPE_CHECKING:
    # The class is generic only for the type checker.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = argparse._SubParsersAction

Handler = Callable[[Settings, argparse.Namespace], Coroutine[None, None, int]]
COMMAND_LINE = "command line"
"""Who did something, where nobody said."""


def add(commands: Commands, name: str, handler: Handler, text: str) -> argparse.ArgumentParser:
    """Add a command that ``handler`` runs; ``text`` is its help."""
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(handler=handler)
    return command


def group(commands: Commands, name: str, text: str) -> Commands:
    """Add a command that consists of others."""
    return commands.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="COMMAND")


def complete(settings: Settings) -> Settings:
    """Complete settings from what ``make run`` keeps, so that commands work beside it without any setting."""
    from bot import demo

    return demo.complete(settings)

"""The definitions of ``python -m bot knowledge …``; what they do is imported when it is asked for."""

import argparse
from pathlib import Path

from bot.commands.arguments import Commands, add, group
from bot.settings import Settings


def add_commands(commands: Commands) -> None:
    """Add ``knowledge …``."""
    knowledge = group(commands, "knowledge", "the questions and answers")
    text = "how often the right entry is found, by the seed; starts an NLU of its own if none serves"
    command = add(knowledge, "evaluate", _evaluate, text)
    command.add_argument("file", type=Path, nargs="?", help="YAML {code: [question, …]}; default: leave one out")
    command.add_argument("--without-nlu", action="store_true", help="by written form and sound alone")


async def _evaluate(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.knowledge_figures import evaluate_search

    return await evaluate_search(settings, options.file, without_nlu=options.without_nlu)

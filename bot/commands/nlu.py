"""The definitions of ``python -m bot train`` and ``nlu …``; what they do is imported when it is asked for."""

import argparse
import asyncio
from pathlib import Path

from bot.commands.arguments import COMMAND_LINE, Commands, add, complete, group
from bot.settings import Settings


def add_commands(commands: Commands) -> None:
    """Add ``train`` and ``nlu …``."""
    train = add(
        commands, "train", _train, "train the NLU, compare with the serving model, promote unless it is worse"
    )
    train.add_argument("--if-needed", action="store_true", help="only when no model matches the data")
    train.add_argument("--retrain", action="store_true", help="train even when a model matches the data")
    train.add_argument("--force-promote", metavar="REASON", help="promote whatever the comparison says")
    nlu = group(commands, "nlu", "the NLU")
    evaluate = add(nlu, "evaluate", _nlu_evaluate, "evaluate the model on a table (text, labels, source)")
    evaluate.add_argument("file", type=Path, help="tab-separated, labels divided by |")
    add(nlu, "models", _nlu_models, "list the trained models with their figures")
    promote = add(nlu, "promote", _nlu_promote, "let a model of the list serve")
    promote.add_argument("name", help="the model's name, or its beginning")
    promote.add_argument("--reason", required=True, help="is kept in the history")
    add(nlu, "rollback", _nlu_rollback, "let the model serve that served before")
    _review_commands(nlu)


def _review_commands(nlu: Commands) -> None:
    review = group(nlu, "review", "messages that were understood badly")
    show = add(review, "list", _review_list, "list them, newest first")
    show.add_argument("--status", choices=("open", "relabelled", "dismissed", "all"), default="open")
    show.add_argument("--reason", choices=("asked_back", "lost", "corrected", "alarm_by_model"))
    show.add_argument("--limit", type=int, default=50, help="at most 200")
    relabel = add(review, "relabel", _review_relabel, "say what a message meant")
    relabel.add_argument("item", type=int)
    relabel.add_argument("intent", nargs="?", help="default: the one that is suggested")
    relabel.add_argument("--wording", help="train on this text instead, for instance without a name")
    dismiss = add(review, "dismiss", _review_dismiss, "there is nothing to learn from a message")
    dismiss.add_argument("item", type=int)
    for command in (relabel, dismiss):
        command.add_argument("--as", dest="by", default=COMMAND_LINE, help="who decides")
    undo = add(review, "undo", _review_undo, "open a message again")
    undo.add_argument("item", type=int)
    export = add(review, "export", _review_export, "write the relabelled texts for the next training")
    export.add_argument("--to", type=Path, help="default: nlu/reviewed.yml in BOT_DATA_DIR, which training reads")


async def _train(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.training import train_in_thread

    return await train_in_thread(
        settings.data_dir,
        if_needed=options.if_needed,
        retrain=options.retrain,
        force_promote=options.force_promote,
    )


async def _nlu_evaluate(_settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.training import evaluate

    return await asyncio.to_thread(evaluate, options.file)


async def _nlu_models(_settings: Settings, _options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.commands import models

    return models.show(Console())


async def _nlu_promote(_settings: Settings, options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.commands import models
    from bot.values.clock import SystemClock

    return models.promote(Console(), options.name, options.reason, SystemClock())


async def _nlu_rollback(_settings: Settings, _options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.commands import models
    from bot.values.clock import SystemClock

    return models.roll_back(Console(), SystemClock())


async def _review_list(settings: Settings, options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.app.records import open_records
    from bot.commands import review
    from bot.understanding.review.models import Reason, Status

    status = None if options.status == "all" else Status(options.status)
    reason = Reason(options.reason) if options.reason else None
    async with open_records(complete(settings)) as records:
        return await review.show(Console(), records, status, reason, options.limit)


async def _review_relabel(settings: Settings, options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.app.records import open_records
    from bot.commands import review

    async with open_records(complete(settings)) as records:
        return await review.relabel(Console(), records, options.item, options.intent, options.by, options.wording)


async def _review_dismiss(settings: Settings, options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.app.records import open_records
    from bot.commands import review

    async with open_records(complete(settings)) as records:
        return await review.dismiss(Console(), records, options.item, options.by)


async def _review_undo(settings: Settings, options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.app.records import open_records
    from bot.commands import review

    async with open_records(complete(settings)) as records:
        return await review.undo(Console(), records, options.item)


async def _review_export(settings: Settings, options: argparse.Namespace) -> int:
    from rich.console import Console

    from bot.app.records import open_records
    from bot.commands import review

    async with open_records(complete(settings)) as records:
        return await review.export(Console(), records, options.to)

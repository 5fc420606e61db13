"""``python -m bot``: every command, with its help."""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

import structlog

from bot.settings import Settings, load_settings
from bot.values.errors import BotError

Handler = Callable[[Settings, argparse.Namespace], Coroutine[None, None, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; expected failures are one line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        _configure_logging(settings.log_level)
        handler: Handler = options.handler
        return _event_loop_run()(handler(settings, options))
    except BotError as error:
        details = ", ".join(f"{name}: {value}" for name, value in error.fields.items())
        print(f"{error.code}: {details}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _event_loop_run() -> Callable[[Coroutine[None, None, int]], int]:
    """Return uvloop's ``run`` where it is installed, else asyncio's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="The union's assistant on WeChat.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "run", _run, "start everything with demonstration data; Ctrl-C stops it")
    gateway = _add(commands, "gateway", _gateway, "serve the callback of the account")
    gateway.add_argument("--port", type=int, help="listen here instead of BOT_GATEWAY_PORT; 0 picks a free one")
    _add(commands, "worker", _worker, "send what is due, keep the log, publish the menu")
    _add(commands, "simulator", _simulator, "serve the simulated platform and its web chat (demonstration only)")
    _add(commands, "migrate", _migrate, "bring the database to the newest schema")
    _add(commands, "keys", _keys, "print a fresh value for BOT_FIELD_KEYS")
    train = _add(
        commands, "train", _train, "train the NLU, compare with the serving model, promote unless it is worse"
    )
    train.add_argument("--if-needed", action="store_true", help="only when no model matches the data")
    train.add_argument("--retrain", action="store_true", help="train even when a model matches the data")
    train.add_argument("--force-promote", metavar="REASON", help="promote whatever the comparison says")
    _flows_commands(commands)
    _nlu_commands(commands)
    _staff_commands(commands)
    _privacy_commands(commands)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, handler: Handler, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(handler=handler)
    return command


def _group(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    return commands.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="COMMAND")


def _flows_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    flows = _group(commands, "flows", "the conversations")
    _add(flows, "check", _flows_check, "list every fault of the flows as file: path: problem")


def _nlu_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    nlu = _group(commands, "nlu", "the NLU")
    evaluate = _add(nlu, "evaluate", _nlu_evaluate, "evaluate the model on a table (text, labels, source)")
    evaluate.add_argument("file", type=Path, help="tab-separated, labels divided by |")
    _add(nlu, "models", _nlu_models, "list the trained models with their figures")
    promote = _add(nlu, "promote", _nlu_promote, "let a model of the list serve")
    promote.add_argument("name", help="the model's name, or its beginning")
    promote.add_argument("--reason", required=True, help="is kept in the history")
    _add(nlu, "rollback", _nlu_rollback, "let the model serve that served before")


def _staff_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    staff = _group(commands, "staff", "accounts, and the chats that wait for people")
    add = _add(staff, "add", _staff_add, "create an account; asks for the password")
    add.add_argument("username")
    add.add_argument("--role", action="append", required=True, help="may be given several times")
    add.add_argument("--name", help="name that people see")
    add.add_argument("--county", help="county code, for roles that see one county")
    _add(staff, "list", _staff_list, "list the accounts")
    chats = _add(staff, "chats", _staff_chats, "list chats that wait or are open")
    chats.add_argument("--all", action="store_true", help="closed ones too")
    answer = _add(staff, "answer", _staff_answer, "answer a chat, claiming it")
    answer.add_argument("chat", type=int)
    answer.add_argument("text")
    answer.add_argument("--as", dest="agent", default="demo", help="username of the agent")
    close = _add(staff, "close", _staff_close, "close a chat; the bot answers again")
    close.add_argument("chat", type=int)
    close.add_argument("--reason", default="answered")
    close.add_argument("--as", dest="agent", default="demo", help="username of the agent")


def _privacy_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    privacy = _group(commands, "privacy", "what is stored of a follower")
    export = _add(privacy, "export", _privacy_export, "print everything that is stored of a follower, as JSON")
    export.add_argument("openid")
    erase = _add(privacy, "erase", _privacy_erase, "erase a follower everywhere")
    erase.add_argument("openid")
    erase.add_argument("--yes", action="store_true", help="do not ask")


async def _run(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.commands.run import run

    return await run(settings)


async def _gateway(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.processes import gateway

    await gateway(settings, port=options.port)
    return 0


async def _worker(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.commands.processes import worker

    await worker(settings)
    return 0


async def _simulator(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.commands.processes import simulator

    await simulator(settings)
    return 0


async def _migrate(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.storage.migrate import upgrade
    from bot.storage.sql import Database

    database = Database(settings.database_url)
    try:
        await upgrade(database)
    finally:
        await database.close()
    print("The database has the newest schema.")
    return 0


async def _keys(_settings: Settings, _options: argparse.Namespace) -> int:
    from bot.storage.encryption import FieldCipher

    print(f"BOT_FIELD_KEYS={FieldCipher.new_setting()}")
    return 0


async def _train(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.training import train_in_thread

    return await train_in_thread(
        settings.data_dir,
        if_needed=options.if_needed,
        retrain=options.retrain,
        force_promote=options.force_promote,
    )


async def _flows_check(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.commands.flows import check

    return check(settings)


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


async def _staff_add(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app import open_records
    from bot.commands import staff

    async with open_records(_local(settings)) as records:
        return await staff.add(records, options.username, options.role, options.name, options.county)


async def _staff_list(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.app import open_records
    from bot.commands import staff

    async with open_records(_local(settings)) as records:
        return await staff.accounts(records)


async def _staff_chats(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app import open_records
    from bot.commands import staff

    async with open_records(_local(settings)) as records:
        return await staff.chats(records, every=options.all)


async def _staff_answer(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app import open_records
    from bot.commands import staff

    async with open_records(_local(settings)) as records:
        return await staff.answer(records, options.chat, options.agent, options.text)


async def _staff_close(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app import open_records
    from bot.commands import staff

    async with open_records(_local(settings)) as records:
        return await staff.close(records, options.chat, options.agent, options.reason)


async def _privacy_export(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app import open_records

    async with open_records(_local(settings)) as records:
        print(json.dumps(await records.privacy.export(options.openid), ensure_ascii=False, indent=1))
    return 0


async def _privacy_erase(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app import open_records

    if not options.yes and await asyncio.to_thread(input, "Erase everything of this follower? Type yes: ") != "yes":
        print("Nothing was erased.")
        return 1
    async with open_records(_local(settings)) as records:
        report = await records.privacy.erase(options.openid, requested_by="staff")
    print(f"Erased {report.total} rows.")
    return 0


def _local(settings: Settings) -> Settings:
    """Complete settings from what ``make run`` keeps, so that commands work beside it without any setting."""
    from bot.demo import complete

    return complete(settings)


def _configure_logging(level: str) -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

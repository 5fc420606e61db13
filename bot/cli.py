"""``python -m bot``: every command, with its help."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence

import structlog

from bot.commands import campaign, knowledge, nlu, reports
from bot.commands.arguments import Commands, Handler, add, complete, group
from bot.settings import Settings, load_settings
from bot.values.errors import BotError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; expected failures are one line on standard error."""
    options = parser().parse_args(arguments)
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


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command; what it gives has the ``handler`` to run."""
    root = argparse.ArgumentParser(prog="python -m bot", description="The union's assistant on WeChat.")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    add(commands, "run", _run, "start everything with demonstration data; Ctrl-C stops it")
    gateway = add(commands, "gateway", _gateway, "serve the callback of the account")
    gateway.add_argument("--port", type=int, help="listen here instead of BOT_GATEWAY_PORT; 0 picks a free one")
    console = add(commands, "console", _console, "serve the staff console")
    console.add_argument("--port", type=int, help="listen here instead of BOT_CONSOLE_PORT; 0 picks a free one")
    add(commands, "worker", _worker, "send what is due, keep the log, publish the menu")
    add(commands, "simulator", _simulator, "serve the simulated platform and its web chat (demonstration only)")
    add(commands, "migrate", _migrate, "bring the database to the newest schema")
    add(commands, "keys", _keys, "print a fresh value for BOT_FIELD_KEYS")
    _flows_commands(commands)
    nlu.add_commands(commands)
    knowledge.add_commands(commands)
    reports.add_commands(commands)
    campaign.add_commands(commands)
    _staff_commands(commands)
    _privacy_commands(commands)
    return root


def _flows_commands(commands: Commands) -> None:
    flows = group(commands, "flows", "the conversations")
    add(flows, "check", _flows_check, "list every fault of the flows as file: path: problem")


def _staff_commands(commands: Commands) -> None:
    staff = group(commands, "staff", "accounts, and the chats that wait for people")
    account = add(staff, "add", _staff_add, "create an account; asks for the password")
    account.add_argument("username")
    account.add_argument("--role", action="append", required=True, help="may be given several times")
    account.add_argument("--name", help="name that people see")
    account.add_argument("--county", help="county code, for roles that see one county")
    add(staff, "list", _staff_list, "list the accounts")
    chats = add(staff, "chats", _staff_chats, "list chats that wait or are open")
    chats.add_argument("--all", action="store_true", help="closed ones too")
    answer = add(staff, "answer", _staff_answer, "answer a chat, claiming it")
    answer.add_argument("chat", type=int)
    answer.add_argument("text")
    answer.add_argument("--as", dest="agent", default="demo", help="username of the agent")
    close = add(staff, "close", _staff_close, "close a chat; the bot answers again")
    close.add_argument("chat", type=int)
    close.add_argument("--reason", default="answered")
    close.add_argument("--as", dest="agent", default="demo", help="username of the agent")


def _privacy_commands(commands: Commands) -> None:
    privacy = group(commands, "privacy", "what is stored of a follower")
    export = add(privacy, "export", _privacy_export, "print everything that is stored of a follower, as JSON")
    export.add_argument("openid")
    erase = add(privacy, "erase", _privacy_erase, "erase a follower everywhere")
    erase.add_argument("openid")
    erase.add_argument("--yes", action="store_true", help="do not ask")


async def _run(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.commands.run import run

    return await run(settings)


async def _gateway(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.processes import gateway

    await gateway(settings, port=options.port)
    return 0


async def _console(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.processes import console

    await console(settings, port=options.port)
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


async def _flows_check(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.commands.flows import check

    return check(settings)


async def _staff_add(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app.records import open_records
    from bot.commands import staff

    async with open_records(complete(settings)) as records:
        return await staff.add(records, options.username, options.role, options.name, options.county)


async def _staff_list(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.app.records import open_records
    from bot.commands import staff

    async with open_records(complete(settings)) as records:
        return await staff.accounts(records)


async def _staff_chats(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app.records import open_records
    from bot.commands import staff

    async with open_records(complete(settings)) as records:
        return await staff.chats(records, every=options.all)


async def _staff_answer(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app.records import open_records
    from bot.commands import staff

    async with open_records(complete(settings)) as records:
        return await staff.answer(records, options.chat, options.agent, options.text)


async def _staff_close(settings: Settings, options: argparse.Namespace) -> int:
    from bot.app.records import open_records
    from bot.commands import staff

    async with open_records(complete(settings)) as records:
        return await staff.close(records, options.chat, options.agent, options.reason)


async def _privacy_export(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands import privacy

    return await privacy.export(complete(settings), options.openid)


async def _privacy_erase(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands import privacy

    if not options.yes and await asyncio.to_thread(input, "Erase everything of this follower? Type yes: ") != "yes":
        print("Nothing was erased.")
        return 1
    return await privacy.erase(complete(settings), options.openid)


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

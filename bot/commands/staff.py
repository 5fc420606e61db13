"""``python -m bot staff …``: accounts, and the chats that wait for people."""

import getpass
import uuid
from typing import assert_never

from rich.console import Console
from rich.table import Table

from bot.app.records import Records
from bot.inbox.desk import ChatIsOver, Closed, Queued, TakenBy
from bot.inbox.models import ChatStatus
from bot.staff.service import Added, UsernameTaken
from bot.values.problem import Problem

COMMAND_LINE = "command line"


async def add(records: Records, username: str, roles: list[str], name: str | None, county: str | None) -> int:
    """Create an account; the password is asked for on the terminal."""
    password = getpass.getpass("Password: ")
    outcome = await records.staff.add(
        username,
        password,
        display_name=name or username,
        roles=roles,
        county=county,
        by=COMMAND_LINE,
        source=COMMAND_LINE,
    )
    console = Console()
    match outcome:
        case Added():
            console.print(f"Account {username} exists now, with the roles {', '.join(roles)}.")
            return 0
        case UsernameTaken():
            console.print(f"[red]The username {username} is taken; nothing was changed.[/red]")
        case Problem():
            console.print(f"[red]Not accepted: {outcome.code} {dict(outcome.fields)}[/red]")
        case _:
            assert_never(outcome)
    return 1


async def accounts(records: Records) -> int:
    """List the accounts."""
    table = Table("Username", "Name", "Roles", "County", "Active")
    for account in await records.staff.accounts():
        table.add_row(
            account.username,
            account.display_name,
            ", ".join(account.roles),
            account.county or "",
            "yes" if account.active else "no",
        )
    Console().print(table)
    return 0


async def chats(records: Records, *, every: bool) -> int:
    """List the chats that wait or are open, with what was said last."""
    table = Table("ID", "Status", "Topic", "Since", "Agent", "Last message")
    for chat in await records.desk.chats(limit=200):
        if chat.status is ChatStatus.CLOSED and not every:
            continue
        messages = await records.desk.conversation(chat.id)
        last = messages[-1].text if messages else await records.desk.summary(chat.id)
        opened = f"{chat.opened_at:%m-%d %H:%M}"
        table.add_row(str(chat.id), chat.status.value, chat.topic, opened, chat.claimed_by or "", last[:60])
    Console().print(table)
    return 0


async def answer(records: Records, chat_id: int, agent: str, text: str) -> int:
    """Queue an answer for the worker to send; claims the chat when nobody has it."""
    outcome = await records.desk.answer(chat_id, agent, text, f"cli:{uuid.uuid4().hex}")
    return _report(outcome, f"Queued for chat {chat_id}; the worker sends it.")


async def close(records: Records, chat_id: int, agent: str, reason: str) -> int:
    """Close a chat; the follower is asked how satisfied they are, and the bot answers again."""
    return _report(await records.desk.close(chat_id, agent, reason), f"Chat {chat_id} is closed.")


def _report(outcome: Queued | Closed | TakenBy | ChatIsOver, done: str) -> int:
    console = Console()
    match outcome:
        case Queued() | Closed():
            console.print(done)
            return 0
        case TakenBy():
            console.print(f"[red]The chat is {outcome.agent}'s; nothing was done.[/red]")
        case ChatIsOver():
            console.print("[red]The chat is closed already; nothing was done.[/red]")
        case _:
            assert_never(outcome)
    return 1

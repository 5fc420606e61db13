"""``python -m bot campaign …``: its commands and what they are given."""

import argparse
from pathlib import Path

from bot.commands.arguments import Commands, Handler, add, group
from bot.settings import Settings

CHANNELS = ("mass_list", "mass_tag", "mass_all", "template", "subscribe", "customer", "publish", "publish_send")
READ, EDIT, APPROVE, SEND = (f"campaigns:campaign:{step}" for step in ("read", "edit", "approve", "send"))
_STEPS = (
    ("audience", "", "count the audience and show a masked sample"),
    ("plan", "", "say who would be reached by what, without sending: the dry run"),
    ("show", "", "print what it says"),
    ("check", EDIT, "check content and audience; without problems it waits for approval"),
    ("approve", APPROVE, "approve as a second person"),
    ("send", SEND, "send an approved campaign; a worker does it"),
    ("publish", SEND, "publish an approved campaign's articles; a worker does it"),
    ("pause", SEND, "stop sending"),
    ("resume", SEND, "go on"),
    ("cancel", SEND, "end for good; what was sent stays sent"),
    ("retry", SEND, "send again to those who failed"),
    ("status", "", "show how far it is"),
    ("results", "", "show what came of it"),
)


def add_commands(commands: Commands) -> None:
    """Add ``campaign`` and its commands."""
    campaign = group(commands, "campaign", "broadcast campaigns")
    new = _add(campaign, "create", EDIT, "store a draft and print its number")
    new.add_argument("title")
    new.add_argument("--channel", choices=CHANNELS, default=CHANNELS[0])
    new.add_argument("--text", default="", help="what it says")
    new.add_argument("--content", type=Path, help="JSON file with any other content")
    new.add_argument("--audience", help="JSON of the audience; without it everybody")
    new.add_argument("--programme", help="id of the programme whose registrations count as its results")
    new.add_argument("--purpose", default="", help="consent that is needed, such as campaigns")
    new.add_argument("--per-minute", type=int, default=60, help="calls a minute")
    _add(campaign, "list", "", "list campaigns, newest first")
    for name, permission, text in _STEPS:
        one = _add(campaign, name, permission, text)
        one.add_argument("campaign", type=int, help="its number")
        if name in ("approve", "send", "publish"):
            one.add_argument(
                "--count", type=int, help="how many people, or articles, typed to confirm; else it is asked for"
            )
        if name == "pause":
            one.add_argument("--reason", default="手动暂停")
        if name == "status":
            one.add_argument("--follow", action="store_true", help="stay until it is over")

    _add_calls(campaign)


def _add_calls(campaign: Commands) -> None:
    """Add what speaks with the platform or writes a file."""
    preview = _add(campaign, "preview", EDIT, "send it to testers: those named, else all on the list", _call)
    preview.add_argument("campaign", type=int, help="its number")
    preview.add_argument("--to", action="append", metavar="OPENID", help="a tester; may be given several times")
    delete = _add(campaign, "delete", SEND, "delete the articles of what was sent, where the platform can", _call)
    delete.add_argument("campaign", type=int, help="its number")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    withdraw = _add(campaign, "withdraw", SEND, "delete published articles for good", _call)
    withdraw.add_argument("campaign", type=int, help="its number")
    withdraw.add_argument("--yes", action="store_true", help="do not ask")
    settle = _add(campaign, "settle", SEND, "say what became of a publication where the answer was lost", _call)
    settle.add_argument("campaign", type=int, help="its number")
    found = settle.add_mutually_exclusive_group()
    found.add_argument("--article", metavar="ID", help="it is published under this id")
    found.add_argument("--not-published", action="store_true", help="it is not published")
    export = _add(campaign, "export", READ, "write its results as an Excel workbook, recipients masked", _call)
    export.add_argument("campaign", type=int, help="its number")
    export.add_argument("file", type=Path, help="such as results.xlsx")
    _add(campaign, "tags", EDIT, "list the platform's tags", _call)
    pull = _add(campaign, "pull-tag", EDIT, "read who has a tag, which a mass send by tag needs", _call)
    pull.add_argument("tag", type=int, help="its number at the platform")
    put = _add(campaign, "put-tag", EDIT, "put a tag on a campaign's audience, fifty followers a call", _call)
    put.add_argument("campaign", type=int, help="the campaign's number")
    put.add_argument("name", help="the tag's name; it is made where there is none")


def _add(
    commands: Commands, name: str, permission: str, text: str, handler: Handler | None = None
) -> argparse.ArgumentParser:
    command = add(commands, name, handler or _run, text)
    command.set_defaults(step=name, permission=permission)
    if permission:
        command.add_argument("--as", dest="by", required=True, help="username of the account that does it")
    return command


async def _run(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.campaign_steps import run

    return await run(settings, options)


async def _call(settings: Settings, options: argparse.Namespace) -> int:
    from bot.commands.campaign_calls import run

    return await run(settings, options)

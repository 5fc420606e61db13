"""What ``python -m bot campaign …`` does at the platform and on disk: previews, deletions, tags, the workbook."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.app.assistant import Bot, open_bot
from bot.app.campaigns import campaign_calls_of, campaign_results_of, platform_tags_of, publication_calls_of
from bot.campaigns.errors import CampaignError
from bot.campaigns.export import write_workbook
from bot.campaigns.texts import text_of
from bot.commands.arguments import complete
from bot.settings import Settings
from bot.staff.models import AuditRecord
from bot.wechat.errors import ApiCallFailed

SOURCE = "cli"

Step = Callable[[Bot, argparse.Namespace], Coroutine[Any, Any, int]]
Told = Callable[[int, int], Coroutine[Any, Any, None]]


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Do the step that the options name; what is not accepted is a sentence on standard error."""
    async with open_bot(complete(settings)) as bot:
        try:
            account = await bot.records.staff.get(options.by)
            bot.records.permissions.require(account.roles, options.permission)
            return await STEPS[options.step](bot, options)
        except CampaignError as error:
            Console(stderr=True).print(f"[red]{text_of(error.code, error.fields)}[/red]")
        except ApiCallFailed as error:
            Console(stderr=True).print(f"[red]The platform did not take it: {error.code}[/red]")
        return 1


async def preview(bot: Bot, options: argparse.Namespace) -> int:
    """Send the message to testers: those named, else all on the list."""
    openids = options.to or [one.openid for one in await bot.records.campaigns.testers.all()]
    if not openids:
        Console(stderr=True).print("[red]Nobody is on the list of testers; name one with --to OPENID.[/red]")
        return 1
    found = await campaign_calls_of(bot).preview(options.campaign, openids, by=options.by, source=SOURCE)
    Console().print(f"{found.sent} got the preview.")
    for code in found.refused:
        Console().print(f"[yellow]not sent: {code}[/yellow]")
    return 1 if found.refused else 0


async def _is_meant(options: argparse.Namespace, step: str) -> bool:
    """Ask for the campaign's number, unless --yes was given."""
    if options.yes:
        return True
    typed = await asyncio.to_thread(input, f"Type the number of the campaign to {step} it: ")
    return typed.strip() == str(options.campaign)


async def delete(bot: Bot, options: argparse.Namespace) -> int:
    """Take back the articles of what was sent."""
    if not await _is_meant(options, "delete"):
        Console(stderr=True).print("[red]Nothing is deleted.[/red]")
        return 1
    count = await campaign_calls_of(bot).take_back(options.campaign, by=options.by, source=SOURCE)
    Console().print(f"{count} sends are deleted; the cards stay in the chats, what they lead to is gone.")
    return 0


async def withdraw(bot: Bot, options: argparse.Namespace) -> int:
    """Delete what was published."""
    if not await _is_meant(options, "withdraw"):
        Console(stderr=True).print("[red]Nothing is withdrawn.[/red]")
        return 1
    count = await publication_calls_of(bot).withdraw(options.campaign, by=options.by, source=SOURCE)
    Console().print(f"Articles deleted for good: {count}. Links to them lead nowhere.")
    return 0


async def settle(bot: Bot, options: argparse.Namespace) -> int:
    """Say what became of a publication; without an answer show what it may be."""
    calls = publication_calls_of(bot)
    if options.article or options.not_published:
        await calls.settle(options.campaign, options.article, by=options.by, source=SOURCE)
        Console().print(f"Noted for campaign {options.campaign}.")
        return 0
    doubt = await calls.doubt(options.campaign)
    table = Table("Article", "Titles", "Published", "Like ours")
    for one in doubt.candidates:
        at = f"{one.at:%Y-%m-%d %H:%M}" if one.at else ""
        table.add_row(one.article_id, "、".join(one.titles), at, "yes" if one.fits else "")
    Console().print(table)
    for moment, status in doubt.refusals:
        Console().print(f"[yellow]{moment:%Y-%m-%d %H:%M} a publication was refused: {status.name.lower()}[/yellow]")
    Console().print("Say which with --article ID, or --not-published.")
    return 1


async def export(bot: Bot, options: argparse.Namespace) -> int:
    """Write the results as a workbook; recipients are masked."""
    records = bot.records
    results = campaign_results_of(records)
    mark = f"{options.by} {records.clock.now():%Y-%m-%d %H:%M}"
    async with _bar("rows") as told:
        rows = await write_workbook(results, options.campaign, options.file, mark, told)
    await records.audit.record(
        AuditRecord(
            options.by,
            "campaigns:campaign:export",
            "campaign",
            str(options.campaign),
            reason=str(rows),
            source=SOURCE,
        )
    )
    Console().print(f"{rows} recipients are in {options.file}.")
    return 0


async def tags(bot: Bot, options: argparse.Namespace) -> int:
    """List the platform's tags."""
    table = Table("No.", "Name", "Followers", "Read")
    for one in await platform_tags_of(bot).refresh(by=options.by, source=SOURCE):
        read = f"{one.pulled_at:%Y-%m-%d %H:%M}" if one.pulled_at else ""
        table.add_row(str(one.id), one.name, str(one.followers), read)
    Console().print(table)
    return 0


async def pull_tag(bot: Bot, options: argparse.Namespace) -> int:
    """Read who has a tag, so that a campaign by this tag knows its people."""
    await platform_tags_of(bot).refresh(by=options.by, source=SOURCE)
    count = await platform_tags_of(bot).pull(options.tag, by=options.by, source=SOURCE)
    Console().print(f"{count} followers have tag {options.tag}.")
    return 0


async def put_tag(bot: Bot, options: argparse.Namespace) -> int:
    """Put a tag on the audience of a campaign."""
    view = await bot.records.campaigns.service.get(options.campaign)
    async with _bar("followers") as told:
        made = await platform_tags_of(bot).put_on(
            options.name, view.audience, by=options.by, progress=told, source=SOURCE
        )
    Console().print(f"{made.followers} followers have tag {made.id} ({made.name}).")
    return 0


@asynccontextmanager
async def _bar(what: str) -> AsyncIterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)

        async def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


STEPS: Mapping[str, Step] = {
    "preview": preview,
    "delete": delete,
    "withdraw": withdraw,
    "settle": settle,
    "export": export,
    "tags": tags,
    "pull-tag": pull_tag,
    "put-tag": put_tag,
}

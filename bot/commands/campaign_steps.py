"""What ``python -m bot campaign …`` does: the same steps as in the console, from the shell."""

import argparse
import asyncio
import json
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.app.campaigns import campaign_results_of
from bot.app.records import Records, open_records
from bot.campaigns import audience as audiences
from bot.campaigns import content as contents
from bot.campaigns.audience import Everyone
from bot.campaigns.content import Text
from bot.campaigns.drafts import CampaignDraft, check_draft, draft_of
from bot.campaigns.errors import CampaignError, NotAPublication
from bot.campaigns.export import OUTCOME_LABELS, REASON_LABELS
from bot.campaigns.models import CampaignState, SendChannel
from bot.campaigns.planning import Plan
from bot.campaigns.publication_rows import PublicationView
from bot.campaigns.texts import text_of
from bot.campaigns.views import CampaignView
from bot.commands.arguments import complete
from bot.settings import Settings

SOURCE = "cli"
POLL_S = 1.0

Step = Callable[[Records, argparse.Namespace], Coroutine[Any, Any, int]]


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Do the step that the options name; what is not accepted is a sentence on standard error."""
    async with open_records(complete(settings)) as records:
        try:
            if options.permission:
                account = await records.staff.get(options.by)
                records.permissions.require(account.roles, options.permission)
            return await STEPS[options.step](records, options)
        except CampaignError as error:
            Console(stderr=True).print(f"[red]{text_of(error.code, error.fields)}[/red]")
            return 1


async def create(records: Records, options: argparse.Namespace) -> int:
    """Store a draft and print its number."""
    if options.content is not None:
        content = contents.from_json(json.loads(await asyncio.to_thread(options.content.read_text, "utf-8")))
    else:
        content = Text(options.text or "")
    draft = CampaignDraft(
        title=options.title,
        channel=SendChannel(options.channel),
        content=content,
        audience=audiences.from_json(json.loads(options.audience)) if options.audience else Everyone(),
        programme_id=options.programme,
        purpose=options.purpose,
        per_minute=options.per_minute,
    )
    view = await records.campaigns.service.create(draft, by=options.by, key=f"cli:{uuid.uuid4().hex}", source=SOURCE)
    console = Console()
    console.print(f"{view.id}")
    for problem in check_draft(draft):
        console.print(f"[yellow]{text_of(problem.code, problem.fields)}[/yellow]")
    return 0


async def list_all(records: Records, _options: argparse.Namespace) -> int:
    """List the newest campaigns."""
    table = Table("No.", "Title", "Channel", "State", "People", "Done")
    page = await records.campaigns.lists.page(limit=50)
    for one in page.campaigns:
        progress = page.progress[one.id]
        state = f"{one.state.value} ({one.pause_reason})" if one.pause_reason else one.state.value
        table.add_row(str(one.id), one.title, one.channel.value, state, str(one.total), f"{progress.percent} %")
    Console().print(table)
    return 0


async def audience(records: Records, options: argparse.Namespace) -> int:
    """Count the audience and show some of it, masked."""
    found = await records.campaigns.service.plan(options.campaign)
    console, table = Console(), Table("Follower", "County", "Category", "Last seen")
    console.print(f"{found.matched} match, {found.reachable} can be reached.")
    for row in await records.campaigns.service.sample(options.campaign):
        table.add_row(row.openid_masked, row.county or "", row.category or "", f"{row.last_seen_at:%Y-%m-%d}")
    console.print(table)
    return 0


async def plan(records: Records, options: argparse.Namespace) -> int:
    """The dry run."""
    _show_plan(await records.campaigns.service.plan(options.campaign))
    return 0


async def show(records: Records, options: argparse.Namespace) -> int:
    """Print the content."""
    view = await records.campaigns.service.get(options.campaign)
    Console().print_json(json.dumps(contents.to_json(view.content), ensure_ascii=False))
    return 0


async def check(records: Records, options: argparse.Namespace) -> int:
    """Check; with problems it stays a draft."""
    service = records.campaigns.service
    view = await service.get(options.campaign)
    checked = await service.check(options.campaign, by=options.by, version=view.version, source=SOURCE)
    _show_plan(checked.plan)
    for problem in check_draft(draft_of(view)):
        Console().print(f"[red]{text_of(problem.code, problem.fields)}[/red]")
    return 1 if checked.problems else 0


async def approve(records: Records, options: argparse.Namespace) -> int:
    """Approve as a second person."""
    service = records.campaigns.service
    view = await service.get(options.campaign)
    confirmed = await _count(options, view)
    await service.approve(view.id, by=options.by, version=view.version, confirmed=confirmed, source=SOURCE)
    Console().print(f"Campaign {view.id} is approved.")
    return 0


async def send(records: Records, options: argparse.Namespace) -> int:
    """Let the worker send."""
    service = records.campaigns.service
    view = await service.get(options.campaign)
    confirmed = await _count(options, view)
    await service.send(view.id, by=options.by, version=view.version, confirmed=confirmed, source=SOURCE)
    Console().print(f"Campaign {view.id} goes out; `campaign status {view.id} --follow` shows how far it is.")
    return 0


async def publish(records: Records, options: argparse.Namespace) -> int:
    """Let the worker publish."""
    service = records.campaigns.service
    view = await service.get(options.campaign)
    if not view.channel.publishes:
        raise NotAPublication(channel=view.channel.value)
    confirmed = await _count(options, view)
    await service.send(view.id, by=options.by, version=view.version, confirmed=confirmed, source=SOURCE)
    Console().print(f"Campaign {view.id} is being published; `campaign status {view.id}` shows how far it is.")
    return 0


async def pause(records: Records, options: argparse.Namespace) -> int:
    """Stop sending."""
    await records.campaigns.service.pause(options.campaign, by=options.by, reason=options.reason, source=SOURCE)
    return await status(records, options)


async def resume(records: Records, options: argparse.Namespace) -> int:
    """Go on."""
    await records.campaigns.service.resume(options.campaign, by=options.by, source=SOURCE)
    return await status(records, options)


async def cancel(records: Records, options: argparse.Namespace) -> int:
    """End for good."""
    await records.campaigns.service.cancel(options.campaign, by=options.by, source=SOURCE)
    return await status(records, options)


async def retry(records: Records, options: argparse.Namespace) -> int:
    """Send again to those who failed."""
    await records.campaigns.service.retry_failed(options.campaign, by=options.by, source=SOURCE)
    return await status(records, options)


async def status(records: Records, options: argparse.Namespace) -> int:
    """Show how far a campaign is, once or until it is over."""
    lists, follows = records.campaigns.lists, getattr(options, "follow", False)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), disable=not follows) as bar:
        task = bar.add_task("", total=None)
        while True:
            progress = await lists.progress(options.campaign)
            bar.update(task, description=progress.state.value, total=progress.total, completed=progress.done)
            if not follows or progress.state.is_over or progress.state is CampaignState.PAUSED:
                break
            await asyncio.sleep(POLL_S)
    table = Table("State", progress.state.value, show_header=True)
    for outcome, count in progress.counts.items():
        table.add_row(OUTCOME_LABELS[outcome], str(count))
    if progress.per_minute is not None:
        table.add_row("per minute", f"{progress.per_minute:.0f}")
    if progress.left is not None:
        table.add_row("time left", str(progress.left).partition(".")[0])
    Console().print(table)
    publication = await records.campaigns.publications.view(options.campaign)
    if publication is not None:
        _show_publication(publication)
    return 0


async def results(records: Records, options: argparse.Namespace) -> int:
    """Show what came of a campaign."""
    found = await campaign_results_of(records).of(options.campaign)
    table = Table("", "People")
    for outcome, count in found.progress.counts.items():
        table.add_row(OUTCOME_LABELS[outcome], str(count))
    for code, count in found.failed.items():
        table.add_row(f"失败代码 {code or '无'}", str(count))
    for reason, count in found.skipped.items():
        table.add_row(REASON_LABELS.get(reason, reason), str(count))
    for name, count in (("回复", found.replied), ("报名", found.registered), ("退订", found.opted_out)):
        table.add_row(name, str(count))
    Console().print(table)
    return 0


async def _count(options: argparse.Namespace, view: CampaignView) -> int:
    if options.count is not None:
        return int(options.count)
    asked = "How many people does it reach? " if view.channel.notifies else "How many articles does it publish? "
    typed = await asyncio.to_thread(input, asked)
    return int(typed) if typed.strip().isdecimal() else -1


def _show_publication(found: PublicationView) -> None:
    console, table = Console(), Table("Publication", found.state.value)
    for name, moment in (
        ("submitted", found.submitted_at),
        ("published", found.published_at),
        ("ended", found.ended_at),
    ):
        if moment is not None:
            table.add_row(name, f"{moment:%Y-%m-%d %H:%M}")
    if found.article_id is not None:
        table.add_row("article", found.article_id)
    if found.failed:
        table.add_row("refused", "、".join(f"第{place}篇" for place in found.failed))
    if found.code is not None:
        table.add_row("code", str(found.code))
    console.print(table)
    for url in found.urls:
        console.print(url, soft_wrap=True)
    if found.reason is not None:
        console.print(f"[yellow]{text_of(f'publication.{found.reason}', {})}[/yellow]")


def _show_plan(found: Plan) -> None:
    console, table = Console(), Table("", "People")
    table.add_row("can be reached", str(found.reachable) if found.channel.notifies else "nobody is notified")
    for reason, count in found.skipped.items():
        table.add_row(REASON_LABELS.get(reason, reason), str(count))
    for channel, count in found.by_channel.items():
        table.add_row(f"by {channel.value}", str(count))
    for left, count in found.quota_after.items():
        table.add_row(f"{left} left this month", str(count))
    console.print(table)
    console.print(f"{found.calls} calls, at least {str(found.takes).partition('.')[0]}")
    for problem in found.problems:
        console.print(f"[red]{text_of(problem.code, problem.fields)}[/red]")
    for note in found.notes:
        console.print(f"[yellow]{text_of(note.code, note.fields)}[/yellow]")


STEPS: Mapping[str, Step] = {
    "create": create,
    "list": list_all,
    "audience": audience,
    "plan": plan,
    "show": show,
    "check": check,
    "approve": approve,
    "send": send,
    "publish": publish,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "retry": retry,
    "status": status,
    "results": results,
}

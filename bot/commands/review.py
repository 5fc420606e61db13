"""``python -m bot nlu review …``: messages that were understood badly, relabelled for the next training."""

from pathlib import Path
from typing import assert_never

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.app.records import Records
from bot.understanding.review.export import Exported, Exporter
from bot.understanding.review.models import Decided, DecidedBefore, Filter, Reason, ReviewItem, Status
from bot.understanding.review.service import suggestions
from nlu.fingerprint import ROOT, reviewed_in


async def show(console: Console, records: Records, status: Status | None, reason: Reason | None, limit: int) -> int:
    """List the rows, newest first, with the line that would be trained on."""
    page = await records.reviews.page(Filter(status=status, reason=reason), limit=limit)
    table = Table("ID", "When", "Why", "Line", "Guessed", "Suggested", "Status")
    for item in page.items:
        table.add_row(
            str(item.id),
            f"{item.at:%m-%d %H:%M}",
            item.reason.value if item.outcome is None else f"{item.reason.value}, {item.outcome.value}",
            escape(item.line),
            ", ".join(f"{guess.intent} {guess.confidence:.2f}" for guess in item.guesses[:2]),
            (suggestions(item) or ("",))[0],
            item.status.value if item.label is None else f"{item.label} by {item.decided_by}",
        )
    console.print(table)
    console.print(f"{len(page.items)} of {page.total}")
    return 0


async def relabel(
    console: Console, records: Records, item: int, label: str | None, by: str, wording: str | None
) -> int:
    """Give a row its intent, the suggested one when none is named. Raises NoSuchItem, NoSuchIntent."""
    if label is None:
        label = (await records.reviews.get(item)).suggested
    if label is None:
        console.print(f"[red]Nothing is suggested for row {item}; name the intent.[/red]")
        return 1
    return _report(console, await records.reviews.relabel(item, label, by, wording=wording))


async def dismiss(console: Console, records: Records, item: int, by: str) -> int:
    """Say that there is nothing to learn from a row. Raises NoSuchItem."""
    return _report(console, await records.reviews.dismiss(item, by))


async def undo(console: Console, records: Records, item: int) -> int:
    """Open a row again. Raises NoSuchItem."""
    _say(console, await records.reviews.undo(item))
    return 0


async def export(console: Console, records: Records, file: Path | None) -> int:
    """Write the relabelled texts where training reads them, or to ``file``; return 1 when a row was left out."""
    target = file or reviewed_in(records.settings.data_dir)
    done = await Exporter(records.reviews, ROOT / "nlu", target).export()
    console.print(f"{done.file}: {done.lines} lines, {done.added} new, {done.removed} gone")
    for one in done.left_out:
        console.print(f"row {one.item} is left out: {one.why} {one.detail}".rstrip())
    return int(_needs_people(done))


def _needs_people(done: Exported) -> bool:
    return any(one.why != "known" for one in done.left_out)


def _report(console: Console, outcome: Decided | DecidedBefore) -> int:
    match outcome:
        case Decided():
            _say(console, outcome.item)
            return 0
        case DecidedBefore():
            item = outcome.item
            console.print(
                f"[red]Row {item.id} is {item.status.value} by {item.decided_by} already; undo that first.[/red]"
            )
            return 1
        case _:
            assert_never(outcome)


def _say(console: Console, item: ReviewItem) -> None:
    label = f" as {item.label}" if item.label else ""
    console.print(f"Row {item.id} is {item.status.value}{label}: {escape(item.line)}")

"""The trail as a table to download: what was searched for, as Excel or CSV, by a task."""

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, Literal, assert_never

import xlsxwriter

from bot.staff.audit import AuditWriter
from bot.staff.errors import TooManyRows
from bot.staff.models import AuditRecord, AuditView
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.staff.trail import TrailFilter, TrailSearch
from bot.storage.files import MadeType, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock

TRAIL_EXPORT: Final = "staff.trail.export"
Format = Literal["xlsx", "csv"]
MAX_ROWS = 100_000
"""About fifteen megabytes; more is asked for in parts, by dates."""
HEAD = ("序号", "时间", "谁", "做了什么", "对象", "对象编号", "事由", "来自")
WIDTHS = (9, 20, 18, 34, 20, 24, 40, 18)
BOM = "\ufeff"
"""Excel takes a CSV without it for another encoding."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class TrailExport:
    """Writes the rows that fit a search into a file. That it was done is in the trail itself, with the search."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        search: TrailSearch,
        files: PrivateFiles,
        *,
        trail: AuditWriter,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._search = search
        self._files = files
        self._trail = trail
        self._max_rows = max_rows

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Write the file; parameters are those of ``TrailFilter`` and ``format``. Raises TooManyRows."""
        wanted = TrailFilter.from_params(task.params)
        form: Format = "csv" if task.params.get("format") == "csv" else "xlsx"
        events = await self._collected(task, wanted)
        mark = f"{task.owner} {self._clock.now():%Y-%m-%d %H:%M} 导出，仅供内部审计使用"
        data = await asyncio.to_thread(_written, form, [_cells(event) for event in events], mark)
        stored = await self._files.save_made(data, _media_type(form), owner=task.owner, purpose=task.kind)
        async with self._database.transaction() as session:
            await task.verify(session)
            reason = "、".join(f"{name}={value}" for name, value in wanted.as_params().items())
            record = AuditRecord(
                task.owner, "staff:trail:export", "staff_task", str(task.id), f"{len(events)} 条;{reason}"
            )
            await self._trail.append(session, record)
        name = f"审计日志-{self._clock.now():%Y%m%d-%H%M}.{form}"
        return TaskResult({"rows": len(events)}, file_id=stored.id, file_name=name)

    async def _collected(self, task: RunningTask, wanted: TrailFilter) -> list[AuditView]:
        span, looked_at = await self._search.span(wanted), 0
        newest: int | None = None
        events: list[AuditView] = []
        async for piece in self._search.stream(wanted):
            events += piece
            if len(events) > self._max_rows:
                raise TooManyRows(max_rows=self._max_rows)
            if piece:
                newest = piece[0].position if newest is None else newest
                looked_at = newest - piece[-1].position + 1
            await task.progress(min(looked_at, span), max(span, 1))
        return events


def _cells(event: AuditView) -> tuple[str, ...]:
    record = event.record
    return (
        str(event.position),
        f"{event.at:%Y-%m-%d %H:%M:%S}",
        record.actor,
        record.action,
        record.object_kind,
        record.object_id,
        record.reason,
        record.source,
    )


def _written(form: Format, rows: Sequence[tuple[str, ...]], mark: str) -> bytes:
    match form:
        case "csv":
            return _as_csv(rows, mark)
        case "xlsx":
            return _as_workbook(rows, mark)
        case _:
            assert_never(form)


def _as_csv(rows: Iterable[tuple[str, ...]], mark: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    writer.writerow([mark])
    return (BOM + text.getvalue()).encode()


def _as_workbook(rows: Iterable[tuple[str, ...]], mark: str) -> bytes:
    data = io.BytesIO()
    book = xlsxwriter.Workbook(
        data, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet, bold = book.add_worksheet("审计日志"), book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_footer(f"&L{mark.replace('&', '&&')}&R&P/&N")
    for column, (title, width) in enumerate(zip(HEAD, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    last = 0
    for last, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            sheet.write_string(last, column, cell)
    sheet.write_string(last + 1, 0, mark)
    book.close()
    return data.getvalue()


def _harmless(cell: str) -> str:
    # A table program takes such a text for a formula; people typed these reasons, and not all people mean well.
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _media_type(form: Format) -> MadeType:
    return "text/csv" if form == "csv" else "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

"""Writing a list of registrations into a workbook in the background, a batch at a time.

Rows go through in batches and the workbook is written to a private scratch folder, so that memory does not grow with
the list. The finished file is sealed, belongs to who asked for it, and is deleted after a week (``TaskBook``).
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from bot.programmes.snapshots import JsonValue
from bot.registrations.errors import ExportTooLarge, NothingToExport
from bot.registrations.export_columns import CellWriter, ExportColumn, columns_of
from bot.registrations.filters import Filter, as_json, from_json
from bot.registrations.listing import RegistrationList
from bot.registrations.searching import Search, SearchKey
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock

KIND = "registrations_export"
EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_MAX = 200_000
BATCH_ROWS = 500
_HEAD_ROW = 1
_WIDTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """What to export. ``open_`` puts personal values in plain, for ``reason``; ``key`` narrows to a search."""

    wanted: Filter
    columns: Sequence[str]
    open_: bool = False
    reason: str = ""
    key: SearchKey | None = None
    source: str = ""

    def params(self, search: Search) -> Mapping[str, JsonValue]:
        """Return it as the parameters of a task."""
        return {
            "filter": as_json(self.wanted),
            "columns": list(self.columns),
            "open": self.open_,
            "reason": self.reason,
            "search": "" if self.key is None else search.token(self.key),
            "source": self.source,
        }


class ExportTask:
    """Implements ``TaskHandler``. After a crash it begins anew: nothing but the finished file counts."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        listing: RegistrationList,
        search: Search,
        writer: CellWriter,
        files: PrivateFiles,
        audit: AuditWriter,
        scratch: Path,
        rows_max: int = ROWS_MAX,
    ) -> None:
        self._database = database
        self._clock = clock
        self._listing = listing
        self._search = search
        self._writer = writer
        self._files = files
        self._audit = audit
        self._scratch = scratch
        self._rows_max = rows_max

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Write the file. Raises NothingToExport, ExportTooLarge, SealBroken."""
        order = self._order(task)
        chosen = [column for column in columns_of(self._writer.sheet) if column.code in order.columns]
        total = await self._listing.total(order.wanted, key=order.key)
        if total == 0:
            raise NothingToExport
        if total > self._rows_max:
            raise ExportTooLarge(rows=total, most=self._rows_max)
        with _scratch_folder(self._scratch) as folder:
            path = folder / "export.xlsx"
            rows = await self._write(task, order, chosen, total, path)
            data = await asyncio.to_thread(path.read_bytes)
        stored = await self._files.save_made(data, EXCEL, owner=task.owner, purpose=task.kind)
        await self._note(task, order, rows)
        return TaskResult({"rows": rows}, stored.id, f"报名名单-{self._clock.now():%Y%m%d-%H%M}.xlsx")

    def _order(self, task: RunningTask) -> ExportOrder:
        params: Mapping[str, Any] = task.params
        return ExportOrder(
            wanted=from_json(params["filter"]),
            columns=params["columns"],
            open_=params["open"],
            reason=params["reason"],
            key=self._search.from_token(params["search"]) if params["search"] else None,
            source=params["source"],
        )

    async def _write(
        self, task: RunningTask, order: ExportOrder, chosen: Sequence[ExportColumn], total: int, path: Path
    ) -> int:
        mark = f"{task.owner} {self._clock.now():%Y-%m-%d %H:%M} 导出，仅供工会办理使用，请勿外传"
        book = _Book(path, [column.title for column in chosen], mark)
        written, after = 0, None
        while True:
            batch = await self._listing.batch(order.wanted, key=order.key, after=after, limit=BATCH_ROWS)
            cells = [self._writer.cells(row, line, chosen, open_=order.open_) for row, line in batch.pairs]
            await asyncio.to_thread(book.write, cells)
            written, after = written + len(cells), batch.next
            await task.progress(min(written, total), total)
            if after is None or written >= self._rows_max:
                break
        await asyncio.to_thread(book.close)
        return written

    async def _note(self, task: RunningTask, order: ExportOrder, rows: int) -> None:
        kind = "open" if order.open_ else "masked"
        why = f"{rows} rows;{kind};{order.reason}"[:255]
        action = "registrations:application:export"
        async with self._database.transaction() as session:
            await task.verify(session)
            record = AuditRecord(task.owner, action, "staff_task", str(task.id), why, order.source)
            await self._audit.append(session, record)


class _Book:
    """A workbook that grows on the disk, every cell as text, with a mark of who made it and when."""

    def __init__(self, path: Path, titles: Sequence[str], mark: str) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._table = self._book.add_worksheet("名单")
        head = self._book.add_format({"bold": True, "bg_color": "#eceff2"})
        soft = self._book.add_format({"font_color": "#a11a12", "italic": True})
        self._table.set_header(f"&C&16&K999999{mark}")
        self._table.set_footer(f"&L{mark}&R&P/&N")
        self._table.set_column(0, max(len(titles) - 1, 0), _WIDTH)
        self._table.freeze_panes(_HEAD_ROW + 1, 0)
        self._table.write_string(0, 0, mark, soft)
        for place, title in enumerate(titles):
            self._table.write_string(_HEAD_ROW, place, title, head)
        self._next = _HEAD_ROW + 1

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        for cells in rows:
            for place, text in enumerate(cells):
                self._table.write_string(self._next, place, text)
            self._next += 1

    def close(self) -> None:
        self._book.close()


@contextmanager
def _scratch_folder(parent: Path) -> Iterator[Path]:
    # Plain content for a moment: only this account can enter, and it is gone whatever happens.
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=parent) as folder:
        yield Path(folder)

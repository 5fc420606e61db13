"""The results of a campaign as an Excel workbook, written as long work of staff."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import xlsxwriter

from bot.campaigns.models import Outcome
from bot.campaigns.results import CampaignResults, RecipientRow, Results
from bot.staff.tasks.models import JsonValue
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.files import PrivateFiles
from bot.values.clock import Clock

KIND: Final = "campaign_results"
EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_MAX: Final = 1_048_576
"""How many rows a sheet of Excel holds, its head among them; more recipients go on in a further sheet."""

Told = Callable[[int, int], Awaitable[None]]

OUTCOME_LABELS: Final = {
    Outcome.QUEUED: "待发送",
    Outcome.SUBMITTING: "发送中",
    Outcome.SUBMITTED: "已提交平台",
    Outcome.DELIVERED: "已送达",
    Outcome.FAILED: "失败",
    Outcome.UNKNOWN: "结果不明",
    Outcome.SKIPPED: "未发送",
    Outcome.CANCELLED: "已取消",
}
REASON_LABELS: Final = {
    "opted_out": "已退订",
    "no_consent": "没有同意",
    "quota_used": "本月已收满4条",
    "window_closed": "48小时内没有留言",
    "too_few": "人数不足2人",
    "not_following": "已取消关注",
    "not_notified": "不通知",
}


def params_of(campaign_id: int) -> dict[str, JsonValue]:
    """Return the parameters of a task of this kind."""
    return {"campaign_id": campaign_id}


class CampaignExport:
    """The handler of ``KIND``. Nothing but its file comes of it, so it may be run again."""

    def __init__(self, results: CampaignResults, files: PrivateFiles, clock: Clock) -> None:
        self._results = results
        self._files = files
        self._clock = clock

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Count, write the workbook and keep it; recipients are masked."""
        campaign_id = int(str(task.params["campaign_id"]))
        mark = f"{task.owner} {self._clock.now():%Y-%m-%d %H:%M}"
        with TemporaryDirectory(prefix="campaign-results-") as folder:
            path = Path(folder) / "results.xlsx"
            rows = await write_workbook(self._results, campaign_id, path, mark, task.progress)
            content = await asyncio.to_thread(path.read_bytes)
        stored = await self._files.save_made(content, EXCEL, owner=task.owner, purpose=KIND)
        return TaskResult({"rows": rows}, stored.id, f"群发结果 {campaign_id}.xlsx")


async def write_workbook(
    results: CampaignResults, campaign_id: int, target: Path, mark: str, progress: Told, *, rows_max: int = ROWS_MAX
) -> int:
    """Write figures and recipients, who are masked, and return how many these are; ``mark`` says who took it when.

    ``progress`` hears how many are written, of how many. A sheet takes ``rows_max`` rows.
    """
    found = await results.of(campaign_id)
    total = found.progress.total + sum(found.campaign.skipped.values())
    # Rows go to a file of the system as they come, so that 620,000 of them do not stand in memory.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "tmpdir": str(target.parent),
    }
    book = xlsxwriter.Workbook(str(target), options)
    _write_figures(book, found, mark)
    sheets = _RecipientSheets(book, rows_max)
    async for rows in results.stream(campaign_id):
        await asyncio.to_thread(sheets.write, rows)
        await progress(min(sheets.written, total), max(total, 1))
    await asyncio.to_thread(book.close)
    return sheets.written


def _write_figures(book: Any, results: Results, mark: str) -> None:
    page = book.add_worksheet("总览")
    page.set_column(0, 0, 24)
    progress = results.progress
    rows: list[tuple[str, str | int]] = [("群发", results.campaign.title), ("应发人数", progress.total)]
    rows += [(OUTCOME_LABELS[outcome], count) for outcome, count in progress.counts.items()]
    if progress.sent_by_platform is not None:
        rows += [
            ("平台报告送达", progress.sent_by_platform),
            ("平台报告未达", progress.errors_by_platform or 0),
        ]
    rows += [("回复人数", results.replied), ("报名人数", results.registered), ("退订人数", results.opted_out)]
    rows += [(f"失败：代码 {code or '无'}", count) for code, count in sorted(results.failed.items())]
    rows += [
        (f"未发送：{REASON_LABELS.get(reason, reason)}", count) for reason, count in sorted(results.skipped.items())
    ]
    rows += [(f"{day.day:%m-%d} 报名/退订", f"{day.registrations}/{day.opt_outs}") for day in results.days]
    for line, row in enumerate([*rows, ("导出", mark)]):
        page.write_row(line, 0, row)


class _RecipientSheets:
    """The list of recipients, which goes on in a further sheet when one is full."""

    def __init__(self, book: Any, rows_max: int) -> None:
        self.written = 0
        self._book = book
        self._rows_max = rows_max
        self._sheets = 0
        self._begin()

    def write(self, rows: Sequence[RecipientRow]) -> None:
        for row in rows:
            if self._line == self._rows_max:
                self._begin()
            self._page.write_row(self._line, 0, _cells(row))
            self._line += 1
        self.written += len(rows)

    def _begin(self) -> None:
        self._sheets += 1
        self._page = self._book.add_worksheet("名单" if self._sheets == 1 else f"名单 {self._sheets}")
        self._page.set_column(0, 4, 18)
        self._page.write_row(0, 0, ["关注者", "结果", "原因", "平台代码", "时间"])
        self._line = 1


def _cells(row: RecipientRow) -> tuple[str | int, ...]:
    return (
        row.openid_masked,
        OUTCOME_LABELS[row.outcome],
        REASON_LABELS.get(row.reason or "", row.reason or ""),
        "" if row.code is None else row.code,
        "" if row.at is None else f"{row.at:%Y-%m-%d %H:%M:%S}",
    )

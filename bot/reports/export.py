"""Writes the workbook of a period as long work of staff."""

import asyncio
from datetime import date
from typing import Final

from bot.campaigns.figures import CampaignComparison
from bot.reports.models import Period
from bot.reports.overview import Overview
from bot.reports.workbook import Label, campaign_sheet, sheets_of, workbook
from bot.staff.tasks.models import JsonValue
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.files import PrivateFiles
from bot.values.clock import Clock

KIND: Final = "reports_export"
EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STEPS: Final = 4


def params_of(period: Period, county: str | None, *, campaigns: bool) -> dict[str, JsonValue]:
    """Return the parameters of a task of this kind; ``county`` and ``campaigns`` are how far its owner may see."""
    days: dict[str, JsonValue] = {"first": period.first.isoformat(), "last": period.last.isoformat()}
    return {**days, "county": county, "campaigns": campaigns}


class ReportExport:
    """The handler of ``KIND``. Nothing but its file comes of it, so it may be run again."""

    def __init__(
        self,
        overview: Overview,
        comparison: CampaignComparison,
        files: PrivateFiles,
        clock: Clock,
        label: Label,
    ) -> None:
        self._overview = overview
        self._comparison = comparison
        self._files = files
        self._clock = clock
        self._label = label

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Count both periods, write the workbook and keep it."""
        first, last, county = (task.params[name] for name in ("first", "last", "county"))
        period = Period(date.fromisoformat(str(first)), date.fromisoformat(str(last)))
        scope = None if county is None else str(county)
        now = await self._overview.figures(period, county=scope)
        await task.progress(1, STEPS)
        before = await self._overview.before(period, county=scope)
        await task.progress(2, STEPS)
        sheets = sheets_of(now, before, self._label)
        if task.params.get("campaigns"):
            sheets.append(campaign_sheet(await self._comparison.all(period.first, period.last), self._label))
        await task.progress(3, STEPS)
        mark = f"{task.owner} {self._clock.now():%Y-%m-%d %H:%M}"
        content = await asyncio.to_thread(workbook, sheets, mark)
        stored = await self._files.save_made(content, EXCEL, owner=task.owner, purpose=KIND)
        await task.progress(STEPS, STEPS)
        rows = sum(len(sheet.rows) for sheet in sheets)
        return TaskResult({"rows": rows}, stored.id, f"报表 {period.first} 至 {period.last}.xlsx")

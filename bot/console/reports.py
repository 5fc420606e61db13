"""Reports: what was written and understood, who registered, how quickly people answered; on the page and as Excel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Final

import xlsxwriter
from aiohttp import web

from bot.console.charts import columns
from bot.console.errors import BadAddress
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.reports.models import ChatFigures, Conversion, Messages, Period, Registered
from bot.reports.service import Reports, previous
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.values.clock import Clock
from bot.values.counties import County

Row = list[str | int | float]

READ: Final = "reports:figures:read"
LONGEST_DAYS: Final = 1100
USUAL_DAYS: Final = 30
HIDDEN: Final = "少于 10"
EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything on the page; messages and conversions know no county and are left out for one."""

    period: Period
    messages: Messages | None
    before: Messages | None
    registered: Sequence[Registered]
    conversions: Sequence[Conversion]
    chats: ChatFigures


class ReportPages:
    """The figures of a period."""

    def __init__(self, reports: Reports, trail: AuditWriter, clock: Clock) -> None:
        self._reports = reports
        self._trail = trail
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("报表", "/reports", READ, "报表与设置")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [Route("GET", "/reports", self.show, READ), Route("POST", "/reports/excel", self.excel, READ)]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the figures of a period with those of the one before it."""
        figures = await self._figures(visit)
        messages = figures.messages
        by_day = (
            columns([(f"{day:%m-%d}", turns) for day, turns in messages.by_day], "每天的消息") if messages else ""
        )
        by_hour = (
            columns([(f"{hour}点", turns) for hour, turns in messages.by_hour], "各时段的消息") if messages else ""
        )
        return visit.page(
            "reports/show.html",
            figures=figures,
            by_day=by_day,
            by_hour=by_hour,
            hidden=HIDDEN,
            today=self._clock.now().date(),
            county=visit.county,
        )

    async def excel(self, visit: Visit) -> web.StreamResponse:
        """Answer the same figures as an Excel file; the trail keeps who took which period."""
        figures = await self._figures(visit)
        span = f"{figures.period.first} – {figures.period.last}"
        record = AuditRecord(visit.viewer.username, "reports:figures:export", "report", span, "", visit.source)
        await self._trail.record(record)
        name = f"report-{figures.period.first}-{figures.period.last}.xlsx"
        body = _workbook(visit, figures, f"{visit.viewer.username} {self._clock.now():%Y-%m-%d %H:%M}")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=body, content_type=EXCEL, headers=headers)

    async def _figures(self, visit: Visit) -> Figures:
        form = visit.filters() if visit.request.method == "GET" else await visit.form()
        today = self._clock.now().date()
        last = form.day("to", "结束", required=False) or today
        first = form.day("from", "开始", required=False) or last - timedelta(days=USUAL_DAYS - 1)
        period = Period(first, last)
        if form.problems or not 1 <= period.days <= LONGEST_DAYS:
            raise BadAddress(name="日期")
        county = visit.county
        return Figures(
            period=period,
            messages=await self._reports.messages(period) if county is None else None,
            before=await self._reports.messages(previous(period)) if county is None else None,
            registered=await self._reports.registrations(period, county=county),
            conversions=await self._reports.conversions(period) if county is None else [],
            chats=await self._reports.chats(period, county=county),
        )


def _workbook(visit: Visit, figures: Figures, mark: str) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        head = book.add_format({"bold": True, "bg_color": "#eceff2"})
        for title, rows in _sheets(visit, figures):
            sheet = book.add_worksheet(title)
            sheet.set_column(0, 0, 28)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row, head if place == 0 else None)
            sheet.set_footer(f"&L{mark}")
    return file.getvalue()


def _sheets(visit: Visit, figures: Figures) -> list[tuple[str, list[Row]]]:
    sheets: list[tuple[str, list[Row]]] = []
    if figures.messages is not None:
        days: list[Row] = [[f"{day}", turns] for day, turns in figures.messages.by_day]
        sheets.append(("消息", [["日期", "消息"], *days]))
        intents: list[Row] = [[visit.label(intent, "intent"), turns] for intent, turns in figures.messages.by_intent]
        sheets.append(("意图", [["意图", "消息"], *intents]))
    rows: list[Row] = [["活动", "分类", "名称", "人数"]]
    for one in figures.registered:
        rows += [
            [one.title, "进度", visit.label(status, "registration_status"), _shown(count)]
            for status, count in one.by_status.items()
        ]
        rows += [[one.title, "区县", _county(code), _shown(count)] for code, count in one.by_county]
    sheets.append(("报名", rows))
    asked: list[Row] = [[visit.label(one.kind, "service"), one.asked, one.registered] for one in figures.conversions]
    sheets.append(("从咨询到报名", [["服务", "咨询人数", "其中 14 天内报名"], *asked]))
    chats = figures.chats
    times: list[Row] = [
        ["接入", chats.opened],
        ["已回复", chats.answered],
        ["已结束", chats.closed],
        ["首次回复（分钟，中位）", _number(chats.first_answer_median)],
        ["首次回复（分钟，九成以内）", _number(chats.first_answer_p90)],
        ["办结（分钟，中位）", _number(chats.resolution_median)],
        ["满意", chats.satisfied],
        ["一般", chats.fair],
        ["不满意", chats.dissatisfied],
    ]
    sheets.append(("会话", [["项目", "数值"], *times]))
    return sheets


def _shown(count: int | None) -> str | int:
    return HIDDEN if count is None else count


def _number(value: float | None) -> str | float:
    return "—" if value is None else round(value, 1)


def _county(code: str) -> str:
    return County.by_code(code).short if code in set(County) else code or "没有写"

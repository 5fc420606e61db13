"""Reports: what was written and understood, who registered, how quickly people answered; on pages and as Excel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup

from bot.console.charts import Series, bars, columns, lines
from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.errors import UnknownProgramme
from bot.registrations.statuses import Status
from bot.reports.export import KIND, params_of
from bot.reports.models import NO_INTENT, CountyStatuses, Messages, Period, Turns
from bot.reports.overview import Overview
from bot.reports.rules import in_steps, percentile
from bot.reports.workbook import HIDDEN, SMALL_GROUPS, county_name, step_names
from bot.staff.tasks.service import TaskBook
from bot.understanding.models import INTENTS
from bot.values.clock import Clock
from bot.values.problem import Problem

READ: Final = "reports:figures:read"
MESSAGES: Final = "reports:messages:read"
CAMPAIGNS: Final = "campaigns:campaign:read"
LONGEST_DAYS: Final = 1100
USUAL_DAYS: Final = 30
UNDERSTOOD: Final = (
    ("听懂并办理", "c1", "understood"),
    ("反问", "c2", "asked_back"),
    ("没听懂", "c3", "lost"),
    ("不用模型", "c4", "guided"),
)
STATUS_COLOURS: Final[Mapping[str, str]] = {
    Status.PENDING: "c2",
    Status.RETURNED: "c5",
    Status.WAITLISTED: "c6",
    Status.APPROVED: "c1",
    Status.COMPLETED: "c7",
    Status.REJECTED: "c3",
    Status.NO_SHOW: "c8",
    Status.CANCELLED: "c4",
    Status.VOID: "c4",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The period that a page is about, and what is wrong with the dates that were asked for."""

    period: Period
    problems: Mapping[str, Problem]
    typed: Mapping[str, str]

    @property
    def query(self) -> str:
        """The period as it stands in an address."""
        return urlencode({"from": self.period.first.isoformat(), "to": self.period.last.isoformat()})

    @property
    def status(self) -> int:
        return 422 if self.problems else 200


class ReportPages:
    """The figures of a period, from the whole to the single day, programme and county."""

    def __init__(self, overview: Overview, tasks: TaskBook, clock: Clock) -> None:
        self._overview = overview
        self._tasks = tasks
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("报表", "/reports", READ, "报表与设置")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/reports", self.show, READ),
            Route("GET", "/reports/messages", self.messages, MESSAGES),
            Route("GET", "/reports/programmes/{programme}", self.programme, READ),
            Route("GET", "/reports/chats", self.chats, READ),
            Route("POST", "/reports/excel", self.excel, READ),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the figures of a period beside those of the one before it."""
        choice = self._choice(visit.filters())
        now = await self._overview.figures(choice.period, county=visit.county)
        before = await self._overview.before(choice.period, county=visit.county)
        by_day = Markup()
        if now.messages is not None and before.messages is not None:
            by_day = lines(
                [f"{day:%m-%d}" for day, _ in now.messages.by_day],
                [
                    Series("本期", "c1", [turns.total for _, turns in now.messages.by_day]),
                    Series("上期", "c4", [turns.total for _, turns in before.messages.by_day]),
                ],
                "每天的消息，本期和上期",
            )
        return self._page(visit, "reports/show.html", choice, figures=now, before=before, by_day=by_day)

    async def messages(self, visit: Visit) -> web.StreamResponse:
        """Show messages by day, hour and intent; ``intent`` narrows to one."""
        form = visit.filters()
        choice = self._choice(form)
        intent = form.raw("intent")
        if intent and intent not in INTENTS:
            raise NotFound
        found = await self._overview.reports.messages(choice.period, intent=intent or None)
        return self._page(
            visit,
            "reports/messages.html",
            choice,
            messages=found,
            intent=intent,
            by_day=_turn_columns([f"{day:%m-%d}" for day, _ in found.by_day], found.by_day, "每天的消息"),
            by_hour=_turn_columns([f"{hour}点" for hour, _ in found.by_hour], found.by_hour, "各时段的消息"),
            by_intent=_intent_bars(visit, found),
        )

    async def programme(self, visit: Visit) -> web.StreamResponse:
        """Show one programme by county, status and day."""
        choice = self._choice(visit.filters())
        try:
            found = await self._overview.registrations.programme(
                visit.path("programme"), choice.period, county=visit.county
            )
        except UnknownProgramme as error:
            raise NotFound from error
        shown = [(name, count) for name, count in found.registered.by_status.items() if count is not None]
        return self._page(
            visit,
            "reports/programme.html",
            choice,
            programme=found.registered,
            counties=found.counties,
            by_day=found.by_day,
            statuses=list(found.registered.by_status),
            days_chart=columns(
                [f"{day:%m-%d}" for day, _ in found.by_day],
                [Series("报名", "c1", [count for _, count in found.by_day])],
                "每天的报名",
            ),
            status_chart=bars(
                [visit.label(name, "registration_status") for name, _ in shown],
                [Series("人数", "c1", [count for _, count in shown])],
                "各进度的人数",
            ),
            county_chart=_county_bars(visit, found.counties),
        )

    async def chats(self, visit: Visit) -> web.StreamResponse:
        """Show how soon people were answered, and what they said of it."""
        choice = self._choice(visit.filters())
        now = await self._overview.reports.chats(choice.period, county=visit.county)
        before = await self._overview.reports.chats(choice.period.previous, county=visit.county)
        steps = list(zip(step_names(), in_steps(now.first_answer), in_steps(now.resolution), strict=True))
        return self._page(
            visit,
            "reports/chats.html",
            choice,
            chats=now,
            before=before,
            steps=steps,
            by_day=columns(
                [f"{day:%m-%d}" for day, _ in now.by_day],
                [Series("会话", "c1", [count for _, count in now.by_day])],
                "每天转人工的会话",
            ),
            waits=bars(
                [name for name, _, _ in steps],
                [Series("会话", "c1", [one for _, one, _ in steps])],
                "首次回复用了多久",
            ),
        )

    async def excel(self, visit: Visit) -> web.StreamResponse:
        """Have the same figures written as an Excel file, as far as the viewer may see."""
        form = await visit.form()
        choice = self._choice(form)
        if choice.problems:
            return visit.to("/reports", "reports.bad_period")
        await self._tasks.start(
            KIND,
            owner=visit.viewer.username,
            params=params_of(choice.period, visit.county, campaigns=visit.can(CAMPAIGNS)),
            key=form.key,
            source=visit.source,
        )
        return visit.to("/tasks", "tasks.started")

    def _page(self, visit: Visit, template: str, choice: Choice, /, **values: object) -> web.Response:
        today = self._clock.now().date()
        return visit.page(
            template,
            status=choice.status,
            choice=choice,
            period=choice.period,
            presets=presets_of(today),
            is_running=choice.period.first <= today <= choice.period.last,
            problems=choice.problems,
            typed=choice.typed,
            county=visit.county,
            hidden=HIDDEN,
            small_groups=SMALL_GROUPS,
            county_name=county_name,
            percentile=percentile,
            can_see_messages=visit.can(MESSAGES),
            **values,
        )

    def _choice(self, form: Form) -> Choice:
        return choice_of(form, self._clock.now().date())


def choice_of(form: Form, today: date) -> Choice:
    """Read the dates. What cannot be read is shown again with a sentence, beside the usual period's figures."""
    usual = Period(today - timedelta(days=USUAL_DAYS - 1), today)
    last = form.day("to", "结束日期", required=False) or today
    first = form.day("from", "开始日期", required=False) or last - timedelta(days=USUAL_DAYS - 1)
    period = Period(first, last)
    if period.days < 1:
        form.note("to", Problem("reports.ends_before_it_begins", {}))
    elif period.days > LONGEST_DAYS:
        form.note("from", Problem("reports.too_long", {"days": LONGEST_DAYS}))
    return Choice(usual if form.problems else period, form.problems, form.typed() if form.problems else {})


def presets_of(today: date) -> list[tuple[str, Period]]:
    """Return the usual periods by their names."""
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    return [
        ("今天", Period(today, today)),
        ("近 7 天", Period(today - timedelta(days=6), today)),
        ("近 30 天", Period(today - timedelta(days=29), today)),
        ("本月", Period(month, today)),
        ("上月", Period(last_month, month - timedelta(days=1))),
        ("今年", Period(today.replace(month=1, day=1), today)),
    ]


def _turn_columns(labels: Sequence[str], turns: Sequence[tuple[date | int, Turns]], title: str) -> Markup:
    series = [Series(name, colour, [getattr(one, part) for _, one in turns]) for name, colour, part in UNDERSTOOD]
    return columns(labels, series, title)


def _intent_bars(visit: Visit, messages: Messages) -> Markup:
    shown = [(name, count) for name, count in messages.by_intent if name != NO_INTENT]
    labels = [visit.label(name, "intent") for name, _ in shown]
    return bars(labels, [Series("消息", "c1", [count for _, count in shown])], "听懂了的消息，按意思")


def _county_bars(visit: Visit, counties: Sequence[CountyStatuses]) -> Markup:
    shown = [one for one in counties if one.total is not None]
    labels = [county_name(one.county) for one in shown]
    if any(one.by_status for one in shown):
        series = [
            Series(
                visit.label(status, "registration_status"), colour, [one.by_status.get(status, 0) for one in shown]
            )
            for status, colour in STATUS_COLOURS.items()
            if any(status in one.by_status for one in shown)
        ]
    else:
        series = [Series("人数", "c1", [one.total or 0 for one in shown])]
    return bars(labels, series, "各区县的人数")

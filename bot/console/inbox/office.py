"""What administrators set for the inbox: targets of each queue, hours, days off, and reasons for ending a chat."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.office import (
    FIRST_ANSWER_MAX_MINUTES,
    RESOLUTION_MAX_MINUTES,
    STRETCHES_MAX,
    Hours,
    InboxOffice,
    Queue,
    Reason,
    SpecialDay,
)
from bot.values.clock import Clock
from bot.values.problem import Problem

EDIT: Final = "inbox:calendar:edit"
HOME: Final = "/inbox/office"
WEEKDAYS: Final = tuple(enumerate(("周一", "周二", "周三", "周四", "周五", "周六", "周日")))
LABEL_MAX_CHARS: Final = 64
OFF: Final = "off"


class InboxOfficePages:
    """One page of small forms; each is saved by itself, and shown again alone when it is refused."""

    def __init__(self, office: InboxOffice, clock: Clock) -> None:
        self._office = office
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("会话设置", HOME, EDIT, "管理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", HOME, self.show, EDIT),
            Route("POST", f"{HOME}/queues/{{topic:[a-z_]{{1,32}}}}", self.save_queue, EDIT),
            Route("POST", f"{HOME}/hours/{{weekday:[0-6]}}", self.save_hours, EDIT),
            Route("POST", f"{HOME}/days", self.save_day, EDIT),
            Route("POST", f"{HOME}/days/drop", self.drop_day, EDIT),
            Route("POST", f"{HOME}/reasons", self.save_reason, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show everything that can be set."""
        return await self._page(visit)

    async def save_queue(self, visit: Visit) -> web.StreamResponse:
        """Change a queue's name and targets."""
        topic, form = visit.path("topic"), await visit.form()
        if topic not in {queue.topic for queue in await self._office.queues()}:
            raise NotFound
        usual = form.number("usual", "通常几分钟回复", least=1, most=FIRST_ANSWER_MAX_MINUTES)
        first = form.number("first", "首次回复时限", least=1, most=FIRST_ANSWER_MAX_MINUTES)
        resolution = form.number("resolution", "办结时限", least=1, most=RESOLUTION_MAX_MINUTES)
        if usual is None or first is None or resolution is None:
            return await self._page(visit, form, f"queue-{topic}")
        queue = Queue(
            topic=topic,
            label=form.text("label", "名称", max_chars=LABEL_MAX_CHARS),
            usual_answer_minutes=usual,
            first_answer_minutes=first,
            resolution_minutes=resolution,
            around_the_clock=form.flag("around_the_clock"),
            asks_rating=form.flag("asks_rating"),
        )
        problem = await self._office.save_queue(queue, by=visit.viewer.username, source=visit.source)
        return await self._saved(visit, form, f"queue-{topic}", "label", problem, "inbox.queue_saved")

    async def save_hours(self, visit: Visit) -> web.StreamResponse:
        """Replace the stretches of a weekday; a day without any is free."""
        weekday, form = int(visit.path("weekday")), await visit.form()
        stretches: list[Hours] = []
        for place in range(STRETCHES_MAX):
            opens = form.time(f"opens-{place}", "上班时间", required=False)
            closes = form.time(f"closes-{place}", "下班时间", required=False)
            if opens is not None and closes is not None:
                stretches.append(Hours(weekday, opens, closes))
            elif opens is not None or closes is not None:
                form.note(f"opens-{place}", Problem("inbox.hours_half"))
        if form.problems:
            return await self._page(visit, form, f"hours-{weekday}")
        problem = await self._office.save_hours(weekday, stretches, by=visit.viewer.username, source=visit.source)
        return await self._saved(visit, form, f"hours-{weekday}", "opens-0", problem, "inbox.hours_saved")

    async def save_day(self, visit: Visit) -> web.StreamResponse:
        """Add a day off, or a free day that is worked like a weekday."""
        form = await visit.form()
        day = form.day("day", "日期")
        works_as = form.option("works_as", "怎么上班", [OFF, *(str(number) for number, _ in WEEKDAYS)])
        label = form.text("label", "说明", max_chars=20)
        if form.problems or day is None:
            return await self._page(visit, form, "days")
        special = SpecialDay(day, None if works_as == OFF else int(works_as), label)
        await self._office.set_day(special, by=visit.viewer.username, source=visit.source)
        return visit.to(f"{HOME}#days", "inbox.day_saved")

    async def drop_day(self, visit: Visit) -> web.StreamResponse:
        """Let a day follow its weekday again."""
        form = await visit.form()
        day = form.day("day", "日期")
        if day is None:
            return await self._page(visit, form, "days")
        await self._office.drop_day(day, by=visit.viewer.username, source=visit.source)
        return visit.to(f"{HOME}#days", "inbox.day_dropped")

    async def save_reason(self, visit: Visit) -> web.StreamResponse:
        """Change a reason for ending chats, or add one."""
        form = await visit.form()
        code, label = form.raw("code"), form.text("label", "名称", max_chars=LABEL_MAX_CHARS)
        by, asks = visit.viewer.username, form.flag("asks_rating")
        if form.problems:
            return await self._page(visit, form, f"reason-{code}")
        if code:
            reason = Reason(code, label, asks, form.flag("is_offered"))
            problem = await self._office.save_reason(reason, by=by, source=visit.source)
        else:
            problem = await self._office.add_reason(label, asks_rating=asks, by=by, source=visit.source)
        return await self._saved(visit, form, f"reason-{code}", "label", problem, "inbox.reason_saved")

    async def _saved(
        self, visit: Visit, form: Form, part: str, field: str, problem: Problem | None, notice: str
    ) -> web.Response:
        form.note(field, problem)
        if form.problems:
            return await self._page(visit, form, part)
        return visit.to(f"{HOME}#{part}", notice)

    async def _page(self, visit: Visit, form: Form | None = None, part: str = "") -> web.Response:
        """Show the page; ``part`` is the form that was refused, the others show what is stored."""
        today: date = self._clock.now().date()
        hours = await self._office.hours()
        values: dict[str, Any] = {
            "queue_list": await self._office.queues(),
            "reason_list": await self._office.reasons(offered=False),
            "week": [(number, name, [one for one in hours if one.weekday == number]) for number, name in WEEKDAYS],
            "stretches": range(STRETCHES_MAX),
            "days": await self._office.special_days(today),
            "weekdays": [(str(number), f"按{name}上班") for number, name in WEEKDAYS],
            "weekday_names": dict(WEEKDAYS),
            "part": part,
        }
        if form is None:
            return visit.page("inbox/office.html", **values)
        return visit.page("inbox/office.html", status=422, problems=form.problems, typed=form.typed(), **values)

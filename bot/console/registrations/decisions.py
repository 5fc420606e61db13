"""Deciding about one registration: a page that says what will happen, and the step itself."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final, assert_never

from aiohttp import web

from bot.console.forms import Form
from bot.console.registrations.detail import ONE, REVIEW, actor, dossier_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.registrations.correcting import Mistake
from bot.registrations.desk import Desk
from bot.registrations.dossier import Dossier
from bot.registrations.outcomes import AlreadyIn, Moved, NoPlace, Promoted
from bot.registrations.review import Decision
from bot.registrations.steps import OWN_REASONS, Step, Terms, take
from bot.values.clock import LOCAL_ZONE, Clock
from bot.values.problem import Problem

NOTE_MAX_CHARS: Final = 200
RETURN_DAYS: Final = 7
"""What the deadline is set to at first; staff change it."""
END_OF_DAY: Final = time(18)
STEP: Final = f"{ONE}/{{step:{'|'.join(Step)}}}"


class RegistrationDecisions:
    """Each step as a page that asks, and a form that does it."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return nothing: steps are taken from a registration."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [Route("GET", STEP, self.ask, REVIEW), Route("POST", STEP, self.decide, REVIEW)]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - The list has the tiles.
        """Return nothing."""
        return []

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Say what the step means, and ask for what it needs."""
        return self._asked(visit, await self._dossier(visit))

    async def decide(self, visit: Visit) -> web.StreamResponse:
        """Take the step."""
        dossier, form = await self._dossier(visit), await visit.form()
        step = Step(visit.path("step"))
        reason, terms = self._reason(form, step), read_terms(form, step, dossier)
        note = form.text("note", "内部说明", max_chars=NOTE_MAX_CHARS, required=False)
        if form.problems:
            return self._asked(visit, dossier, form)
        decision = Decision(
            receipt=dossier.view.receipt,
            by=actor(visit),
            key=form.key or f"{dossier.view.receipt}-{step}-{self._clock.now().timestamp()}",
            reason=reason,
            note=note,
            source=visit.source,
        )
        outcome = await take(self._desk.reviews, step, decision, terms)
        match outcome:
            case Moved(receipt, status, promoted):
                notice = _notice(step, promoted)
                label = visit.label(status.value, "registration_status")
                return visit.to(f"/registrations/{receipt}", notice, status=label, promoted=len(promoted))
            case AlreadyIn(receipt, since):
                return visit.to(f"/registrations/{receipt}", "registration.already_in", since=f"{since:%H:%M}")
            case NoPlace(what):
                form.note(
                    "form",
                    Problem("registration.no_place", {"why": visit.sentence(f"registration.no_place.{what}", {})}),
                )
                return self._asked(visit, dossier, form)
            case _:
                assert_never(outcome)

    async def _dossier(self, visit: Visit) -> Dossier:
        dossier = await dossier_of(visit, self._desk, REVIEW)
        if Step(visit.path("step")) is Step.TAKE_BACK:
            await visit.names()
        return dossier

    def _reason(self, form: Form, step: Step) -> str:
        if step in OWN_REASONS:
            return OWN_REASONS[step]
        choices = self._desk.reasons.choices_for(step.target) if step.target is not None else ()
        return form.option("reason", "原因", [choice.code for choice in choices])

    def _asked(self, visit: Visit, dossier: Dossier, form: Form | None = None) -> web.Response:
        step = Step(visit.path("step"))
        values = {
            "dossier": dossier,
            "view": dossier.view,
            "step": step,
            "is_possible": step in dossier.steps,
            "reasons": reason_choices(self._desk, step),
            "until": default_deadline(self._clock.now()),
            "wanted": form.options("items", "要补的内容", [item.code for item in dossier.askable])
            if form is not None
            else dossier.view.missing,
            "problems": form.problems if form is not None else {},
            "typed": form.typed() if form is not None else {},
        }
        template = "registrations/step.html"
        status = 200 if form is None else 422
        if visit.wants_fragment:
            return visit.part(template, "panel", status=status, **values)
        return visit.page(template, status=status, **values)


def reason_choices(desk: Desk, step: Step) -> list[tuple[str, str]]:
    """Return the reasons to choose from; none where there is nothing to choose."""
    if step in OWN_REASONS or step.target is None:
        return []
    return [(choice.code, choice.text) for choice in desk.reasons.choices_for(step.target)]


def default_deadline(now: datetime) -> datetime:
    """Return the deadline that a form begins with."""
    return datetime.combine(now.date() + timedelta(days=RETURN_DAYS), END_OF_DAY, LOCAL_ZONE)


def read_terms(form: Form, step: Step, dossier: Dossier) -> Terms:
    """Return what the step needs besides its reason; what is wrong is noted in the form."""
    match step:
        case Step.RETURN:
            return read_return(form, [item.code for item in dossier.askable])
        case Step.APPROVE | Step.ASSIGN_POST if dossier.posts:
            codes = [str(post.id) for post in dossier.posts]
            post = form.option("post", "岗位", codes, required=step is Step.ASSIGN_POST)
            return Terms(post_id=int(post) if post else None)
        case Step.TAKE_BACK:
            return Terms(mistake=_seen_mistake(form, dossier))
        case _:
            return Terms()


def read_return(form: Form, codes: Sequence[str]) -> Terms:
    """Return what is missing and until when; both are needed."""
    items = form.options("items", "要补的内容", codes)
    if not items:
        form.note("items", Problem("registration.items_needed"))
    day = form.day("until_day", "截止日期")
    at = form.time("until_time", "截止时间")
    return Terms(items=items, until=datetime.combine(day, at, LOCAL_ZONE) if day and at else None)


def _notice(step: Step, promoted: Sequence[Promoted]) -> str:
    if step is Step.TAKE_BACK:
        return "registration.taken_back"
    return "registration.moved_up" if promoted else "registration.moved"


def _seen_mistake(form: Form, dossier: Dossier) -> Mistake | None:
    """Return what is taken back: what the page showed, if it is still the last that happened."""
    mistake = dossier.mistake
    return mistake if mistake is not None and form.raw("since") == mistake.since.isoformat() else None

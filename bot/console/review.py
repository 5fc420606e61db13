"""Messages that were understood badly: relabelled with one click for the next training."""

from collections.abc import Callable, Sequence
from typing import assert_never
from urllib.parse import urlencode

from aiohttp import web

from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.understanding.models import INTENTS
from bot.understanding.review.models import Decided, DecidedBefore, Filter, Reason, ReviewItem, Status
from bot.understanding.review.service import ReviewList, suggestions
from nlu.registry import Entry

PERMISSION = "understanding:message:relabel"
PAGE_ROWS = 30
ONE_CLICK = 5
NEWS = 5
WORDING_MAX_CHARS = 200
LIST = "review/list.html"


class ReviewPages:
    """The review list. ``history`` gives what happened to the models, oldest first."""

    def __init__(self, reviews: ReviewList, trail: AuditWriter, history: Callable[[], Sequence[Entry]]) -> None:
        self._reviews = reviews
        self._trail = trail
        self._history = history

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("听不懂的话", "/review", PERMISSION, "知识")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/review", self.show, PERMISSION),
            Route("POST", "/review/{item:[0-9]{1,9}}/relabel", self.relabel, PERMISSION),
            Route("POST", "/review/{item:[0-9]{1,9}}/dismiss", self.dismiss, PERMISSION),
            Route("POST", "/review/{item:[0-9]{1,9}}/undo", self.undo, PERMISSION),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many messages wait to be looked at."""
        if not visit.can(PERMISSION):
            return []
        return [Tile("听不懂的话待处理", (await self._reviews.counts())[Status.OPEN], "/review")]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the messages, newest first."""
        form = visit.filters()
        status, reason, guessed = _status(form), form.raw("reason"), form.raw("guessed")
        wanted = Filter(
            status=status,
            reason=Reason(reason) if reason in set(Reason) else None,
            guessed=guessed if guessed in INTENTS else None,
        )
        after = form.number("after", "页码", least=1, most=10**9, required=False)
        page = await self._reviews.page(wanted, limit=PAGE_ROWS, after=after)
        chosen = {"status": form.raw("status"), "reason": reason, "guessed": guessed}
        await visit.names()
        more = {**chosen, "after": str(page.items[-1].id)} if len(page.items) == PAGE_ROWS else None
        return visit.page(
            LIST,
            items=page.items,
            total=page.total,
            counts=await self._reviews.counts(),
            chosen=chosen,
            next=f"/review?{urlencode(more)}" if more else None,
            first=f"/review?{urlencode(chosen)}" if after else None,
            news=list(reversed(self._history()))[:NEWS],
            one_click=_one_click,
        )

    async def relabel(self, visit: Visit) -> web.StreamResponse:
        """Say what a message meant."""
        form = await visit.form()
        # One of the buttons, or the list of all meanings; a browser sends the list even when a button was pressed.
        label = form.option("label" if form.raw("label") else "other", "意思", INTENTS)
        wording = form.text("wording", "改写后的句子", max_chars=WORDING_MAX_CHARS, required=False)
        item = int(visit.path("item"))
        if form.problems:
            return await self._card(visit, await self._reviews.get(item), form)
        outcome = await self._reviews.relabel(item, label, visit.viewer.username, wording=wording or None)
        return await self._decided(visit, outcome, "relabel", "review.relabelled")

    async def dismiss(self, visit: Visit) -> web.StreamResponse:
        """Say that a message teaches nothing."""
        outcome = await self._reviews.dismiss(int(visit.path("item")), visit.viewer.username)
        return await self._decided(visit, outcome, "dismiss", "review.dismissed")

    async def undo(self, visit: Visit) -> web.StreamResponse:
        """Open a message again."""
        item = await self._reviews.undo(int(visit.path("item")))
        await self._note(visit, item, "undo")
        return await self._card(visit, item) if visit.wants_fragment else visit.to("/review", "review.reopened")

    async def _decided(
        self, visit: Visit, outcome: Decided | DecidedBefore, step: str, notice: str
    ) -> web.StreamResponse:
        match outcome:
            case Decided():
                await self._note(visit, outcome.item, step)
                if visit.wants_fragment:
                    return await self._card(visit, outcome.item)
                return visit.to("/review", notice, label=visit.label(outcome.item.label, "intent"))
            case DecidedBefore():
                if visit.wants_fragment:
                    return await self._card(visit, outcome.item)
                by = (await visit.names()).of(outcome.item.decided_by)
                return visit.to("/review", "review.decided_before", by=by)
            case _:
                assert_never(outcome)

    async def _note(self, visit: Visit, item: ReviewItem, step: str) -> None:
        action, reason = f"understanding:message:{step}", item.label or ""
        record = AuditRecord(visit.viewer.username, action, "review_item", str(item.id), reason, visit.source)
        await self._trail.record(record)

    async def _card(self, visit: Visit, item: ReviewItem, form: Form | None = None) -> web.Response:
        problems, typed = (form.problems, form.typed()) if form is not None else ({}, {})
        await visit.names()
        values = {"item": item, "one_click": _one_click, "problems": problems, "typed": typed}
        return visit.part(LIST, "card", status=422 if problems else 200, **values)


def _status(form: Form) -> Status | None:
    chosen = form.raw("status")
    if chosen == "all":
        return None
    return Status(chosen) if chosen in set(Status) else Status.OPEN


def _one_click(item: ReviewItem) -> Sequence[tuple[str, int | None]]:
    """Return the likeliest meanings with their chances in percent; ``None`` where only the next step tells."""
    chances = {guess.intent: round(guess.confidence * 100) for guess in item.guesses}
    return [(intent, chances.get(intent)) for intent in suggestions(item)[:ONE_CLICK]]

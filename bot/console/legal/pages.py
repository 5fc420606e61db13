"""Legal cases for lawyers and those who assign them: the queue, a case, and every step with it."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, assert_never
from urllib.parse import urlencode

from aiohttp import web

from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.desk import ChatIsOver, TakenBy
from bot.legal.desk import LegalDesk
from bot.legal.evidence import EvidenceViewer
from bot.legal.models import CaseFilter, CaseStatus, CaseView, Scope
from bot.legal.queue import Assigned, LegalQueue
from bot.legal.queue import TakenBy as CaseTakenBy
from bot.legal.replies import LegalReplies, Replied
from bot.legal.rules import TRANSITIONS
from bot.legal.service import LegalService
from bot.legal.topics import TopicCatalogue
from bot.values.names import PersonName
from bot.values.texts import mask_number

READ, QUEUE, TAKE = "legal:case:read", "legal:case:queue", "legal:case:take"
ADVISE, UNMASK = "legal:case:advise", "legal:case:unmask"
CASE = "/legal/{receipt:FL[0-9-]{7,14}}"
NOTE_MAX_CHARS = 1000
REPLY_MAX_CHARS = 600
REASON_MIN_CHARS = 4
OFFERED_STEPS = (CaseStatus.ANSWERING, CaseStatus.RETURNED, CaseStatus.COMPLETED, CaseStatus.FOLLOWED_UP)


class LegalPages:
    """The pages of a lawyer."""

    def __init__(
        self,
        desk: LegalDesk,
        queue: LegalQueue,
        cases: LegalService,
        topics: TopicCatalogue,
        replies: LegalReplies,
        viewer: EvidenceViewer,
    ) -> None:
        self._desk = desk
        self._queue = queue
        self._cases = cases
        self._topics = topics
        self._replies = replies
        self._viewer = viewer

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entries of the menu."""
        return [NavItem("待接案件", "/legal/waiting", QUEUE, "法律"), NavItem("案件", "/legal", READ, "法律")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/legal", self.show, READ),
            Route("GET", "/legal/waiting", self.waiting, QUEUE),
            Route("GET", f"{CASE}/take", self.ask_take, TAKE),
            Route("POST", f"{CASE}/take", self.take, TAKE),
            Route("GET", CASE, self.case, READ),
            Route("GET", CASE + "/evidence/{number:[0-9]{1,9}}", self.evidence, READ),
            Route("POST", f"{CASE}/attempt", self.attempt, ADVISE),
            Route("POST", f"{CASE}/note", self.note, ADVISE),
            Route("POST", f"{CASE}/reply", self.reply, ADVISE),
            Route("POST", f"{CASE}/move", self.move, ADVISE),
            Route("POST", f"{CASE}/give-back", self.give_back, ADVISE),
            Route("POST", f"{CASE}/reveal", self.reveal, UNMASK),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return what waits in the viewer's county, and what is due soon among what they may see."""
        scopes = {permission: _scope(visit, permission) for permission in (QUEUE, READ) if visit.can(permission)}
        counts = {scope: await self._desk.counts(scope) for scope in set(scopes.values())}
        tiles = []
        if QUEUE in scopes:
            tiles.append(Tile("待接案件", counts[scopes[QUEUE]][0], "/legal/waiting", urgent=True))
        if READ in scopes:
            tiles.append(Tile("七天内有期限的案件", counts[scopes[READ]][1], "/legal?due=7", urgent=True))
        return tiles

    # Lists

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the cases that the viewer may see, newest first."""
        form = visit.filters()
        names = ("status", "topic", "county", "receipt", "due")
        chosen = {name: form.raw(name).strip() for name in names}
        statuses = [CaseStatus(chosen["status"])] if chosen["status"] in set(CaseStatus) else []
        wanted = CaseFilter(
            statuses=tuple(statuses),
            topic=chosen["topic"],
            county=chosen["county"],
            receipt=chosen["receipt"].upper(),
            due_within_days=form.number("due", "期限", least=0, most=365, required=False),
        )
        after = form.number("after", "页码", least=1, most=10**12, required=False)
        page = await self._desk.cases(_scope(visit, READ), wanted, after=after)
        more = {**chosen, "after": page.after} if page.after is not None else None
        return visit.page(
            "legal/list.html",
            page=page,
            chosen=chosen,
            topics=self._topics,
            next=f"/legal?{urlencode(more)}" if more else None,
            first=f"/legal?{urlencode(chosen)}" if after else None,
        )

    async def waiting(self, visit: Visit) -> web.StreamResponse:
        """List what nobody has taken yet, the most urgent first; nothing sealed is opened."""
        page = await self._desk.waiting(_scope(visit, QUEUE))
        return visit.page(
            "legal/waiting.html", page=page, topics=self._topics, may_take=partial(visit.may_touch, TAKE)
        )

    # Taking a case

    async def ask_take(self, visit: Visit) -> web.StreamResponse:
        """Show what the comparison with the lawyer's own clients gives before the case is taken."""
        receipt, lawyer = visit.path("receipt"), visit.viewer.username
        found = await self._desk.conflict(receipt, lawyer, _scope(visit, TAKE))
        if visit.wants_fragment:
            return visit.part("legal/take.html", "panel", receipt=receipt, found=found)
        return visit.page("legal/take.html", receipt=receipt, found=found)

    async def take(self, visit: Visit) -> web.StreamResponse:
        """Take a waiting case, or stand aside; either way the comparison is kept."""
        receipt, lawyer, form = visit.path("receipt"), visit.viewer.username, await visit.form()
        decision: Literal["take", "decline"] = "decline" if form.raw("decision") == "decline" else "take"
        reason = form.text("reason", "说明", max_chars=128, required=False)
        scope = _scope(visit, TAKE)
        if decision == "decline":
            await self._desk.decide(receipt, lawyer, scope, decision, by=lawyer, source=visit.source, reason=reason)
            return visit.to("/legal/waiting", "legal.declined")
        outcome = await self._queue.assign(receipt, lawyer, scope, by=lawyer, source=visit.source)
        match outcome:
            case Assigned():
                await self._desk.decide(
                    receipt, lawyer, scope, decision, by=lawyer, source=visit.source, reason=reason
                )
                return visit.to(f"/legal/{receipt}", "legal.taken")
            case CaseTakenBy():
                return visit.to("/legal/waiting", "legal.taken_by", lawyer=outcome.lawyer)
            case _:
                assert_never(outcome)

    # One case

    async def case(self, visit: Visit) -> web.StreamResponse:
        """Show a case with its facts, limits, history and notes; name and phone are masked."""
        return await self._case_page(visit)

    async def evidence(self, visit: Visit) -> web.StreamResponse:
        """Answer a picture, marked with who looks at it, or a PDF; it is kept nowhere on the way."""
        receipt, number = visit.path("receipt"), int(visit.path("number"))
        file = await self._viewer.show(
            receipt, number, _scope(visit, READ), by=visit.viewer.username, source=visit.source
        )
        headers = {
            "Content-Disposition": f'inline; filename="{receipt}-{number}"',
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "no-store",
        }
        return web.Response(body=file.data, content_type=file.media_type, headers=headers)

    async def attempt(self, visit: Visit) -> web.StreamResponse:
        """Keep that the worker was called or written to."""
        receipt, form = visit.path("receipt"), await visit.form()
        count = await self._queue.note_attempt(
            receipt,
            _scope(visit, ADVISE),
            by=visit.viewer.username,
            reached=form.raw("reached") == "yes",
            source=visit.source,
        )
        return visit.to(f"/legal/{receipt}", "legal.attempt", count=count)

    async def note(self, visit: Visit) -> web.StreamResponse:
        """Keep a private note."""
        form = await visit.form()
        text = form.text("note", "备注", max_chars=NOTE_MAX_CHARS)
        if form.problems:
            return await self._case_page(visit, form)
        receipt = visit.path("receipt")
        await self._desk.add_note(
            receipt,
            _scope(visit, ADVISE),
            text,
            by=visit.viewer.username,
            source=visit.source,
            key=form.key,
        )
        return visit.to(f"/legal/{receipt}", "legal.noted")

    async def reply(self, visit: Visit) -> web.StreamResponse:
        """Answer the worker through a chat."""
        receipt, form = await self._mine(visit), await visit.form()
        text = form.text("reply", "回复", max_chars=REPLY_MAX_CHARS)
        if form.problems:
            return await self._case_page(visit, form)
        view = await self._desk.case(receipt, _scope(visit, ADVISE))
        outcome = await self._replies.reply(view.summary, text, by=visit.viewer.username, key=form.key)
        match outcome:
            case Replied():
                return visit.to(f"/legal/{receipt}", "legal.replied")
            case TakenBy():
                return visit.to(f"/legal/{receipt}", "legal.taken_by", lawyer=outcome.agent)
            case ChatIsOver():
                return visit.to(f"/legal/{receipt}", "legal.replied")
            case _:
                assert_never(outcome)

    async def move(self, visit: Visit) -> web.StreamResponse:
        """Take a case one step on."""
        receipt, form = await self._mine(visit), await visit.form()
        to = form.option("to", "进度", [status.value for status in OFFERED_STEPS])
        outcomes = [code for code, _ in visit.labels("case_outcome")]
        outcome = form.option("outcome", "结果", outcomes, required=to == CaseStatus.COMPLETED)
        reason = form.text("why", "说明", max_chars=64, required=to == CaseStatus.RETURNED)
        if form.problems:
            return await self._case_page(visit, form)
        await self._queue.move(
            receipt,
            CaseStatus(to),
            _scope(visit, ADVISE),
            by=visit.viewer.username,
            reason=reason,
            outcome=outcome or None,
            source=visit.source,
        )
        return visit.to(f"/legal/{receipt}", "legal.moved", status=visit.label(to, "case_status"))

    async def give_back(self, visit: Visit) -> web.StreamResponse:
        """Put a case back into the queue."""
        receipt, form = await self._mine(visit), await visit.form()
        reason = form.text("give_back_reason", "退回原因", max_chars=64)
        if form.problems:
            return await self._case_page(visit, form)
        await self._queue.move(
            receipt,
            CaseStatus.PENDING,
            _scope(visit, ADVISE),
            by=visit.viewer.username,
            reason=reason,
            source=visit.source,
        )
        return visit.to("/legal/waiting", "legal.given_back")

    async def reveal(self, visit: Visit) -> web.StreamResponse:
        """Show one masked field in full, for a reason that the trail keeps."""
        receipt, form = visit.path("receipt"), await visit.form()
        field: Literal["name", "phone"] = "name" if form.raw("field") == "name" else "phone"
        reason = form.text("reason", "事由", max_chars=120)
        if form.problems or len(reason) < REASON_MIN_CHARS:
            return await self._case_page(visit, form)
        shown = await self._desk.reveal(
            receipt, field, _scope(visit, UNMASK), by=visit.viewer.username, reason=reason, source=visit.source
        )
        return await self._case_page(visit, shown={field: shown})

    async def _mine(self, visit: Visit) -> str:
        """Return the receipt of a case that the viewer may advise on; raises NoSuchCase."""
        receipt = visit.path("receipt")
        await self._desk.evidence(receipt, _scope(visit, ADVISE))
        return receipt

    async def _case_page(
        self, visit: Visit, form: Form | None = None, shown: dict[str, str] | None = None
    ) -> web.Response:
        receipt, scope = visit.path("receipt"), _scope(visit, READ)
        view = await self._desk.case(receipt, scope)
        following = TRANSITIONS[view.summary.status]
        return visit.page(
            "legal/case.html",
            status=200 if form is None else 422,
            case=view,
            masked=_masked(view) | (shown or {}),
            shown=shown or {},
            topic=self._topics[view.summary.topic],
            fact_labels={fact.key: fact.label for topic in self._topics for fact in topic.facts},
            hints=await self._cases.hints(view.summary.topic, view.facts),
            evidence=await self._desk.evidence(receipt, scope),
            history=list(reversed(await self._queue.history(receipt))),
            notes=await self._desk.notes(receipt, scope),
            checks=await self._desk.checks(receipt, scope),
            steps=[
                (step.value, visit.label(step.value, "case_status")) for step in OFFERED_STEPS if step in following
            ],
            may_give_back=CaseStatus.PENDING in following,
            may_advise=visit.may_touch(ADVISE, county=view.summary.county, owner=view.summary.assigned_to),
            may_unmask=visit.may_touch(UNMASK, county=view.summary.county, owner=view.summary.assigned_to),
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
        )


def _scope(visit: Visit, permission: str) -> Scope:
    return Scope(county=visit.county_for(permission), lawyer=visit.owner_for(permission))


def _masked(view: CaseView) -> dict[str, str]:
    name = PersonName(view.name).masked() if len(view.name) > 1 else view.name
    return {"name": name, "phone": mask_number(view.phone) if view.phone else ""}

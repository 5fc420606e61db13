"""Questions and answers that staff edit, with a preview of what the bot says, versions, and a place to try them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import assert_never

from aiohttp import web

from actions.knowledge import KnowledgeActions
from bot.console.errors import BadAddress
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.dialogue.outcomes import Spoken
from bot.dialogue.render import Message, Renderer
from bot.knowledge.checks import COLUMN_MAX_CHARS, NEXT_STEPS, PLACEHOLDERS
from bot.knowledge.entries import EntryTable
from bot.knowledge.errors import EntryChanged
from bot.knowledge.models import Entry, EntryStatus
from bot.knowledge.rules import differences, may_answer
from bot.knowledge.service import KnowledgeService
from bot.understanding.models import INTENTS
from bot.values.clock import Clock
from bot.values.problem import Problem

READ, EDIT, PUBLISH = "knowledge:entry:read", "knowledge:entry:edit", "knowledge:entry:publish"
SOON = timedelta(days=30)
TRIED_MAX_CHARS = 200
CODE = "/knowledge/{code:[A-Z][0-9]{2,4}}"
FIELD_OF: Mapping[str, str] = {
    "knowledge.question_length": "question",
    "knowledge.question_empty": "variants",
    "knowledge.variant_length": "variants",
    "knowledge.variant_twice": "variants",
    "knowledge.answer_length": "answer",
    "knowledge.placeholder_form": "answer",
    "knowledge.placeholder_unknown": "answer",
    "knowledge.placeholder_in_fallback": "fallback_answer",
    "knowledge.placeholder_without_fallback": "fallback_answer",
    "knowledge.basis_missing": "basis",
    "knowledge.note_length": "note",
    "knowledge.service_unknown": "service",
    "knowledge.intents_missing": "intents",
    "knowledge.intent_unknown": "intents",
    "knowledge.next_step_unknown": "next_step",
    "knowledge.already_over": "valid_until",
}
"""The field that each problem stands beside; any other stands above the form."""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in the list, and whether it may be said today."""

    entry: Entry
    is_said: bool
    is_over: bool
    is_soon_over: bool


class KnowledgePages:
    """The entries. ``answers`` says an entry as the bot would, ``renderer`` words it."""

    def __init__(
        self,
        entries: EntryTable,
        knowledge: KnowledgeService,
        answers: KnowledgeActions,
        renderer: Renderer,
        clock: Clock,
    ) -> None:
        self._entries = entries
        self._knowledge = knowledge
        self._answers = answers
        self._renderer = renderer
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("问答库", "/knowledge", READ, "知识")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/knowledge", self.show, READ),
            Route("GET", "/knowledge/try", self.attempt, READ),
            Route("GET", "/knowledge/new", self.begin, EDIT),
            Route("POST", "/knowledge/new", self.create, EDIT),
            Route("GET", CODE, self.one, READ),
            Route("GET", f"{CODE}/edit", self.edit, EDIT),
            Route("POST", f"{CODE}/edit", self.save, EDIT),
            Route("POST", f"{CODE}/publish", self.publish, PUBLISH),
            Route("GET", f"{CODE}/retire", self.ask_retire, PUBLISH),
            Route("POST", f"{CODE}/retire", self.retire, PUBLISH),
            Route("POST", f"{CODE}/restore", self.restore, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many answers are out of date or will be soon, for those who can renew them."""
        if not visit.can(EDIT):
            return []
        lines = self._lines(await self._entries.entries(status=EntryStatus.PUBLISHED))
        return [
            Tile(
                "问答到期或将到期",
                sum(line.is_over or line.is_soon_over for line in lines),
                "/knowledge?validity=soon",
            )
        ]

    # Looking

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the entries."""
        form = visit.filters()
        chosen = {name: form.raw(name) for name in ("q", "section", "status", "intent", "validity")}
        lines = [line for line in self._lines(await self._entries.entries()) if _fits(line, chosen)]
        return visit.page("knowledge/list.html", lines=lines, chosen=chosen)

    async def one(self, visit: Visit) -> web.StreamResponse:
        """Show an entry as the bot says it, and its versions with what each changed."""
        entry = await self._entries.get(visit.path("code"))
        history = await self._entries.history(entry.code)
        steps = [
            (revision, differences(older.entry, revision.entry) if older is not None else [])
            for revision, older in zip(history, [*history[1:], None], strict=True)
        ]
        [line] = self._lines([entry])
        await visit.names()
        return visit.page("knowledge/entry.html", entry=entry, line=line, said=await self._said(entry), steps=steps)

    async def attempt(self, visit: Visit) -> web.StreamResponse:
        """Try a question: which entries are found, and how well they fit."""
        text = visit.filters().raw("text").strip()[:TRIED_MAX_CHARS]
        near = await self._knowledge.nearest(text) if text else []
        return visit.page(
            "knowledge/try.html",
            text=text,
            near=near,
            answer=await self._knowledge.answer_for(text) if text else None,
        )

    # Editing

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Show the form for a new entry; ``question`` may come from a message that found no answer."""
        question = visit.filters().raw("question")[:TRIED_MAX_CHARS]
        return await self._form_page(visit, None, typed={"question": question} if question else {})

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Store a new entry as a draft."""
        form = await visit.form()
        section = form.option("section", "分类", [code for code, _ in visit.labels("section")])
        draft = replace(_read(form), code=await self._entries.free_code(section) if section else "")
        if not form.problems:
            outcome = await self._entries.create(draft, by=visit.viewer.username, source=visit.source)
            if isinstance(outcome, Entry):
                return visit.to(f"/knowledge/{outcome.code}", "knowledge.created", code=outcome.code)
            _put(form, outcome)
        return await self._form_page(visit, None, form=form)

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """Show the form for an entry."""
        return await self._form_page(visit, await self._entries.get(visit.path("code")))

    async def save(self, visit: Visit) -> web.StreamResponse:
        """Store what was written as the next version; what somebody else wrote meanwhile is not lost."""
        current, form = await self._entries.get(visit.path("code")), await visit.form()
        version = form.number("version", "版本", least=1, most=10**6) or current.version
        edited = replace(_read(form), code=current.code, status=current.status, version=version)
        conflict: EntryChanged | None = None
        if not form.problems:
            try:
                outcome = await self._entries.save(edited, by=visit.viewer.username, source=visit.source)
            except EntryChanged as error:
                conflict = error
            else:
                if isinstance(outcome, Entry):
                    return visit.to(f"/knowledge/{outcome.code}", "knowledge.saved", version=outcome.version)
                _put(form, outcome)
        return await self._form_page(visit, current, form=form, conflict=conflict)

    async def publish(self, visit: Visit) -> web.StreamResponse:
        """Let the bot say an entry."""
        entry, form = await self._entries.get(visit.path("code")), await visit.form()
        version = form.number("version", "版本", least=1, most=10**6) or entry.version
        outcome = await self._entries.publish(entry.code, version, by=visit.viewer.username, source=visit.source)
        match outcome:
            case Entry():
                return visit.to(f"/knowledge/{entry.code}", "knowledge.published")
            case Problem():
                _put(form, outcome)
                return await self._form_page(visit, entry, form=form)
            case _:
                assert_never(outcome)

    async def ask_retire(self, visit: Visit) -> web.StreamResponse:
        """Say what taking an entry out of use means."""
        entry = await self._entries.get(visit.path("code"))
        if visit.wants_fragment:
            return visit.part("knowledge/retire.html", "panel", entry=entry)
        return visit.page("knowledge/retire.html", entry=entry)

    async def retire(self, visit: Visit) -> web.StreamResponse:
        """Take an entry out of use."""
        entry, form = await self._entries.get(visit.path("code")), await visit.form()
        version = form.number("version", "版本", least=1, most=10**6) or entry.version
        await self._entries.retire(entry.code, version, by=visit.viewer.username, source=visit.source)
        return visit.to(f"/knowledge/{entry.code}", "knowledge.retired")

    async def restore(self, visit: Visit) -> web.StreamResponse:
        """Store what an earlier version said as a new one; whether it is said stays as it is."""
        entry, form = await self._entries.get(visit.path("code")), await visit.form()
        wanted = form.number("to", "版本", least=1, most=10**6)
        revision = next((one for one in await self._entries.history(entry.code) if one.version == wanted), None)
        if revision is None or wanted is None:
            raise BadAddress(name="to")
        earlier = replace(revision.entry, status=entry.status, version=entry.version)
        outcome = await self._entries.save(earlier, by=visit.viewer.username, source=visit.source)
        if isinstance(outcome, Problem):
            _put(form, outcome)
            return await self._form_page(visit, earlier, form=form)
        return visit.to(f"/knowledge/{entry.code}", "knowledge.restored", version=wanted)

    # Parts

    async def _form_page(
        self,
        visit: Visit,
        entry: Entry | None,
        *,
        form: Form | None = None,
        typed: Mapping[str, str] | None = None,
        conflict: EntryChanged | None = None,
    ) -> web.Response:
        return visit.page(
            "knowledge/form.html",
            status=200 if form is None else 422 if conflict is None else 409,
            entry=entry,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else (typed or {}),
            ticked=form.options("intents", "意图", INTENTS) if form is not None else (entry.intents if entry else ()),
            conflict=visit.error(conflict) if conflict is not None else None,
            version=conflict.fields["version"] if conflict is not None else entry.version if entry else 1,
            next_steps=[(code, label) for code, label in visit.labels("next_step") if code in NEXT_STEPS],
            placeholders=PLACEHOLDERS,
            faq_intents=[(code, label) for code, label in visit.labels("intent") if code in INTENTS],
        )

    async def _said(self, entry: Entry) -> tuple[Message, ...]:
        say = await self._answers.say(entry)
        return self._renderer.render([Spoken(say.response, say.fields, say.options)])

    def _lines(self, entries: Sequence[Entry]) -> list[Line]:
        today = self._clock.now().date()
        return [
            Line(
                entry,
                is_said=may_answer(entry, today),
                is_over=_is_within(entry.valid_until, None, today - timedelta(days=1)),
                is_soon_over=_is_within(entry.valid_until, today, today + SOON),
            )
            for entry in entries
        ]


def _is_within(day: date | None, first: date | None, last: date) -> bool:
    return day is not None and (first is None or first <= day) and day <= last


def _fits(line: Line, chosen: Mapping[str, str]) -> bool:
    entry, words = line.entry, chosen["q"].lower().split()
    text = "\n".join((entry.code, entry.question, *entry.variants, entry.answer, entry.basis)).lower()
    return (
        all(word in text for word in words)
        and (not chosen["section"] or entry.code.startswith(chosen["section"]))
        and (not chosen["status"] or entry.status.value == chosen["status"])
        and (not chosen["intent"] or chosen["intent"] in entry.intents)
        and (chosen["validity"] != "over" or line.is_over)
        and (chosen["validity"] != "soon" or line.is_over or line.is_soon_over)
    )


def _read(form: Form) -> Entry:
    variants = [line.strip() for line in form.raw("variants").splitlines()]
    return Entry(
        code="",
        question=form.text("question", "标准问题"),
        variants=tuple(filter(None, variants)),
        answer=form.text("answer", "回答"),
        fallback_answer=form.text("fallback_answer", "备用回答", required=False),
        basis=form.text("basis", "依据", max_chars=COLUMN_MAX_CHARS, required=False),
        intents=tuple(form.options("intents", "意图", INTENTS)),
        service=form.text("service", "取哪项活动的数据", required=False),
        next_step=form.option("next_step", "下一步", NEXT_STEPS) or "none",
        valid_until=form.day("valid_until", "有效期至", required=False),
        status=EntryStatus.DRAFT,
        note=form.text("note", "备注", max_chars=COLUMN_MAX_CHARS, required=False),
        version=1,
    )


def _put(form: Form, problem: Problem) -> None:
    form.note(FIELD_OF.get(problem.code, "form"), problem)

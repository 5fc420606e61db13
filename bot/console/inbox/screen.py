"""What the inbox shows: the list, the chat with its composer, and what stands beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.inbox.address import chosen, query_of, wanted_chats
from bot.console.inbox.composer import Composer
from bot.console.inbox.lines import ShownLine, Words, shown_line
from bot.console.inbox.parts import ALERTS, ANSWER, ASSIGN, FOLLOWERS, READ, UNMASK, InboxParts, scope_of
from bot.console.visit import Visit
from bot.followers.models import FollowerView
from bot.inbox.errors import NoSuchChat
from bot.inbox.filters import Cursor, Tab
from bot.inbox.rules import Mark, mark_of
from bot.inbox.views import ChatView
from bot.legal.models import CaseSummary
from bot.registrations.views import RegistrationView
from bot.values.counties import County
from bot.values.texts import mask_personal

TEMPLATE: Final = "inbox/show.html"
SUMMARY: Final = 0
"""Stands for the words of the handover where lines have their numbers."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How a chat stands to its targets, and how long the follower has waited for an answer, in minutes."""

    first_answer: Mark
    resolution: Mark
    waited_minutes: int | None


@dataclass(frozen=True, slots=True)
class Aside:
    """What stands beside a chat: who the follower is, masked, and what they have asked of the union.

    ``reference`` leads to everything that is kept about them, for those who may see it.
    """

    follower: FollowerView | None
    name: str
    registrations: Sequence[RegistrationView]
    cases: Sequence[CaseSummary]
    others: Sequence[ChatView]
    notes: Sequence[tuple[ChatView, ShownLine]]
    reference: str | None


@dataclass(slots=True)
class Typed:
    """What somebody wrote that was not accepted, or that a canned reply puts into the composer.

    ``revealed`` are words in plain that were granted to this very request, by the line's number, ``SUMMARY`` for what
    was said when the chat was handed over.
    """

    form: Form | None = None
    values: dict[str, str] = field(default_factory=dict)
    revealed: dict[int, str] = field(default_factory=dict)


class InboxScreen:
    """Collects what the templates show. Every read is within what the viewer may see."""

    def __init__(self, parts: InboxParts) -> None:
        self._parts = parts
        self._composer = Composer(parts)

    async def visible(self, visit: Visit, permission: str = READ) -> ChatView:
        """Return the chat of the address if ``permission`` covers it; raises NotFound."""
        try:
            return await self._parts.lists.get(int(visit.path("chat")), scope_of(visit, permission))
        except NoSuchChat as error:
            raise NotFound from error

    async def list_page(self, visit: Visit) -> web.Response:
        """Answer the list without a chat, or the list alone for a script."""
        values = await self.list_values(visit)
        if visit.wants_fragment:
            return visit.part(TEMPLATE, "list", chat=None, **values)
        return visit.page(TEMPLATE, chat=None, **values)

    async def chat_page(self, visit: Visit, chat: ChatView, typed: Typed | None = None) -> web.Response:
        """Answer a chat beside the list, or the chat alone for a script; what was refused stands as it was typed."""
        typed = typed or Typed()
        form = typed.form
        problems = form.problems if form is not None else {}
        words = await self._words(visit)
        values = await self._chat(visit, chat, words, typed.revealed)
        values |= {"problems": problems, "typed": typed.values | (form.typed() if form is not None else {})}
        status = 422 if problems else 200
        if visit.wants_fragment:
            return visit.part(TEMPLATE, "conversation", status=status, query=query_of(visit), **values)
        beside = {"aside": await self._aside(visit, chat, words), **await self._list(visit, words)}
        return visit.page(TEMPLATE, status=status, **{**beside, **values})

    async def list_values(self, visit: Visit) -> dict[str, Any]:
        """Return what the list shows."""
        return await self._list(visit, await self._words(visit))

    # The list

    async def _list(self, visit: Visit, words: Words) -> dict[str, Any]:
        wanted, after = wanted_chats(visit), Cursor.read(visit.filters().raw("after"))
        scope, viewer = scope_of(visit, READ), visit.viewer.username
        if wanted.like is not None:
            # Whose chats are asked for must be somebody whose chat the viewer may see.
            try:
                await self._parts.lists.get(wanted.like, scope)
            except NoSuchChat as error:
                raise NotFound from error
        page = await self._parts.lists.page(scope, wanted, viewer, after=after)
        query = query_of(visit)
        now = self._parts.clock.now()
        return {
            "lines": [(line, self._marks(line.chat, now)) for line in page.lines],
            "counts": await self._parts.lists.counts(scope, viewer),
            "open_alerts": await self._parts.duty.count(scope_of(visit, ALERTS)) if visit.can(ALERTS) else 0,
            "queues": words.queues,
            "reasons": words.reasons,
            "counties": [(one.code, one.short) for one in County] if scope.county is None else [],
            "today": now.date(),
            "tab": wanted.tab.value,
            "tabs": {one.value: query_of(visit, tab=one.value) for one in Tab},
            "chosen": chosen(visit),
            "query": query,
            "next": f"/inbox?{query}&after={page.after}" if page.after is not None else None,
            "first": f"/inbox?{query}" if after is not None else None,
        }

    # The chat

    async def _chat(self, visit: Visit, chat: ChatView, words: Words, revealed: Mapping[int, str]) -> dict[str, Any]:
        parts, now = self._parts, self._parts.clock.now()
        mine = chat.claimed_by == visit.viewer.username
        before = visit.filters().number("before", "位置", least=1, most=10**12, required=False)
        lines = await parts.lists.lines(chat.id, before=before)
        may_answer = visit.may_touch(ANSWER, county=chat.county, owner=chat.claimed_by)
        can_answer = may_answer and chat.is_running and (mine or chat.claimed_by is None)
        return {
            "chat": chat,
            "today": now.date(),
            "chat_lines": [shown_line(line, words, revealed) for line in lines.lines],
            "before": lines.before,
            **await self._handover(chat, revealed),
            "marks": self._marks(chat, now),
            "left": await self._composer.left(chat, lines.lines) if chat.is_running else None,
            "mine": mine,
            "can_answer": can_answer,
            "may_note": may_answer,
            "may_assign": chat.is_running and (can_answer or self._may_assign(visit, chat)),
            "may_reopen": may_answer and not chat.is_running,
            "may_unmask": visit.may_touch(UNMASK, county=chat.county, owner=chat.claimed_by),
            "has_template": parts.has_template and not chat.is_urgent,
            "canned": await self._composer.canned(visit, chat) if can_answer else [],
            "queues": words.queues,
            "reasons": words.reasons,
        }

    async def _words(self, visit: Visit) -> Words:
        office = self._parts.office
        reasons = {reason.code: reason.label for reason in await office.reasons(offered=False)}
        queues = {queue.topic: queue.label for queue in await office.queues()}
        return Words(await visit.names(), queues, reasons, visit.label)

    async def _handover(self, chat: ChatView, revealed: Mapping[int, str]) -> dict[str, Any]:
        """Return what was said when the chat was handed over, masked unless it was just revealed."""
        summary = await self._parts.desk.summary(chat.id)
        masked = revealed.get(SUMMARY, mask_personal(summary))
        return {"summary": masked, "summary_is_masked": masked != summary}

    def _may_assign(self, visit: Visit, chat: ChatView) -> bool:
        return visit.may_touch(ASSIGN, county=chat.county, owner=chat.claimed_by)

    def _marks(self, chat: ChatView, now: datetime) -> Marks:
        waited = None
        if chat.is_running and chat.unanswered_since is not None:
            waited = int((now - chat.unanswered_since).total_seconds() // 60)
        return Marks(
            mark_of(chat.opened_at, chat.first_answer_due_at, chat.first_answer_at or chat.closed_at, now),
            mark_of(chat.opened_at, chat.resolution_due_at, chat.closed_at, now),
            waited,
        )

    # Beside it

    async def _aside(self, visit: Visit, chat: ChatView, words: Words) -> Aside:
        parts, scope = self._parts, scope_of(visit, READ)
        registrations = await parts.registrations.find_for(chat.openid, limit=5)
        cases = await parts.cases.cases_of(chat.openid)
        if scope.county is not None:
            registrations = tuple(one for one in registrations if one.county == scope.county)
            cases = [one for one in cases if one.county == scope.county]
        own = next((one.name_masked for one in registrations if one.relation == "self"), "")
        return Aside(
            await parts.followers.find(chat.openid),
            own,
            registrations,
            cases,
            await parts.lists.others(chat, scope),
            [(of, shown_line(note, words, {})) for of, note in await parts.lists.notes(chat, scope)],
            parts.references.of(chat.openid) if visit.can(FOLLOWERS) else None,
        )

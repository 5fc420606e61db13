"""Canned replies: the texts that agents use often, written by the agents themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.canned import CannedReplies, Reply, ReplyDraft
from bot.inbox.errors import ReplyChanged
from bot.inbox.office import InboxOffice
from bot.inbox.placeholders import PLACEHOLDERS, fill

EDIT: Final = "inbox:reply:edit"
REPLY: Final = "/inbox/replies/{reply:[0-9]{1,9}}"
SAMPLES: Final = {
    "name": "龙同志",
    "receipt": "FL26-0615-0001",
    "number": "KF000012",
    "open_at": "明天上午九点",
    "hours": "09:00–17:00",
}
"""What stands in a preview; ``agent`` is whoever looks at it."""
TYPED_MAX_CHARS: Final = 2_000
"""What is shown again when it was refused; the rules of the subject are stricter."""


class CannedPages:
    """The list of replies, and one form for new ones and changes."""

    def __init__(self, replies: CannedReplies, office: InboxOffice) -> None:
        self._replies = replies
        self._office = office

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("常用语", "/inbox/replies", EDIT, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/inbox/replies", self.show, EDIT),
            Route("GET", "/inbox/replies/new", self.new, EDIT),
            Route("POST", "/inbox/replies/new", self.create, EDIT),
            Route("GET", REPLY, self.edit, EDIT),
            Route("POST", REPLY, self.save, EDIT),
            Route("POST", f"{REPLY}/offer", self.offer, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the replies, those in use first, as a follower would read them."""
        values = self._values(visit)
        replies = [(reply, fill(reply.text, values).text) for reply in await self._replies.all()]
        return visit.page("inbox/replies.html", replies=replies, queues=await self._queues())

    async def new(self, visit: Visit) -> web.StreamResponse:
        """Ask for a reply."""
        return await self._form_page(visit, None)

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Store a new reply."""
        form = await visit.form()
        draft = await self._draft(form)
        if not form.problems:
            outcome = await self._replies.create(draft, by=visit.viewer.username, source=visit.source)
            if isinstance(outcome, Reply):
                return visit.to("/inbox/replies", "inbox.reply_created")
            form.problems.update(outcome)
        return await self._form_page(visit, None, form)

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """Show one reply in its form."""
        return await self._form_page(visit, await self._reply(visit))

    async def save(self, visit: Visit) -> web.StreamResponse:
        """Store a change; what a colleague changed meanwhile is not overwritten."""
        reply, form = await self._reply(visit), await visit.form()
        draft = await self._draft(form)
        version = form.number("version", "版本", least=1, most=10**6)
        if form.problems or version is None:
            return await self._form_page(visit, reply, form)
        try:
            outcome = await self._replies.save(
                reply.id, draft, version=version, by=visit.viewer.username, source=visit.source
            )
        except ReplyChanged as error:
            return await self._form_page(visit, reply, form, trouble=visit.error(error))
        if isinstance(outcome, Reply):
            return visit.to("/inbox/replies", "inbox.reply_saved")
        form.problems.update(outcome)
        return await self._form_page(visit, reply, form)

    async def offer(self, visit: Visit) -> web.StreamResponse:
        """Offer a reply in chats, or no longer."""
        reply, form = await self._reply(visit), await visit.form()
        offered = form.raw("offered") == "yes"
        await self._replies.offer(reply.id, offered=offered, by=visit.viewer.username, source=visit.source)
        return visit.to("/inbox/replies", "inbox.reply_offered" if offered else "inbox.reply_withdrawn")

    async def _reply(self, visit: Visit) -> Reply:
        return await self._replies.get(int(visit.path("reply")))

    async def _draft(self, form: Form) -> ReplyDraft:
        title = form.text("title", "标题", max_chars=TYPED_MAX_CHARS)
        text = form.text("text", "内容", max_chars=TYPED_MAX_CHARS)
        topic = form.option("topic", "类别", (await self._queues()).keys(), required=False)
        return ReplyDraft(title, text, topic or None)

    async def _form_page(
        self, visit: Visit, reply: Reply | None, form: Form | None = None, *, trouble: str = ""
    ) -> web.Response:
        values: dict[str, Any] = {
            "reply": reply,
            "queues": await self._queues(),
            "placeholders": [(f"{{{name}}}", label) for name, label in PLACEHOLDERS.items()],
            "trouble": trouble,
        }
        if form is None:
            return visit.page("inbox/reply.html", **values)
        status = 409 if trouble else 422
        preview = fill(form.raw("text"), self._values(visit)).text
        return visit.page(
            "inbox/reply.html", status=status, preview=preview, problems=form.problems, typed=form.typed(), **values
        )

    async def _queues(self) -> Mapping[str, str]:
        return {queue.topic: queue.label for queue in await self._office.queues()}

    def _values(self, visit: Visit) -> Mapping[str, str]:
        return {**SAMPLES, "agent": visit.viewer.account.display_name}

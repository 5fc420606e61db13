"""Ways out of a step of a chat: back to it, or with a word about why nothing was done."""

from aiohttp import web

from bot.console.visit import Visit
from bot.inbox.desk import ChatIsOver, TakenBy
from bot.inbox.views import ChatView


def back_to(visit: Visit, chat: ChatView, notice: str | None = None, **fields: str) -> web.Response:
    """Return to a chat beside the list from which it was opened."""
    query = visit.request.query_string
    return visit.to(f"/inbox/{chat.id}" + (f"?{query}" if query else "?tab=mine"), notice, **fields)


async def refused(visit: Visit, chat: ChatView, outcome: TakenBy | ChatIsOver) -> web.Response:
    """Return to a chat that a colleague has, or that is over, and say so."""
    if isinstance(outcome, TakenBy):
        return back_to(visit, chat, "inbox.taken_by", agent=(await visit.names()).of(outcome.agent))
    return back_to(visit, chat, "inbox.over")

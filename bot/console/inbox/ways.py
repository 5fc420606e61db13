"""Ways out of a step of a chat: back to it, or with a word about why nothing was done."""

from aiohttp import web

from bot.console.inbox.parts import InboxParts
from bot.console.visit import Visit
from bot.inbox.desk import ChatIsOver, TakenBy
from bot.inbox.views import ChatView


def back_to(visit: Visit, chat: ChatView, notice: str | None = None, **fields: str) -> web.Response:
    """Return to a chat beside the list from which it was opened."""
    query = visit.request.query_string
    return visit.to(f"/inbox/{chat.id}" + (f"?{query}" if query else "?tab=mine"), notice, **fields)


async def refused(visit: Visit, parts: InboxParts, chat: ChatView, outcome: TakenBy | ChatIsOver) -> web.Response:
    """Return to a chat that a colleague has, or that is over, and say so."""
    if isinstance(outcome, TakenBy):
        return back_to(visit, chat, "inbox.taken_by", agent=await agent_name(parts, outcome.agent))
    return back_to(visit, chat, "inbox.over")


async def agent_name(parts: InboxParts, username: str) -> str:
    """Return what somebody is called."""
    return (await parts.agents.names()).get(username, username)

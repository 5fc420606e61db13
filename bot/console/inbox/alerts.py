"""Alerts about dangers: what nobody has taken yet, and taking one."""

from collections.abc import Sequence
from typing import Final, assert_never

from aiohttp import web

from bot.console.inbox.parts import ALERTS, scope_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.inbox.duty import AlertDuty, Taken, TakenBySomebody
from bot.values.texts import mask_personal

TAKE: Final = "inbox:alert:acknowledge"


class AlertPages:
    """For the people on duty. Whoever takes an alert goes on in the follower's chat."""

    def __init__(self, duty: AlertDuty) -> None:
        self._duty = duty

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("危险提醒", "/inbox/alerts", ALERTS, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/inbox/alerts", self.show, ALERTS),
            Route("POST", "/inbox/alerts/{alert:[0-9]{1,9}}/take", self.take, TAKE),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many alerts nobody has taken."""
        if not visit.can(ALERTS):
            return []
        return [Tile("危险提醒没人接", await self._duty.count(scope_of(visit, ALERTS)), "/inbox/alerts", urgent=True)]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List what nobody has taken, the gravest first."""
        waiting = await self._duty.waiting(scope_of(visit, ALERTS))
        alerts = [(line, mask_personal(line.alert.detail)) for line in waiting]
        return visit.page("inbox/alerts.html", alerts=alerts, may_take=visit.can(TAKE))

    async def take(self, visit: Visit) -> web.StreamResponse:
        """Take an alert, and open the chat."""
        scope = scope_of(visit, TAKE)
        outcome = await self._duty.take(int(visit.path("alert")), visit.viewer.username, scope, source=visit.source)
        match outcome:
            case Taken(chat_id=None):
                return visit.to("/inbox/alerts", "inbox.alert_taken")
            case Taken():
                return visit.to(f"/inbox/{outcome.chat_id}?tab=all", "inbox.alert_taken")
            case TakenBySomebody():
                agent = (await visit.names()).of(outcome.agent)
                return visit.to("/inbox/alerts", "inbox.alert_taken_by", agent=agent)
            case _:
                assert_never(outcome)

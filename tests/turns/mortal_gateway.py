"""A real gateway in a process of its own, which can be told to die at a step of a turn, and to do without a guard.

It is the product's composition; the steps and the null guards are wrapped around its parts here.
"""

import asyncio
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

import uvloop
from aiohttp import web

from bot.app.assistant import Bot, open_bot
from bot.gateway.server import Gateway, Metrics
from bot.settings import Settings
from bot.storage.redis import RedisLink
from bot.turns.answers import Answer
from bot.turns.models import Claim, Commit, Incoming, OutboxEntry, Run
from bot.turns.service import Responder, TurnService
from bot.turns.store import LOCK_TTL_MS, Arrivals, TurnStore
from bot.wechat.models import Inbound
from tests.turns.registering import Registering
from tests.turns.scripted import said

Step = Literal["never", "claimed", "unwritten", "answered", "written", "committed"]
"""After the claim; just before the answer writes to SQL; after that, before it is kept there; between the commits to
SQL and to Redis; after both, before the answer goes out."""


@dataclass(frozen=True, slots=True)
class Mortality:
    """Die with SIGKILL at ``step`` of the turn of a message that holds ``words``."""

    step: Step = "never"
    words: str = ""

    def reached(self, step: Step, text: str) -> None:
        """End the process here if it is meant to."""
        if step == self.step and self.words in text:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """What kind of gateway to run. ``flows``: the real conversation answers, not the registering responder.

    ``guarded`` false replaces the store of turns by one that claims always; ``keyed`` false lets every run of a
    message write under a key of its own.
    """

    settings: Settings
    mortality: Mortality = Mortality()
    flows: bool = False
    guarded: bool = True
    keyed: bool = True
    lock_ttl_ms: int = LOCK_TTL_MS


class MortalStore(TurnStore):
    """The real store, in a process that may die around its steps."""

    mortality = Mortality()

    async def claim(self, incoming: Incoming) -> Claim:
        claim = await super().claim(incoming)
        if isinstance(claim, Run):
            self.mortality.reached("claimed", incoming.body.decode())
        return claim

    async def commit(self, incoming: Incoming, commit: Commit) -> bool:
        self.mortality.reached("written", incoming.body.decode())
        written = await super().commit(incoming, commit)
        self.mortality.reached("committed", incoming.body.decode())
        return written


class CarelessStore(MortalStore):
    """The null guard: every attempt may run, nothing is remembered but the dialogue."""

    link: RedisLink

    async def claim(self, incoming: Incoming) -> Claim:
        state = await self.link.call("GET", f"careless:{incoming.openid}")
        return Run(0, state if isinstance(state, bytes) else b"", None, 1)

    async def commit(self, incoming: Incoming, commit: Commit) -> bool:
        self.mortality.reached("written", incoming.body.decode())
        await self.link.call("SET", f"careless:{incoming.openid}", commit.state)
        self.mortality.reached("committed", incoming.body.decode())
        return True

    async def extend(self, incoming: Incoming, fence: int) -> bool:  # noqa: ARG002 - The signature is the store's.
        return True

    async def release(self, incoming: Incoming, fence: int, *, blameless: bool = False) -> None:
        """Nothing is held."""

    async def redirect(self, incoming: Incoming, entries: tuple[OutboxEntry, ...]) -> bool:  # noqa: ARG002
        return False


@dataclass(frozen=True, slots=True)
class MortalResponder:
    """A responder in a process that may die before or after it writes."""

    inner: Responder
    mortality: Mortality

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        self.mortality.reached("unwritten", said(message))
        answer = await self.inner.respond(message, stored)
        self.mortality.reached("answered", said(message))
        return answer

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        return self.inner.apologise(message, stored)


def run(plan: GatewayPlan, parent: Connection) -> None:
    """Serve until ``parent`` closes its end, on the loop that the command uses; the port is sent there first."""
    uvloop.run(_serve(plan, parent))


async def _serve(plan: GatewayPlan, parent: Connection) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), stopped.set)
    async with open_bot(plan.settings) as bot:
        arrivals = Arrivals(bot.link)
        await arrivals.start()
        turns = _turns(plan, bot, arrivals)
        gateway = Gateway(bot.codec, turns, Metrics(), _ready, deadline_s=plan.settings.turn_deadline_s)
        runner = web.AppRunner(gateway.application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        parent.send(runner.addresses[0][1])
        await stopped.wait()
        await runner.cleanup()
        await arrivals.close()


def _turns(plan: GatewayPlan, bot: Bot, arrivals: Arrivals) -> TurnService:
    records = bot.records
    kind = MortalStore if plan.guarded else CarelessStore
    store = kind(bot.link, records.cipher, records.clock, state_ttl_s=86_400, lock_ttl_ms=plan.lock_ttl_ms)
    store.mortality = plan.mortality
    if isinstance(store, CarelessStore):
        store.link = bot.link
    inner = bot.turns.responder if plan.flows else Registering(records, keyed=plan.keyed)
    responder = MortalResponder(inner, plan.mortality)
    answers = records.kept_answers if plan.flows else None
    return TurnService(store, arrivals, responder, records.clock, link_choices=False, answers=answers)


async def _ready() -> dict[str, bool]:
    return {"tests": True}

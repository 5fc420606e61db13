"""A responder without flows: it counts a follower's messages in the dialogue and answers with the count."""

import asyncio
from dataclasses import dataclass, field

from bot.turns.answers import Answer
from bot.wechat.models import Inbound, OutText, TextMessage

APOLOGY = "没处理成"
BROKEN = RuntimeError("the responder is broken")


@dataclass
class Scripted:
    """Answers ``第<n>条：<text>``, where n is how often the dialogue was advanced.

    ``go_on`` holds every answer back while it is cleared; ``errors`` are raised by the next answers, one each;
    ``more`` are further texts behind the answer.
    """

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    more: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.go_on.set()

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        """Return the next count."""
        text = said(message)
        self.begun.append(text)
        await self.go_on.wait()
        if self.errors:
            raise self.errors.pop(0)
        count = int(stored or b"0") + 1
        texts = (f"第{count}条：{text}", *self.more)
        return Answer(message, str(count).encode(), tuple(OutText(one) for one in texts), text)

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        """Say so, and leave the dialogue as it is."""
        return Answer(message, stored, (OutText(APOLOGY),))


def said(message: Inbound) -> str:
    """Return a text message's words, the name of anything else."""
    return message.content if isinstance(message, TextMessage) else type(message).__name__

"""A follower's chat with the whole assistant, as the runner of conversation tests wants it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, NoReturn

from bot.dialogue.events import Event, SlotValue
from bot.dialogue.models import DialogueState, Understood
from bot.dialogue.state_json import from_json, to_json
from bot.simulator import pushes
from bot.simulator.bubbles import Bubble, FaultBubble, MenuBubble, TextBubble, bubble_text, plain_text, text_links
from bot.simulator.models import Exchange
from bot.turns.models import FollowerKeys
from bot.turns.store import STATE
from bot.values.clock import MovedClock
from tests.conversations.staff import Staff
from tests.storage.pictures import phone_photo
from tests.support.assistant import Assistant
from tests.support.conversations import Part, Reply

FIRST_FOLLOWER: Final = "杨师傅"
NOT_A_PICTURE: Final = "broken"
"""The picture of this name is none; every other one is a photo."""
SETTLED: Final = timedelta(minutes=1)
"""How far the clock goes on while the worker does what is due."""

_NUMBER = re.compile(r"\d+ ")


class AssistantChat:
    """One case's followers, one of whom has the word. Everything goes over HTTP; state lives in the stores only."""

    def __init__(self, assistant: Assistant, clock: MovedClock) -> None:
        self.assistant = assistant
        self._clock = clock
        self._openids: dict[str, str] = {}
        self._staff = Staff(assistant, clock)
        self.openid = self._openid(FIRST_FOLLOWER)

    # What the follower does

    async def say(self, text: str, understood: Understood | None) -> Sequence[Reply]:
        assert understood is None, "the real NLU answers here"
        return await self._heard(await self.assistant.say(self.openid, text))

    async def tap(self, label: str) -> Sequence[Reply]:
        platform = self.assistant.platform
        links = [link for shown in reversed(platform.seen(self.openid)) for link in shown.links]
        link = next((one for one in links if _unnumbered(one.label) == label), None)
        assert link is not None, f"nothing on the screen is called {label}"
        return await self._heard(await platform.say(self.openid, link.sends, menu_id=link.menu_id))

    async def send_picture(self, media_id: str) -> Sequence[Reply]:
        data = b"no picture at all" if media_id == NOT_A_PICTURE else phone_photo()
        return await self._heard(await self.assistant.platform.send_image(self.openid, data))

    async def send_event(self, event: str) -> Sequence[Reply]:
        return await self._heard(await self._happen(event))

    async def _happen(self, event: str) -> Exchange:
        platform, (name, _, scene) = self.assistant.platform, event.partition(":")
        match name:
            case "subscribe":
                return await platform.follow(self.openid, scene)
            case "unsubscribe":
                return await platform.unfollow(self.openid)
            case "scan":
                return await platform.scan(self.openid, scene)
            case "voice":
                return await platform.send_voice(self.openid, "听不见")
            case "video":
                return await platform.send_video(self.openid)
            case "location":
                return await platform.send_location(self.openid, 27.7, 109.2, "铜仁市碧江区")
            case "link":
                return await platform.send_link(self.openid, "标题", "说明", "https://example.invalid/")
            case "file":
                return await platform.do(self.openid, pushes.anything("file", {"Title": "表.docx"}))
            case "":
                raise ValueError("an event has a name")
            case _:
                # Anything else is the key of a menu button.
                return await platform.do(self.openid, pushes.click(event, event))

    async def _heard(self, exchange: Exchange) -> Sequence[Reply]:
        """Return the passive reply and, if there is more to it, what the outbox sends."""
        platform = self.assistant.platform
        assert not platform.violations, f"the platform refused the reply: {platform.violations}"
        assert exchange.attempts[-1].answered, f"no answer: {exchange.attempts}"
        shown = list(exchange.shown)
        if await self.assistant.bot.link.call("XLEN", self._keys.outbox):
            before = platform.transcript.last_seq
            await self.assistant.work_off()
            shown += platform.seen(self.openid, before)
        return [reply for one in shown for reply in _replies(one.bubble)]

    # What happens around them

    async def wait(self) -> Sequence[Reply]:
        before = self.assistant.platform.transcript.last_seq
        self._clock.move(SETTLED)
        # What one job plans, another one sends.
        await self.assistant.work_off()
        await self.assistant.work_off()
        return [reply for one in self.assistant.platform.seen(self.openid, before) for reply in _replies(one.bubble)]

    async def become(self, name: str) -> None:
        self.openid = self._openid(name)

    async def act(self, part: Part) -> None:
        await self._staff.act(part, self.openid)

    async def restart(self) -> None:
        await self.assistant.restart()

    async def move_clock(self, delta: timedelta) -> None:
        self._clock.move(delta)

    # What is stored

    async def slots(self) -> Mapping[str, SlotValue]:
        return (await self.state()).slots

    async def state(self) -> DialogueState:
        """Return the follower's dialogue as it is stored."""
        _, state = await self._stored()
        return state

    async def fill(self, slots: Mapping[str, SlotValue]) -> None:
        owner, state = await self._stored()
        body = owner + to_json(replace(state, slots={**state.slots, **slots})).encode()
        sealed = self.assistant.bot.records.cipher.seal_bytes(body, STATE)
        await self.assistant.bot.link.call("SET", self._keys.state, sealed)

    async def handed_over(self) -> str | None:
        chat = await self.assistant.bot.records.inbox.open_chat_of(self.openid)
        return None if chat is None else chat.topic

    def script(self, action: str, events: Sequence[Event]) -> NoReturn:
        del events
        raise ValueError(f"{action} and all other actions are the real ones here")

    async def _stored(self) -> tuple[bytes, DialogueState]:
        sealed = await self.assistant.bot.link.call("GET", self._keys.state)
        if sealed is None:
            return b"B", DialogueState()
        assert isinstance(sealed, bytes)
        body = self.assistant.bot.records.cipher.open_bytes(sealed, STATE)
        return body[:1], from_json(body[1:].decode())

    @property
    def _keys(self) -> FollowerKeys:
        return FollowerKeys.of(self.openid)

    def _openid(self, name: str) -> str:
        if name not in self._openids:
            self._openids[name] = self.assistant.platform.add_follower(name).openid
        return self._openids[name]


def _replies(bubble: Bubble) -> list[Reply]:
    """Return the bot's messages in one bubble: a passive reply holds several, with an empty line between them."""
    match bubble:
        case TextBubble(text):
            return [_reply(block) for block in text.split("\n\n")]
        case MenuBubble(head, items, _):
            *before, last = head.split("\n\n")
            menu = Reply(plain_text(last), tuple(item.content for item in items))
            return [*map(_reply, before), menu]
        case FaultBubble(text):
            raise AssertionError(f"the platform shows a fault: {text}")
        case _:
            return [Reply(bubble_text(bubble))]


def _reply(block: str) -> Reply:
    """Return one message; lines that are links as a whole are its choices."""
    lines, options = list[str](), list[str]()
    for line in block.split("\n"):
        links = text_links(line)
        if len(links) == 1 and plain_text(line) == links[0].label:
            options.append(_unnumbered(links[0].label))
        else:
            lines.append(plain_text(line))
    return Reply("\n".join(lines), tuple(options))


def _unnumbered(label: str) -> str:
    return _NUMBER.sub("", label, count=1)

"""Runs conversations written in YAML, Rasa's end-to-end format, against anything that can hold one.

The same file runs against the bare engine with scripted actions and against the whole assistant. The format is
described in ``docs/flows.md``, Conversation tests.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, cast, get_args

import yaml

from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.events import Event, HandOver, OfferOptions, Option, Reject, Say, SetSlots, SlotValue
from bot.dialogue.models import Certainty, Understood
from bot.values.problem import FieldValue, Problem

ANY = "{any}"
SHARED = "shared.yml"
_CLOCK = re.compile(r"\+(\d+)(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Part = Mapping[str, object]
"""One step of a case as YAML gives it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of the bot: its text, and the labels of what can be tapped."""

    text: str
    options: tuple[str, ...] = ()


class Conversation(Protocol):
    """A follower's conversation with the bot."""

    async def say(self, text: str, understood: Understood | None) -> Sequence[Reply]:
        """Write a text; ``understood`` scripts the NLU where there is none."""
        ...

    async def tap(self, label: str) -> Sequence[Reply]:
        """Tap a choice of any earlier message, the latest one with that label."""
        ...

    async def send_picture(self, media_id: str) -> Sequence[Reply]:
        """Send a picture."""
        ...

    async def send_event(self, event: str) -> Sequence[Reply]:
        """Let a platform event happen."""
        ...

    async def restart(self) -> None:
        """Restart everything that keeps something in memory."""
        ...

    async def move_clock(self, delta: timedelta) -> None:
        """Let time pass."""
        ...

    async def slots(self) -> Mapping[str, SlotValue]:
        """Return what the follower's slots hold."""
        ...

    async def fill(self, slots: Mapping[str, SlotValue]) -> None:
        """Fill slots before the conversation."""
        ...

    async def handed_over(self) -> str | None:
        """Return the topic under which people have the chat, if they do."""
        ...

    def script(self, action: str, events: Sequence[Event]) -> None:
        """Let ``action`` answer ``events`` from now on."""
        ...


class Surroundings(Protocol):
    """What only the whole assistant has: other followers, staff, and a worker that sends things later."""

    async def wait(self) -> Sequence[Reply]:
        """Let the worker do what is due; return what reaches the follower."""
        ...

    async def become(self, name: str) -> None:
        """Go on as the follower with this name, who is new when nobody has it."""
        ...

    async def act(self, part: Part) -> None:
        """Let staff do something; raises ValueError for what they cannot do."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation: where it is written, its name, the slots it starts with, and its steps.

    ``setup`` is what staff do before it, ``also_on`` names a second database to run it on.
    """

    file: Path
    name: str
    slots: Mapping[str, SlotValue]
    steps: tuple[Part, ...]
    setup: tuple[Part, ...] = ()
    also_on: str | None = None

    def __str__(self) -> str:
        return f"{self.file.stem}: {self.name}"


class ConversationFailed(AssertionError):
    """A step did not turn out as written; the message holds the conversation so far."""


def load_cases(path: Path, shared: Path | None = None) -> list[Case]:
    """Return the cases of one YAML file, with the fixtures and routines of ``shared`` beside its own.

    Raises ValueError for a file that is not in the format.
    """
    raw = _read(path)
    if not isinstance(raw.get("test_cases"), list):
        raise ValueError(f"{path}: expected test_cases")  # noqa: TRY004 - the file is wrong, not an argument
    common = _read(shared) if shared is not None else {}
    fixtures = {
        name: values
        for fixture in (*common.get("fixtures", ()), *raw.get("fixtures", ()))
        for name, values in fixture.items()
    }
    routines = common.get("routines", {}) | raw.get("routines", {})
    cases = []
    for entry in raw["test_cases"]:
        slots: dict[str, SlotValue] = {}
        for name in entry.get("fixtures", ()):
            for values in fixtures[name]:
                slots.update(values)
        steps = tuple(_expanded(entry["steps"], routines))
        cases.append(
            Case(path, entry["test_case"], slots, steps, tuple(entry.get("setup", ())), entry.get("also_on"))
        )
    return cases


def _read(path: Path) -> dict[str, Any]:
    raw = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    if not isinstance(raw, dict):
        raise ValueError(f"{path}: expected a mapping")  # noqa: TRY004 - the file is wrong, not an argument
    return raw


def _expanded(steps: Sequence[Part], routines: Mapping[str, Sequence[Part]]) -> Iterator[Part]:
    """Yield ``steps`` with the steps of each routine in its place."""
    for step in steps:
        if "routine" in step:
            yield from _expanded(routines[str(step["routine"])], routines)
        else:
            yield step


def load_directory(directory: Path) -> list[Case]:
    """Return the cases of every ``*.yml`` file in ``directory``, in order; ``shared.yml`` holds what all may use."""
    shared = directory / SHARED
    common = shared if shared.exists() else None
    paths = (path for path in sorted(directory.glob("*.yml")) if path != shared)
    return [case for path in paths for case in load_cases(path, common)]


async def run_case(
    case: Case, conversation: Conversation, catalog: FlowCatalog, surroundings: Surroundings | None = None
) -> None:
    """Hold the conversation; raises ConversationFailed at the first step that turns out otherwise."""
    await _Run(case, conversation, catalog, surroundings).run()


@dataclass(slots=True)
class _Run:
    """One case on its way: the replies of the last message, and those that ``bot`` steps have not used up."""

    case: Case
    conversation: Conversation
    catalog: FlowCatalog
    around: Surroundings | None
    replies: list[Reply] = field(default_factory=list)
    unused: list[Reply] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)

    async def run(self) -> None:
        for part in self.case.setup:
            await self._surroundings().act(part)
        if self.case.slots:
            await self.conversation.fill(self.case.slots)
        for number, part in enumerate(self.case.steps, start=1):
            kinds = [kind for kind in _HANDLERS if kind in part]
            if len(kinds) != 1:
                raise ValueError(f"{self.case}: step {number} is none or several of {', '.join(_HANDLERS)}")
            try:
                await _HANDLERS[kinds[0]](self, part, part[kinds[0]])
            except ConversationFailed as failure:
                said = "\n".join(self.transcript)
                raise ConversationFailed(f"{self.case}, step {number}: {failure}\n\n{said}") from None

    def check(self, condition: bool, problem: str) -> None:
        """Fail with ``problem`` unless ``condition`` holds."""
        if not condition:
            raise ConversationFailed(problem)

    def _surroundings(self) -> Surroundings:
        if self.around is None:
            raise ValueError(f"{self.case}: only the whole assistant has staff, a worker and other followers")
        return self.around

    def _hear(self, line: str, replies: Sequence[Reply]) -> None:
        self.transcript.append(line)
        for reply in replies:
            options = f"  [{' | '.join(reply.options)}]" if reply.options else ""
            self.transcript.append(f"  bot: {reply.text}{options}")
        self.replies = list(replies)
        self.unused = list(replies)

    # --- What the follower does -----------------------------------------------------------------------------------

    async def user(self, part: Part, value: object) -> None:
        understood = _understood(part.get("nlu"))
        self._hear(f"user: {value}", await self.conversation.say(str(value), understood))

    async def tap(self, part: Part, value: object) -> None:
        del part
        self._hear(f"user taps: {value}", await self.conversation.tap(str(value)))

    async def picture(self, part: Part, value: object) -> None:
        del part
        self._hear(f"user sends a picture: {value}", await self.conversation.send_picture(str(value)))

    async def event(self, part: Part, value: object) -> None:
        del part
        self._hear(f"event: {value}", await self.conversation.send_event(str(value)))

    async def clock(self, part: Part, value: object) -> None:
        del part
        match = _CLOCK.fullmatch(str(value))
        if match is None:
            raise ValueError(f"{self.case}: clock is written +3h, not {value}")
        self.transcript.append(f"clock: {value}")
        await self.conversation.move_clock(timedelta(**{_UNITS[match[2]]: int(match[1])}))

    async def restart(self, part: Part, value: object) -> None:
        del part
        self.transcript.append(f"restart: {value}")
        await self.conversation.restart()

    async def follower(self, part: Part, value: object) -> None:
        del part
        self._hear(f"as {value}", ())
        await self._surroundings().become(str(value))

    async def staff(self, part: Part, value: object) -> None:
        del part
        self.transcript.append(f"staff: {value}")
        await self._surroundings().act(cast("Part", value))

    async def arrives(self, part: Part, value: object) -> None:
        self._hear("the worker has run", await self._surroundings().wait())
        await self.bot_contains(part, value)

    async def mock(self, part: Part, value: object) -> None:
        del part
        script = cast("dict[str, object]", value)
        self.conversation.script(str(script["action"]), _events(script))

    # --- What is expected -----------------------------------------------------------------------------------------

    async def bot(self, part: Part, value: object) -> None:
        del part
        expected = str(value).strip()
        self.check(bool(self.unused), f"expected “{expected}”, but the bot said no more")
        got = self.unused.pop(0).text
        self.check(_matches(expected, got), f"expected “{expected}”, got “{got}”")

    async def bot_contains(self, part: Part, value: object) -> None:
        del part
        for expected in value if isinstance(value, list) else [value]:
            found = any(str(expected) in reply.text for reply in self.replies)
            self.check(found, f"no reply contains “{expected}”")

    async def bot_lacks(self, part: Part, value: object) -> None:
        del part
        for unwanted in value if isinstance(value, list) else [value]:
            found = any(str(unwanted) in reply.text for reply in self.replies)
            self.check(not found, f"a reply contains “{unwanted}”")

    async def utter(self, part: Part, value: object) -> None:
        del part
        response = self.catalog.responses.get(str(value))
        if response is None:
            raise ValueError(f"{self.case}: no response {value}")
        patterns = [_pattern(re.sub(r"\{[a-z][a-z0-9_]*\}", ANY, variant.text)) for variant in response.variants]
        said = any(pattern.search(reply.text) for pattern in patterns for reply in self.replies)
        self.check(said, f"{value} was not said")

    async def options(self, part: Part, value: object) -> None:
        del part
        expected = tuple(str(label) for label in cast("list[object]", value))
        offered = [reply.options for reply in self.replies if reply.options]
        self.check(expected in offered, f"expected the choices {expected}, got {offered}")

    async def slot_was_set(self, part: Part, value: object) -> None:
        del part
        slots = await self.conversation.slots()
        for entry in value if isinstance(value, list) else [value]:
            expectations = entry.items() if isinstance(entry, dict) else [(str(entry), ...)]
            for name, expected in expectations:
                got = slots.get(name)
                is_right = got is not None if expected is ... else got == expected
                self.check(
                    is_right, f"slot {name} holds {got!r}" + ("" if expected is ... else f", not {expected!r}")
                )

    async def slot_was_not_set(self, part: Part, value: object) -> None:
        del part
        slots = await self.conversation.slots()
        for entry in value if isinstance(value, list) else [value]:
            expectations = entry.items() if isinstance(entry, dict) else [(str(entry), ...)]
            for name, unwanted in expectations:
                got = slots.get(name)
                self.check(got is None if unwanted is ... else got != unwanted, f"slot {name} holds {got!r}")

    async def handed_over(self, part: Part, value: object) -> None:
        del part
        topic = await self.conversation.handed_over()
        self.check(topic == value, f"handed over under {topic!r}, not {value!r}")

    async def silent(self, part: Part, value: object) -> None:
        del part
        self.check(bool(self.replies) is not value, f"silent should be {value}")


_HANDLERS = {
    "user": _Run.user,
    "tap": _Run.tap,
    "picture": _Run.picture,
    "event": _Run.event,
    "clock": _Run.clock,
    "restart": _Run.restart,
    "follower": _Run.follower,
    "staff": _Run.staff,
    "arrives": _Run.arrives,
    "mock": _Run.mock,
    "bot": _Run.bot,
    "bot_contains": _Run.bot_contains,
    "bot_lacks": _Run.bot_lacks,
    "utter": _Run.utter,
    "options": _Run.options,
    "slot_was_set": _Run.slot_was_set,
    "slot_was_not_set": _Run.slot_was_not_set,
    "handed_over": _Run.handed_over,
    "silent": _Run.silent,
}


def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part.strip("\n")) for part in expected.split(ANY)), re.DOTALL)


def _matches(expected: str, got: str) -> bool:
    return _pattern(expected).fullmatch(got.strip()) is not None


def _understood(value: object) -> Understood | None:
    """Read ``sure faq_work_study`` or ``unsure a b``; nothing when the step has no ``nlu``."""
    if value is None:
        return None
    said, *intents = str(value).split()
    for certainty in get_args(Certainty):
        if said == certainty:
            return Understood(tuple(intents), certainty)
    raise ValueError(f"nlu is written 'sure <intent>', not {value}")


def _events(script: Mapping[str, object]) -> list[Event]:
    """Return what a ``mock`` step lets an action answer, in a fixed order."""
    events: list[Event] = []
    fields = cast("dict[str, FieldValue]", script.get("fields", {}))
    if "set" in script:
        events.append(SetSlots(cast("dict[str, SlotValue]", script["set"])))
    if "options" in script:
        labels = cast("list[str]", script["options"])
        events.append(OfferOptions(tuple(Option(f"row-{label}", label) for label in labels), fields))
    if "say" in script:
        events.append(Say(str(script["say"]), fields))
    if "reject" in script:
        events.append(Reject(Problem(str(script["reject"]), fields)))
    if "hand_over" in script:
        events.append(HandOver(str(script["hand_over"])))
    return events

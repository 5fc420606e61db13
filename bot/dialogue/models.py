"""The state of one follower's dialogue, what comes in, and what a step of the engine gives back.

The state is small and bounded: frames are at most ``EngineSettings.max_frames`` deep, slots are those of the
catalogue, drafts at most ``max_drafts``; nothing grows with the number of turns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from bot.dialogue.events import Option, SlotValue
from bot.dialogue.outcomes import Outcome, RunAction, Spoken, TraceEntry

Certainty = Literal["sure", "unsure", "lost"]
FrameKind = Literal["base", "digression", "call"]
PathPart = tuple[str, str]
"""A flow id and a step id."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that was passed, and where it stands: from the service's own flow down through called flows."""

    slot: str
    path: tuple[PathPart, ...]


@dataclass(frozen=True, slots=True)
class Journey:
    """What a service remembers of its way, kept by its own frame and shared with the flows it calls.

    ``answered`` are the questions passed, in order; ``confirmed`` the slots that were answered at some time,
    ``skipped`` the optional ones left empty, ``said`` the ``flow/step`` ids of the texts already said, ``touched``
    the slots it filled.
    """

    answered: tuple[Answered, ...] = ()
    confirmed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One flow on the stack and the step it stands at; ``version`` is that of the flow file it was entered with."""

    id: int
    flow: str
    step: str
    version: str
    kind: FrameKind
    journey: Journey = field(default_factory=Journey)


@dataclass(frozen=True, slots=True)
class Draft:
    """A form left for later: its frames, its answers, and until when (epoch seconds) it is kept."""

    flow: str
    frames: tuple[Frame, ...]
    slots: Mapping[str, SlotValue]
    labels: Mapping[str, str]
    until_s: int


@dataclass(frozen=True, slots=True)
class Revisit:
    """A question that is asked again although it had the answer ``old``: by 返回, a correction, or to confirm it."""

    slot: str
    old: SlotValue
    reason: Literal["back", "correction", "confirm"]


@dataclass(frozen=True, slots=True)
class Pending:
    """A question of the engine itself, above the open question: what it is about and which flow it concerns.

    ``text`` is the message that was not understood, or the wish that is offered, so that the flow chosen for it can
    still answer it; ``intent`` is that of the wish.
    """

    kind: Literal["cancel", "resume", "switch", "restart", "field", "clarify", "later"]
    flow: str | None = None
    text: str = ""
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Something else that a message asked for: its intent and its own words.

    ``at_once`` is whether it is served before the next question of the form in which it came up, not only when
    nothing is open any more. ``until_s`` (epoch seconds) is how long it is remembered.
    """

    intent: str
    text: str
    at_once: bool = False
    until_s: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """The words that began a form, and the slots that were already looked for in them."""

    text: str
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aside:
    """The open question that something else was put on top of, and the choices that were shown with it.

    ``meant`` are the words of the message put on top that would answer the question too, ``""`` where there are none.
    """

    slot: str
    choices: tuple[Option, ...]
    meant: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value on its way into a slot.

    ``origin`` says how it came: as the answer, beside it, or as a correction. ``label`` is that of an option which an
    action offered.
    """

    slot: str
    value: SlotValue
    origin: Literal["answer", "also", "correction"]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """What the actions of a turn are to take as the message instead of the one that came: see RunAction."""

    said: str | None = None
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why the engine waits for an action; lives only inside a turn and is never stored.

    ``old`` is the slot's value before the candidate ``tried``, ``queue`` the candidates after it, ``accepted`` those
    that already hold. ``leads`` is what is to be said before the next question, ``answer`` the words of the answer
    that led here.
    """

    kind: Literal["step", "ask", "validate", "cancel"]
    trigger: Trigger
    today: date
    slot: str | None = None
    old: SlotValue = None
    tried: Candidate | None = None
    queue: tuple[Candidate, ...] = ()
    accepted: tuple[Candidate, ...] = ()
    leads: tuple[Spoken, ...] = ()
    suggestions: tuple[str, ...] = ()
    silenced: bool = False
    answer: str = ""


@dataclass(frozen=True, slots=True)
class DialogueState:
    """Everything the engine knows of one follower between two messages.

    ``asking`` is the slot whose question is open (``REVIEWING`` for a review screen), ``choices`` the options shown
    with it, ``offered`` the options of what was said last beside it. ``labels`` are those of values chosen among
    options that an action offered, ``gathered`` the pictures of an open question that takes several. ``at_s`` is the
    time of the last message in epoch seconds, ``away`` whether people had the chat since. ``last`` is what was said
    last, kept only while no question is open. ``later`` are wishes still to be served, ``opening``
    is what was said when the running form began, ``aside`` the question under an errand.
    """

    frames: tuple[Frame, ...] = ()
    slots: Mapping[str, SlotValue] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    drafts: tuple[Draft, ...] = ()
    asking: str | None = None
    choices: tuple[Option, ...] = ()
    offered: tuple[Option, ...] = ()
    gathered: tuple[str, ...] = ()
    pending: Pending | None = None
    revisit: Revisit | None = None
    misses: int = 0
    rejections: int = 0
    turn: int = 0
    serial: int = 0
    at_s: int = 0
    away: bool = False
    last: tuple[Spoken, ...] = ()
    later: tuple[Wish, ...] = ()
    opening: Opening | None = None
    aside: Aside | None = None
    waiting: Waiting | None = None


REVIEWING = "@review"


@dataclass(frozen=True, slots=True)
class Said:
    """One message or event of the follower.

    ``menu_id`` is the id of a tapped option, ``media_id`` a picture's id, ``event`` the name of a platform event or a
    payload such as ``/flow:check_status``; ``today`` is the date in Tongren, for words such as 明天. ``later`` is
    what the message asked for beside ``text``.
    """

    text: str
    today: date
    menu_id: str | None = None
    media_id: str | None = None
    event: str | None = None
    later: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True)
class Understood:
    """What the NLU made of a message: intents, likeliest first, and how far they can be trusted.

    Where it is sure, the first is meant. Behind an out_of_scope stand the subjects that are likelier still: a message
    is taken for nobody's business here long before that is certain.
    """

    intents: tuple[str, ...]
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Bounds and habits of the engine."""

    pause_s: int = 2 * 3600
    draft_s: int = 30 * 86_400
    max_drafts: int = 3
    wish_s: int = 86_400
    max_digressions: int = 3
    max_frames: int = 10
    max_steps: int = 300
    max_text_chars: int = 2_000
    max_options: int = 40
    max_gathered: int = 9
    confirm_cancel_from: int = 3
    rejections_before_person: int = 3
    misses_before_person: int = 2
    long_answer_chars: int = 30
    story_chars: int = 100
    opening_chars: int = 6
    two_answers_chars: int = 4
    telling_chars: int = 4


@dataclass(frozen=True, slots=True)
class Step:
    """What one call of the engine gives back: the new state, what happened, and the action to run next, if any."""

    state: DialogueState
    outcomes: tuple[Outcome, ...]
    run: RunAction | None
    trace: tuple[TraceEntry, ...]

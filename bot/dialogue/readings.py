"""What a message is, before the NLU is asked: a closed set of acts."""

from dataclasses import dataclass

from bot.dialogue.events import SlotValue
from bot.dialogue.models import Candidate
from bot.dialogue.words import Command
from bot.values.problem import Problem


@dataclass(frozen=True, slots=True)
class StartsFlow:
    """A button, menu key or keyword names a flow; ``intent`` when it was chosen to make an unclear message clear.

    ``about`` is what the flow's actions take as the message.
    """

    flow: str
    intent: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Commands:
    """A command word (取消, 返回, 人工 …)."""

    command: Command


@dataclass(frozen=True, slots=True)
class Chooses:
    """A choice of the engine's own question that is open (先存着, 接着填)."""

    choice: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Values for the open question and, found beside them, for others.

    ``sure`` is whether the message can hardly be anything else. ``problem`` says why the open question itself got no
    value, when only others did.
    """

    candidates: tuple[Candidate, ...]
    sure: bool
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Corrects:
    """An earlier answer was wrong. Without ``slot`` it is not clear which, without ``value`` not what is right."""

    slot: str | None
    value: SlotValue = None
    problem: Problem | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Submits:
    """The review screen is confirmed."""


@dataclass(frozen=True, slots=True)
class KeepsOld:
    """The old answer of a question asked again stays."""


@dataclass(frozen=True, slots=True)
class Sends:
    """A picture came."""

    media_id: str


@dataclass(frozen=True, slots=True)
class Happens:
    """A platform event: follow, scan, a message type without text."""

    event: str


@dataclass(frozen=True, slots=True)
class Courteous:
    """A word that needs no NLU to be an intent: 谢谢, 好的, 你好."""

    intent: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The open question does not take the message."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Unread:
    """No question is open, and nothing else is known about the message."""


Act = (
    StartsFlow
    | Commands
    | Chooses
    | Answers
    | Corrects
    | Submits
    | KeepsOld
    | Sends
    | Happens
    | Courteous
    | Refused
    | Unread
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message is as far as the dialogue alone can tell, and whether the NLU should be asked as well.

    ``text`` is what the NLU is to be asked about: the message, or the word that a button stands for.
    """

    act: Act
    needs_understanding: bool = False
    text: str = ""

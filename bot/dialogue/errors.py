"""What can go wrong inside the dialogue although the flows were checked."""

from typing import ClassVar

from bot.values.errors import BotError


class ConditionUnreadable(BotError):
    """A condition does not parse; ``at`` is the character where reading stopped."""

    code: ClassVar[str] = "dialogue.condition_unreadable"


class FlowsFaulty(BotError):
    """The flow directory has faults; ``first`` is the first of them and ``count`` how many there are."""

    code: ClassVar[str] = "dialogue.flows_faulty"


class FlowEndless(BotError):
    """A flow took more steps in one turn than any flow should: a loop without a question."""

    code: ClassVar[str] = "dialogue.flow_endless"


class StateUnreadable(BotError):
    """A stored dialogue state has a format this release does not know."""

    code: ClassVar[str] = "dialogue.state_unreadable"


class NotWaiting(BotError):
    """Events came for a state that runs no action, or a message for a state that still waits for one."""

    code: ClassVar[str] = "dialogue.not_waiting"

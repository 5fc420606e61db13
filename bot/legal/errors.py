"""What can go wrong with legal cases and with the tables they rest on."""

from typing import ClassVar

from bot.values.errors import BotError


class NoSuchCase(BotError):
    """No legal case has that receipt number."""

    code: ClassVar[str] = "legal.no_such_case"


class TransitionRefused(BotError):
    """The status machine does not allow that step. ``from_status`` and ``to_status`` say which."""

    code: ClassVar[str] = "legal.transition_refused"


class TableInvalid(BotError):
    """A seed file of topics or deadlines has a fault. ``place`` and ``reason`` say where and why."""

    code: ClassVar[str] = "legal.table_invalid"


class NoSuchTopic(BotError):
    """The topic catalogue has no such code. ``topic`` says which."""

    code: ClassVar[str] = "legal.no_such_topic"

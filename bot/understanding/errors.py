"""What can go wrong on the way from text to intent."""

from typing import ClassVar

from bot.values.errors import BotError


class RuleTableInvalid(BotError):
    """A table of words cannot be used. ``table`` and ``problem`` say where and why."""

    code: ClassVar[str] = "understanding.rule_table_invalid"


class TrainingDataInvalid(BotError):
    """A file of training texts cannot be read. ``file`` and ``problem`` say which and why."""

    code: ClassVar[str] = "understanding.training_data_invalid"


class NluUnavailable(BotError):
    """The Rasa server gave no usable answer. ``reason`` is timeout, connection, status or answer."""

    code: ClassVar[str] = "understanding.nlu_unavailable"

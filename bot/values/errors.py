"""The base of every error the project raises on purpose."""

from typing import ClassVar

from bot.values.problem import FieldValue


class BotError(Exception):
    """An expected failure with a code for machines, fields for logs and a text key for people.

    Subclasses set ``code``; it is also the key of the text that people read. Fields never hold personal data.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, **fields: FieldValue) -> None:
        self.fields = fields
        detail = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        super().__init__(f"{self.code}({detail})")

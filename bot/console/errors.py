"""What is refused at this edge, beside what the subjects refuse."""

from typing import ClassVar

from bot.values.errors import BotError


class FormNotGenuine(BotError):
    """A form without the session's token, or sent from another site. Nothing was done."""

    code: ClassVar[str] = "console.form_not_genuine"


class BadAddress(BotError):
    """A value in the address cannot be read. ``name`` says which; the value is not repeated."""

    code: ClassVar[str] = "console.bad_address"


class NotFound(BotError):
    """There is no such page or record, or it is not this account's to know."""

    code: ClassVar[str] = "console.not_found"

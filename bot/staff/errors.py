"""What can go wrong with staff accounts."""

from typing import ClassVar

from bot.values.errors import BotError


class NoSuchAccount(BotError):
    """No staff account has that username."""

    code: ClassVar[str] = "staff.no_such_account"


class UnknownRole(BotError):
    """A role that the permission table does not know. ``role`` says which."""

    code: ClassVar[str] = "staff.unknown_role"


class NotPermitted(BotError):
    """The account's roles do not include that permission. ``permission`` says which."""

    code: ClassVar[str] = "staff.not_permitted"


class TooManyRows(BotError):
    """More rows fit than one table holds. ``max_rows`` says how many it may be."""

    code: ClassVar[str] = "staff.too_many_rows"

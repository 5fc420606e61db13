"""What can go wrong in the inbox."""

from typing import ClassVar

from bot.values.errors import BotError


class NoSuchChat(BotError):
    """No chat has that number."""

    code: ClassVar[str] = "inbox.no_such_chat"


class NoSuchMessage(BotError):
    """No message of a chat has that number."""

    code: ClassVar[str] = "inbox.no_such_message"


class NoSuchAlert(BotError):
    """No alert has that number."""

    code: ClassVar[str] = "inbox.no_such_alert"

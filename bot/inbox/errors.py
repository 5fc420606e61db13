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


class NoSuchReason(BotError):
    """No reason for ending a chat has that code."""

    code: ClassVar[str] = "inbox.no_such_reason"


class NoSuchReply(BotError):
    """No canned reply has that number."""

    code: ClassVar[str] = "inbox.no_such_reply"


class ReplyChanged(BotError):
    """Somebody else has changed the canned reply meanwhile."""

    code: ClassVar[str] = "inbox.reply_changed"


class NoSuchQueue(BotError):
    """No queue has that topic."""

    code: ClassVar[str] = "inbox.no_such_queue"

"""What can go wrong with the review list."""

from typing import ClassVar

from bot.values.errors import BotError


class NoSuchItem(BotError):
    """The review list has no row ``item``; it may have been deleted by age or with its follower's data."""

    code: ClassVar[str] = "review.no_such_item"


class NoSuchIntent(BotError):
    """``intent`` is not among the intents that the model knows."""

    code: ClassVar[str] = "review.no_such_intent"

"""What can go wrong with followers and consents."""

from typing import ClassVar

from bot.values.errors import BotError


class ConsentMissing(BotError):
    """Something needs a consent that was never given or has been withdrawn. ``purpose`` says which."""

    code: ClassVar[str] = "followers.consent_missing"


class NoSuchConsent(BotError):
    """No consent with that number belongs to this follower."""

    code: ClassVar[str] = "followers.no_such_consent"

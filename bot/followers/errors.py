"""What can go wrong with followers and consents."""

from typing import ClassVar

from bot.values.errors import BotError


class ConsentMissing(BotError):
    """Something needs a consent that was never given or has been withdrawn. ``purpose`` says which."""

    code: ClassVar[str] = "followers.consent_missing"


class NoSuchConsent(BotError):
    """No consent with that number belongs to this follower."""

    code: ClassVar[str] = "followers.no_such_consent"


class NoSuchFollower(BotError):
    """Nothing is kept of such a follower, or the reference is none of ours."""

    code: ClassVar[str] = "followers.no_such_follower"

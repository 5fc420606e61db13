"""Who did something, in words: staff by display name, the system and workers themselves by what they are."""

from collections.abc import Mapping

from bot.console.texts import Texts

KIND = "actor"


class Names:
    """What people are called on one page."""

    def __init__(self, staff: Mapping[str, str], texts: Texts) -> None:
        self.by_username = staff
        self._texts = texts

    def of(self, username: str | None) -> str:
        """Return the display name, or what a code of the system is called; a username without account as it is."""
        if not username:
            return ""
        return self.by_username.get(username) or self._texts.label(username, KIND)

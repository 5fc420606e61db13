"""What stands for a follower in an address of the console: their OpenID sealed, which says nothing to others."""

import base64
import binascii

from bot.followers.errors import NoSuchFollower
from bot.storage.encryption import FieldCipher, SealBroken

SEALED_AS = "followers.reference"
PATTERN = "[A-Za-z0-9_-]{40,300}"
"""How a reference looks, for routes."""


class FollowerReferences:
    """Makes references and reads them. They need no table, and one made anew differs from the one before."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    def of(self, openid: str) -> str:
        """Return a reference to a follower."""
        return base64.urlsafe_b64encode(self._cipher.seal(openid, SEALED_AS)).decode().rstrip("=")

    def openid(self, reference: str) -> str:
        """Return whose reference it is; raises NoSuchFollower for anything that is none of ours."""
        try:
            sealed = base64.b64decode(reference + "=" * (-len(reference) % 4), altchars="-_", validate=True)
            return self._cipher.open(sealed, SEALED_AS)
        except (binascii.Error, ValueError, SealBroken):
            raise NoSuchFollower from None

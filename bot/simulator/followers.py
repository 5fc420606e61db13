"""The WeChat users the simulator knows, and their OpenIDs."""

import secrets
import string
from datetime import datetime

from bot.simulator.errors import UnknownFollower
from bot.simulator.models import Follower

OPENID_CHARS = 28
AVATAR_COLOURS = 8
_ALPHABET = string.ascii_letters + string.digits + "_-"


def new_openid() -> str:
    """Return an OpenID shaped like the platform's: ``o`` and 27 characters."""
    return "o" + "".join(secrets.choice(_ALPHABET) for _ in range(OPENID_CHARS - 1))


class FollowerBook:
    """Followers by OpenID, in the order they came."""

    def __init__(self) -> None:
        self._followers: dict[str, Follower] = {}

    def __len__(self) -> int:
        return len(self._followers)

    def add(self, nickname: str, openid: str = "") -> Follower:
        """Add a WeChat user who does not follow yet."""
        follower = Follower(openid or new_openid(), nickname, len(self._followers) % AVATAR_COLOURS)
        self._followers[follower.openid] = follower
        return follower

    def get(self, openid: str) -> Follower:
        """Return the follower; raises UnknownFollower."""
        follower = self._followers.get(openid)
        if follower is None:
            raise UnknownFollower(openid=openid[:4])
        return follower

    def find(self, openid: str) -> Follower | None:
        """Return the follower or None."""
        return self._followers.get(openid)

    def everyone(self) -> list[Follower]:
        """Return all of them, those who left included."""
        return list(self._followers.values())

    def following(self) -> list[Follower]:
        """Return those who follow now."""
        return [follower for follower in self._followers.values() if follower.subscribed]

    def clear(self) -> None:
        """Forget everybody."""
        self._followers.clear()


def start_following(follower: Follower, at: datetime, scene: str = "") -> None:
    """Change the record of somebody who follows from now on."""
    follower.subscribed, follower.subscribed_at, follower.scene = True, at, scene


def stop_following(follower: Follower) -> None:
    """Change the record of somebody who leaves."""
    follower.subscribed = False
    follower.tags.clear()
    follower.opt_ins.clear()

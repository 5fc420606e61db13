"""Faults a test can inject into the platform's API, and the record of the calls that reached it."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

ANY_PATH = "*"
KEPT_CALLS = 20_000


@dataclass(slots=True)
class Fault:
    """What happens to the next ``left`` calls of ``path`` (None: to all of them).

    ``errcode`` answers it instead of doing the work; ``http_status`` likewise, with an HTML body; ``drop`` closes
    the connection, before the work or with ``after_work`` after it, which is the caller's worst case: done, and
    nobody told. ``latency_s`` delays the call, or with ``after_work`` the answer, and may stand alone.
    """

    path: str = ANY_PATH
    left: int | None = None
    latency_s: float = 0.0
    errcode: int = 0
    errmsg: str = ""
    http_status: int = 0
    drop: bool = False
    after_work: bool = False


class FaultBoard:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Lift every fault."""
        self._faults.clear()

    def take(self, path: str) -> list[Fault]:
        """Return the faults for one call of ``path`` and count them down."""
        taken = [one for one in self._faults if one.path in {path, ANY_PATH} and (one.left is None or one.left > 0)]
        for fault in taken:
            if fault.left is not None:
                fault.left -= 1
        self._faults = [fault for fault in self._faults if fault.left is None or fault.left > 0]
        return taken


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the platform's API; ``openid`` is empty where the call concerns no single follower."""

    at: datetime
    path: str
    openid: str
    errcode: int
    rid: str = ""


@dataclass(slots=True)
class CallLog:
    """The calls that reached the API, newest last, and their counts."""

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT_CALLS))
    by_path: Counter[str] = field(default_factory=Counter)
    by_day: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, call: Call) -> None:
        """Record a call."""
        self.calls.append(call)
        self.by_path[call.path] += 1

    def count(self, path: str = ANY_PATH, openid: str = "", *, ok_only: bool = False) -> int:
        """Return how many calls of ``path`` (for one follower) arrived, refused ones included unless ``ok_only``."""
        return sum(1 for _ in self._matching(path, openid, ok_only=ok_only))

    def _matching(self, path: str, openid: str, *, ok_only: bool) -> Iterator[Call]:
        for call in self.calls:
            if path in {ANY_PATH, call.path} and openid in {"", call.openid} and not (ok_only and call.errcode):
                yield call

"""Several servers behind one port: the kernel deals the connections out among them."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

_LOOK_EVERY_S = 0.2
_END_WITHIN_S = 20.0


def bound_socket(host: str, port: int, *, shared: bool) -> socket.socket:
    """Return a socket bound to an address; a ``shared`` one lets other shared ones be bound to the same.

    Raises OSError when the address is taken.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def check_free(host: str, port: int) -> None:
    """Raise OSError when anybody listens on the address: shared sockets would join a stranger's unnoticed."""
    with bound_socket(host, port, shared=False) as sock:
        sock.listen()


class Crew:
    """Runs ``command`` ``size`` times and keeps it so until the process is told to stop.

    A member that ends sooner than ``stable_after_s`` is no accident, and ends the crew.
    """

    def __init__(self, command: Sequence[str], size: int, *, stable_after_s: float = 30.0) -> None:
        self._command = command
        self._size = size
        self._stable_after_s = stable_after_s
        self._stopping = False
        self._members: list[tuple[subprocess.Popen[bytes], float]] = []

    def run(self) -> int:
        """Return 0 after SIGTERM or SIGINT, or the code of a member that ended soon after its start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            self._members = [self._start() for _ in range(self._size)]
            while not self._stopping:
                time.sleep(_LOOK_EVERY_S)
                if code := self._replace_the_ended():
                    return code
            return 0
        finally:
            self._end()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self) -> "tuple[subprocess.Popen[bytes], float]":
        # The command is this very program with fixed options.
        return subprocess.Popen(self._command, stdin=subprocess.DEVNULL), time.monotonic()  # noqa: S603

    def _replace_the_ended(self) -> int:
        """Start a member again that had been well; return the exit code of one that never was, else 0."""
        for place, (member, started) in enumerate(self._members):
            code = member.poll()
            if code is None or self._stopping:
                continue
            if time.monotonic() - started < self._stable_after_s:
                return code or 1
            print(f"NLU process ended with code {code}; starting another", file=sys.stderr, flush=True)
            self._members[place] = self._start()
        return 0

    def _end(self) -> None:
        for member, _ in self._members:
            member.terminate()
        for member, _ in self._members:
            try:
                member.wait(timeout=_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                member.kill()
                member.wait()

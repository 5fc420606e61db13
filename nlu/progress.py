"""Lines that say how far a long piece of work is."""

import logging
import sys
import threading
import time
from types import TracebackType
from typing import Self

_HEARTBEAT_S = 10.0
_BAR_WIDTH = 30


class Progress:
    """Prints lines that start with the seconds since the start; one every ten seconds says that work goes on."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._out = sys.stdout
        self._done = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()

    def say(self, line: str) -> None:
        """Print a line."""
        print(f"[{time.monotonic() - self._start:6.1f}s] {line}", file=self._out, flush=True)

    def _beat(self) -> None:
        while not self._done.wait(_HEARTBEAT_S):
            self.say("still training")


class ProgressHandler(logging.Handler):
    """Turns the components' own log lines into progress lines."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.INFO)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.say(record.getMessage())


class Bar:
    """Shows how many of how many are done: a bar where a person watches, a line each quarter in a log."""

    def __init__(self, title: str) -> None:
        self._title = title

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done."""
        if sys.stderr.isatty():
            filled = _BAR_WIDTH * done // total
            bar = "#" * filled + "." * (_BAR_WIDTH - filled)
            end = "\n" if done == total else ""
            print(f"\r{self._title} [{bar}] {done}/{total}", end=end, file=sys.stderr, flush=True)
        elif 4 * done // total > 4 * (done - 1) // total:
            print(f"{self._title}: {done} of {total}", flush=True)

"""The real NLU server for tests: one process for the test run of this worker."""

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from typing import IO
from urllib.error import URLError

from bot.commands.training import ROOT, is_ready, serve_command

READY_WITHIN_S = 60.0


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running_nlu(output: IO[bytes] | int = subprocess.DEVNULL, options: Sequence[str] = ()) -> Iterator[str]:
    """Serve the current model; give its base address. Raises RuntimeError when it does not become ready.

    ``output`` gets whatever the server prints; ``options`` are further options of the server.
    """
    port = free_port()
    process = subprocess.Popen([*serve_command(port), *options], cwd=ROOT, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the server at ``url`` answers. Raises RuntimeError when ``process`` ends or a minute is over."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the NLU ended with code {process.returncode}")
        with contextlib.suppress(URLError, OSError), urllib.request.urlopen(f"{url}/status", timeout=1) as answer:  # noqa: S310
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("the NLU was not ready in time")


__all__ = ["free_port", "is_ready", "running_nlu", "until_ready"]

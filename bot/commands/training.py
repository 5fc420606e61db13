"""``python -m bot train`` and ``nlu …``: the NLU lives in an environment of its own and is run as a program."""

import asyncio
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NLU_PYTHON = ROOT / "nlu" / ".venv" / "bin" / "python"
NO_PYTHON = 3


def train(*, if_needed: bool) -> int:
    """Install the NLU environment if it is missing and train; return an exit code, 0 when a model is ready.

    Where no Python 3.11 is to be had it says so and returns 0 with ``if_needed``: keywords and menus carry on.
    """
    installed = _run([sys.executable, "nlu/install.py", "--uv", str(Path(sys.executable).with_name("uv"))])
    if installed == NO_PYTHON:
        return 0 if if_needed else NO_PYTHON
    if installed != 0:
        return installed
    return _run([str(NLU_PYTHON), "nlu/train.py", *([] if if_needed else ["--force"])])


def is_ready() -> bool:
    """Say whether a model can be served."""
    return NLU_PYTHON.exists() and (ROOT / "nlu" / "models" / "current").exists()


def serve_command(port: int) -> tuple[str, ...]:
    """Return the command line of the NLU server."""
    return (str(NLU_PYTHON), str(ROOT / "nlu" / "serve.py"), "--port", str(port))


def evaluate(file: Path) -> int:
    """Evaluate the current model on a table of texts; see ``nlu/evaluate.py``."""
    return _run([str(NLU_PYTHON), "nlu/evaluate.py", str(file.resolve())])


def _run(command: list[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - Our own programs, fixed words.


async def train_in_thread(*, if_needed: bool) -> int:
    """``train`` beside a running event loop."""
    return await asyncio.to_thread(train, if_needed=if_needed)

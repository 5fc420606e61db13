"""Train the NLU when its data changed, by the NLU's own environment in a process of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bot.understanding.errors import TrainingFailed


def nlu_python(root: Path) -> Path | None:
    """Return the interpreter of the NLU environment under the project ``root``, or None when it isn't installed."""
    for place in ("nlu/.venv/bin/python", "nlu/.venv/Scripts/python.exe"):
        if (root / place).is_file():
            return root / place
    return None


def serve_command(root: Path, python: Path, host: str, port: int) -> tuple[str, ...]:
    """Return the command that serves the current model on ``host:port``."""
    return (str(python), str(root / "nlu" / "serve.py"), "--host", host, "--port", str(port))


async def train_if_changed(root: Path, python: Path, tell: Callable[[str], None]) -> None:
    """Return when a model that matches the data is current; ``tell`` gets the progress, line by line.

    Quick when such a model is there already. Raises TrainingFailed.
    """
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(root / "nlu" / "train.py"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            tell(line.decode(errors="replace").rstrip())
        exit_code = await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if exit_code != 0:
        raise TrainingFailed(exit_code=exit_code)

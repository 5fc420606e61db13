"""A promoted model is picked up while the old one goes on serving."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from rasa.core.agent import Agent
from sanic import Sanic

from nlu.fingerprint import current_model

_LOG = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0


class Follower:
    """Keeps ``app.ctx.agent`` at the model that the pointer of ``models`` names.

    The new model is loaded in a thread beside the old one and takes over between two requests; whoever is being
    answered is answered by the model that began. An archive that does not load is left alone until it changes.
    """

    def __init__(self, app: Sanic, models: Path, serving: Path, load: Callable[[Path], Agent]) -> None:
        self._app = app
        self._models = models
        self._load = load
        self._seen = _version(serving)

    async def run(self) -> None:
        """Look at the pointer again and again until the server stops."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Load the promoted model unless it is the one that was loaded, or tried, last."""
        model = current_model(self._models)
        version = _version(model) if model else None
        if model is None or version is None or version == self._seen:
            return
        self._seen = version
        started = time.monotonic()
        try:
            agent = await asyncio.to_thread(self._load, model)
        except Exception as fault:  # noqa: BLE001 - Whatever is wrong with an archive, the old model goes on.
            _LOG.error("model %s does not load (%s); the old one goes on serving", model.name, type(fault).__name__)
            return
        self._app.ctx.agent = agent
        print(f"NLU serves {model.name} now, loaded in {time.monotonic() - started:.3f} s", flush=True)


def _version(model: Path) -> tuple[str, int, int] | None:
    try:
        about = model.stat()
    except FileNotFoundError:
        return None  # It was dropped between the look at the pointer and this one.
    return model.name, about.st_mtime_ns, about.st_size

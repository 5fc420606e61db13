"""Train the NLU if no model matches the data: ``nlu/.venv/bin/python nlu/train.py``.

Writes ``nlu/models/<fingerprint>.tar.gz`` and makes it current. Exit code 0: a matching model is there.
"""

import argparse
import contextlib
import io
import logging
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nlu.environment import ROOT, prepare
from nlu.fingerprint import fingerprint, model_path, point_to

_KEPT_MODELS = 5
_HEARTBEAT_S = 10.0


class Progress:
    """Prints lines that start with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._out = sys.stdout
        self._done = threading.Event()

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self._start:6.1f}s] {line}", file=self._out, flush=True)

    def beat(self) -> None:
        """Say that training goes on, every few seconds, until ``stop`` is called."""
        while not self._done.wait(_HEARTBEAT_S):
            self.say("still training")

    def stop(self) -> None:
        self._done.set()


class _ProgressHandler(logging.Handler):
    """Turns the components' own log lines into progress lines."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.INFO)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.say(record.getMessage())


def train(*, force: bool = False) -> Path:
    """Return the model for the present data, training it first unless it is there."""
    target = model_path()
    if target.is_file() and not force:
        point_to(target)
        print(f"NLU model {target.name} matches the data", flush=True)
        return target
    prepare()
    progress = Progress()
    progress.say(f"training NLU model {fingerprint()}")
    threading.Thread(target=progress.beat, daemon=True).start()
    try:
        _run_rasa(target, progress)
    finally:
        progress.stop()
    point_to(target)
    _drop_old_models(target)
    progress.say(f"NLU model {target.name} is ready ({target.stat().st_size / 1e6:.1f} MB)")
    return target


def _run_rasa(target: Path, progress: Progress) -> None:
    components_log = logging.getLogger("nlu.components")
    components_log.setLevel(logging.INFO)
    components_log.propagate = False
    components_log.addHandler(_ProgressHandler(progress))
    from rasa.model_training import train_nlu

    progress.say("Rasa is loaded")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Rasa writes to the name it is given; a half-written file must never pass for a model.
    with contextlib.redirect_stdout(io.StringIO()):
        made = train_nlu(
            config=str(ROOT / "config.yml"),
            nlu_data=str(ROOT / "nlu" / "data"),
            output=str(target.parent),
            fixed_model_name=f"{target.name.removesuffix('.tar.gz')}.part",
            domain=str(ROOT / "nlu" / "domain.yml"),
        )
    if made is None:
        raise SystemExit("Rasa made no model; its messages above say why")
    Path(made).replace(target)


def _drop_old_models(newest: Path) -> None:
    models = sorted(newest.parent.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in models[_KEPT_MODELS:]:
        if path != newest:
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="train even when a matching model exists")
    train(force=parser.parse_args().force)


if __name__ == "__main__":
    main()

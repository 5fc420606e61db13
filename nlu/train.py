"""Train a candidate, compare it with the serving model, promote it: ``nlu/.venv/bin/python nlu/train.py``.

Writes ``nlu/models/<fingerprint>.tar.gz`` with its report beside it. The candidate serves from then on unless an
intent loses more than two points of recall on ``nlu/evaluation/*.tsv`` or crisis loses anything. Exit code 0: the
candidate serves; 5: it does not, and the report says why. With ``--if-needed``, 0 means that some model serves.
"""

import argparse
import contextlib
import io
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.values.clock import SystemClock
from nlu.environment import ROOT, prepare
from nlu.fingerprint import model_path, reviewed_in
from nlu.progress import Progress, ProgressHandler
from nlu.registry import NOT_PROMOTED, Registry


def train(target: Path, root: Path, reviewed: Path) -> None:
    """Train ``target`` from the sources below ``root`` and the reviewed texts. Exits when Rasa makes no model."""
    with Progress() as progress:
        progress.say(f"training NLU model {target.name}")
        _run_rasa(target, root, reviewed, progress)
        progress.say(f"NLU model {target.name} is trained ({target.stat().st_size / 1e6:.1f} MB)")


def _run_rasa(target: Path, root: Path, reviewed: Path, progress: Progress) -> None:
    components_log = logging.getLogger("nlu.components")
    components_log.setLevel(logging.INFO)
    components_log.propagate = False
    components_log.addHandler(ProgressHandler(progress))
    from rasa.model_training import train_nlu

    progress.say("Rasa is loaded")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Rasa writes to the name it is given; a half-written file must never pass for a model.
    with _training_data(root / "nlu" / "data", reviewed) as data, contextlib.redirect_stdout(io.StringIO()):
        made = train_nlu(
            config=str(root / "config.yml"),
            nlu_data=str(data),
            output=str(target.parent),
            fixed_model_name=f"{target.name.removesuffix('.tar.gz')}.part",
            domain=str(root / "nlu" / "domain.yml"),
        )
    if made is None:
        raise SystemExit("Rasa made no model; its messages above say why")
    Path(made).replace(target)


@contextlib.contextmanager
def _training_data(data: Path, reviewed: Path) -> Iterator[Path]:
    """Give the folder to train from: the data itself, or a copy with the reviewed texts added."""
    if not reviewed.is_file():
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="nlu-data-") as folder:
        for path in (*data.glob("*.yml"), reviewed):
            shutil.copy(path, folder)
        yield Path(folder)


def is_settled(target: Path, registry: Registry) -> bool:
    """Say whether nothing is to be done for the present sources: their model serves, or was set aside for another."""
    serving = registry.serving()
    if not target.is_file() or serving is None:
        return False
    if serving == target:
        print(f"NLU model {target.name} matches the data", flush=True)
        return True
    if registry.is_set_aside(target):
        print(
            f"NLU model {target.name} matches the data but was set aside; {serving.name} serves "
            "(`python -m bot nlu models` says why)",
            flush=True,
        )
        return True
    return False


def run(options: argparse.Namespace, now: datetime) -> int:
    """Do what the command line asks for and return the exit code."""
    root, reviewed = options.root.resolve(), options.reviewed.resolve()
    target = model_path(root, reviewed)
    registry = Registry(target.parent)
    if options.if_needed and is_settled(target, registry):
        return 0
    prepare()
    if options.retrain or not target.is_file():
        train(target, root, reviewed)
    from nlu.judging import settle

    promoted = settle(target, registry, root / "nlu" / "evaluation", now, force=options.force_promote)
    registry.prune()
    return 0 if promoted or options.if_needed else NOT_PROMOTED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--if-needed", action="store_true", help="only when no model matches the data")
    parser.add_argument("--retrain", action="store_true", help="train even when a model matches the data")
    parser.add_argument("--force-promote", metavar="REASON", help="promote whatever the comparison says")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project to train from")
    parser.add_argument("--reviewed", type=Path, default=reviewed_in(ROOT / "var"), help="relabelled texts")
    return run(parser.parse_args(), SystemClock().now())


if __name__ == "__main__":
    sys.exit(main())

"""What every process of the Rasa environment does before Rasa is imported: quiet, offline, deterministic."""

import logging
import os
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "nlu" / ".venv"
_NO_ENVIRONMENT = 3


def prepare() -> None:
    """Set up this process for Rasa: project root and stand-ins importable, no telemetry, no cache, warnings only.

    A program that was started by another interpreter starts again in ``nlu/.venv``. Exits with code 3 when that is
    not installed.

    The working folder becomes the project root, because Rasa resolves component names and relative paths from it.
    Rasa logs each text it parses at debug level; loggers therefore start at warning, so that what people write never
    reaches a log.
    """
    _enter_venv()
    os.chdir(ROOT)
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    # The cache's keys know nothing of helper modules beside a component, so it would serve stale results.
    os.environ["RASA_MAX_CACHE_SIZE"] = "0"
    os.environ["SQLALCHEMY_SILENCE_UBER_WARNING"] = "1"
    # The n-grams read one character at a time; pypinyin's phrase table would cost 60 MB for nothing.
    os.environ["PYPINYIN_NO_PHRASES"] = "true"
    os.environ["PYPINYIN_NO_DICT_COPY"] = "true"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for path in (str(ROOT), str(ROOT / "nlu" / "stubs")):
        if path not in sys.path:
            sys.path.insert(0, path)
    from absent import install

    install()
    _quieten()


def _enter_venv() -> None:
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.is_file():
        print("the NLU environment is not installed; run nlu/install.py first", file=sys.stderr)
        raise SystemExit(_NO_ENVIRONMENT)
    os.execv(python, [str(python), *sys.argv])  # noqa: S606 – our own interpreter and this very program.


def _quieten() -> None:
    import sanic  # noqa: F401 – it turns deprecation warnings on while it is imported, so it comes first.
    import structlog

    for category in (DeprecationWarning, PendingDeprecationWarning):
        warnings.filterwarnings("ignore", category=category)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for name in ("sanic.root", "sanic.error", "rasa"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

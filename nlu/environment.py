"""What every process of the Rasa environment does before Rasa is imported: quiet, offline, deterministic."""

import logging
import os
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def prepare() -> None:
    """Set up this process for Rasa: project root and stand-ins importable, no telemetry, no cache, warnings only.

    The working folder becomes the project root, because Rasa resolves component names and relative paths from it.
    Rasa logs each text it parses at debug level; loggers therefore start at warning, so that what people write never
    reaches a log.
    """
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


def _quieten() -> None:
    import sanic  # noqa: F401 – it turns deprecation warnings on while it is imported, so it comes first.
    import structlog

    for category in (DeprecationWarning, PendingDeprecationWarning):
        warnings.filterwarnings("ignore", category=category)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for name in ("sanic.root", "sanic.error", "rasa"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

"""Makes every table known to the metadata, whichever tests are run."""

import importlib
import re
from pathlib import Path

import bot

ROOT = Path(bot.__path__[0]).parent
_DECLARES_A_TABLE = re.compile(r"^class \w+\(.*\bBase\b.*\):", re.MULTILINE)


def import_all_tables() -> None:
    """Import each module of ``bot`` that declares tables."""
    for path in sorted(Path(bot.__path__[0]).rglob("*.py")):
        if _DECLARES_A_TABLE.search(path.read_text(encoding="utf-8")):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))

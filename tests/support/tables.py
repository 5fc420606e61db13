"""Makes every table known to the metadata, whichever tests are run."""

import importlib
from pathlib import Path

import bot

ROOT = Path(bot.__path__[0]).parent


def import_all_tables() -> None:
    """Import each module of ``bot`` that declares tables."""
    for path in sorted(Path(bot.__path__[0]).rglob("*.py")):
        if "(Base)" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))

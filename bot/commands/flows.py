"""``python -m bot flows check``."""

import re
from collections.abc import Mapping
from pathlib import Path

from bot.app.actions import action_names
from bot.dialogue.checker import Known, check_directory
from bot.dialogue.standard_validators import standard_validators
from bot.settings import Settings
from bot.understanding.models import INTENTS

SOURCE_DIRS = (Path("actions"), Path("bot/worker"), Path("bot/turns"), Path("bot/app"))
_QUOTED = re.compile(r'"([a-z][a-z0-9_.]*)"')


def check(settings: Settings) -> int:
    """Print every fault of all flow files; return 1 when one is more than a warning."""
    known = Known(
        actions=action_names(),
        intents=INTENTS,
        validators=standard_validators(),
        sources=quoted_names(SOURCE_DIRS),
    )
    faults = check_directory(settings.flows_dir, known)
    for fault in faults:
        print(fault)
    return int(any(fault.level == "error" for fault in faults))


def quoted_names(folders: tuple[Path, ...]) -> Mapping[str, str]:
    """Return every quoted name in the Python sources below ``folders``, with the file it stands in."""
    names: dict[str, str] = {}
    for file in sorted(
        path for folder in folders for path in (folder.rglob("*.py") if folder.is_dir() else (folder,))
    ):
        for name in _QUOTED.findall(file.read_text(encoding="utf-8")):
            names.setdefault(name, str(file))
    return names

"""``python -m bot flows check``."""

from pathlib import Path

import yaml

from bot.app import action_names
from bot.dialogue.checker import check_directory
from bot.settings import Settings

INTENTS_DIR = Path("nlu/data")


def check(settings: Settings) -> int:
    """Print every fault of all flow files; return 1 when one is more than a warning."""
    faults = check_directory(settings.flows_dir, actions=action_names(), intents=known_intents(INTENTS_DIR))
    for fault in faults:
        print(fault)
    return int(any(not fault.is_warning for fault in faults))


def known_intents(folder: Path) -> frozenset[str]:
    """Return the intents that the training data names."""
    names: set[str] = set()
    for file in sorted(folder.glob("*.yml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        names.update(entry["intent"] for entry in content.get("nlu", []) if "intent" in entry)
    return frozenset(names)

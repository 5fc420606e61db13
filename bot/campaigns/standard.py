"""What automatic messages say and offer before staff have written something of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from bot.campaigns.content import MenuChoice

STANDARD_FILE = Path(__file__).with_name("standard.yml")


@dataclass(frozen=True, slots=True)
class StandardText:
    """The text and the buttons of one kind of rule."""

    body: str
    choices: tuple[MenuChoice, ...]


@cache
def standard_texts() -> Mapping[str, StandardText]:
    """Return the standard texts by the kind of rule."""
    raw = yaml.load(STANDARD_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {
        kind: StandardText(one["body"], tuple(MenuChoice(**choice) for choice in one["choices"]))
        for kind, one in raw.items()
    }

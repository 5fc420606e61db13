"""What a registration can be sent back for: files of its programme, and particulars to correct."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import yaml

from bot.programmes.models import Programme
from bot.registrations.errors import DeadlinePassed, ItemsMissing

ITEMS_FILE = Path(__file__).with_name("missing_items.yml")


@dataclass(frozen=True, slots=True)
class MissingItem:
    """One thing to supply; ``is_file`` says that it is handed in as a photo or PDF."""

    code: str
    label: str
    is_file: bool


def read_items(path: Path = ITEMS_FILE) -> Mapping[str, str]:
    """Return the particulars by code."""
    items: dict[str, str] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return items


CLEARER_PHOTO: Final = "clearer_photo"
PARTICULARS: Mapping[str, str] = read_items()


def items_of(programme: Programme) -> tuple[MissingItem, ...]:
    """Return everything that can be asked for in ``programme``: its files first."""
    files = tuple(MissingItem(rule.code, rule.label, is_file=True) for rule in programme.required_materials)
    codes = {item.code for item in files}
    rest = (MissingItem(code, label, is_file=False) for code, label in PARTICULARS.items() if code not in codes)
    return (*files, *rest)


def labels_of(programme: Programme, codes: Sequence[str]) -> tuple[str, ...]:
    """Return what the codes are called; one that the programme does not name any more stands as it is."""
    known = {item.code: item.label for item in items_of(programme)}
    return tuple(known.get(code, code) for code in codes)


def files_among(programme: Programme, codes: Sequence[str]) -> tuple[str, ...]:
    """Return the files among the codes; a clearer photo wants every file of ``programme`` again."""
    files = tuple(rule.code for rule in programme.required_materials)
    return files if CLEARER_PHOTO in codes else tuple(code for code in codes if code in files)


def check_return(programme: Programme, codes: Sequence[str], until: datetime, now: datetime) -> None:
    """Raise ItemsMissing when nothing (known) is asked for, and DeadlinePassed when it is due before now."""
    known = {item.code for item in items_of(programme)}
    unknown = [code for code in codes if code not in known]
    if unknown or not codes:
        raise ItemsMissing(items=",".join(unknown))
    if until <= now:
        raise DeadlinePassed(until=until.isoformat(timespec="minutes"))

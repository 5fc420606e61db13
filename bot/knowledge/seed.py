"""Reading the entries to begin with, from the files beside this one.

Staff edit entries as rows; what somebody edited is left alone. Of an entry in ``seed/*.yml``:

- ``variants``: at least twelve ways in which people ask, each in a voice of its own, with what tells the entry from
  its neighbours.
- ``answer``: at most 80 characters, first whether it can be done, then the next step. Its ``{placeholders}`` come
  from the rows of the entry's service; ``fallback_answer`` is said while they have no value.
- ``intents``: what a message with this question is mostly understood as. ``next_step``: the intent that is offered
  after the answer, or ``none``.
- ``status``: ``published`` answers; ``draft`` waits for somebody to check what its ``note`` says.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.knowledge.checks import check_entry
from bot.knowledge.errors import SeedInvalid
from bot.knowledge.models import Entry, EntryStatus
from bot.values.problem import Problem

SEED_FOLDER = Path(__file__).with_name("seed")


def read_seed(folder: Path = SEED_FOLDER) -> list[Entry]:
    """Return the entries of all files in ``folder``, by code; raises SeedInvalid that names the faulty one."""
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.yml")):
        for row in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["entries"]:
            entry = _entry(row)
            if entry.code in entries:
                raise SeedInvalid(place=entry.code, reason="the code occurs twice")
            entries[entry.code] = entry
    return [entries[code] for code in sorted(entries)]


def _entry(row: Mapping[str, object]) -> Entry:
    code = str(row.get("code"))
    try:
        entry = Entry(
            code=code,
            question=str(row["question"]),
            variants=_texts(row["variants"]),
            answer=str(row["answer"]),
            fallback_answer=str(row.get("fallback_answer", "")),
            basis=str(row["basis"]),
            intents=_texts(row["intents"]),
            service=str(row.get("service", "")),
            next_step=str(row["next_step"]),
            valid_until=None,
            status=EntryStatus(str(row["status"])),
            note=str(row.get("note", "")),
            version=1,
        )
    except (KeyError, ValueError) as error:
        raise SeedInvalid(place=code, reason=str(error)) from error
    problem = check_entry(entry)
    if isinstance(problem, Problem):
        raise SeedInvalid(place=code, reason=problem.code)
    return entry


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise ValueError(f"must be a list with at least one text, not {value!r}")
    return tuple(value)

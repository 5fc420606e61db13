"""Reading the entries to begin with."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.knowledge.errors import SeedInvalid
from bot.knowledge.models import Entry, EntryStatus
from bot.knowledge.rules import check_entry
from bot.values.problem import Problem

SEED_FILE = Path(__file__).with_name("seed.yml")


def read_seed(path: Path = SEED_FILE) -> list[Entry]:
    """Return the seed file's entries; raises SeedInvalid that names the faulty one."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    entries = [_entry(row) for row in data["entries"]]
    codes = [entry.code for entry in entries]
    for code in codes:
        if codes.count(code) > 1:
            raise SeedInvalid(place=code, reason="the code occurs twice")
    return entries


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
    if not isinstance(value, list) or not value:
        raise ValueError(f"must be a list with at least one text, not {value!r}")
    return tuple(map(str, value))

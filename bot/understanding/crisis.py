"""Danger in a text, by rules that work whatever else is down. The words are in ``crisis.yml``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml

from bot.understanding.errors import RuleTableInvalid
from bot.understanding.folding import fold
from bot.understanding.models import CrisisKind, CrisisLevel, CrisisSignal

CRISIS_FILE = Path(__file__).with_name("crisis.yml")
MAX_CHARS = 2000
"""Rules read no further: a message of the platform is at most 2,048 bytes, and a bound keeps the cost bounded."""


@dataclass(frozen=True, slots=True)
class CrisisRule:
    """One row of the table; see the head of ``crisis.yml`` for how its parts work together."""

    signal: CrisisSignal
    says: re.Pattern[str]
    together_with: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    despite: tuple[re.Pattern[str], ...]
    never: tuple[re.Pattern[str], ...]

    def matches(self, folded: str) -> bool:
        """Return whether the folded text speaks of this danger."""
        if not self.says.search(folded) or _any(self.never, folded):
            return False
        if self.together_with and not _any(self.together_with, folded):
            return False
        return not _any(self.unless, folded) or _any(self.despite, folded)


def crisis_signal(text: str) -> CrisisSignal | None:
    """Return the most urgent danger that ``text`` speaks of, or None."""
    folded = fold(text[:MAX_CHARS])
    for rule in crisis_rules():
        if rule.matches(folded):
            return rule.signal
    return None


@cache
def crisis_rules() -> tuple[CrisisRule, ...]:
    """Return the rules of ``crisis.yml``, most urgent first. Raises RuleTableInvalid."""
    return read_rules(yaml.safe_load(CRISIS_FILE.read_text(encoding="utf-8")))


def read_rules(table: Mapping[str, Any]) -> tuple[CrisisRule, ...]:
    """Return the rules of a parsed table, most urgent first. Raises RuleTableInvalid naming the faulty row."""
    contexts = {name: _compiled(name, pattern) for name, pattern in table["contexts"].items()}
    rules = [_rule(row, contexts) for row in table["rules"]]
    return tuple(sorted(rules, key=lambda rule: rule.signal.level))


def _rule(row: Mapping[str, Any], contexts: Mapping[str, re.Pattern[str]]) -> CrisisRule:
    name = str(row["name"])
    level, kind = row["level"], row["kind"]
    if level not in get_args(CrisisLevel) or kind not in get_args(CrisisKind):
        raise RuleTableInvalid(table=CRISIS_FILE.name, problem=f"{name}: unknown level or kind")
    return CrisisRule(
        CrisisSignal(level, kind, name),
        _compiled(name, "|".join(f"(?:{says})" for says in row["says"])),
        _named(name, row.get("with", ()), contexts),
        _named(name, row.get("unless", ()), contexts),
        _named(name, row.get("despite", ()), contexts),
        _named(name, row.get("never", ()), contexts),
    )


def _named(rule: str, names: Sequence[str], contexts: Mapping[str, re.Pattern[str]]) -> tuple[re.Pattern[str], ...]:
    unknown = [name for name in names if name not in contexts]
    if unknown:
        raise RuleTableInvalid(table=CRISIS_FILE.name, problem=f"{rule}: unknown context {unknown[0]}")
    return tuple(contexts[name] for name in names)


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as fault:
        raise RuleTableInvalid(table=CRISIS_FILE.name, problem=f"{name}: {fault}") from fault


def _any(patterns: tuple[re.Pattern[str], ...], folded: str) -> bool:
    return any(pattern.search(folded) for pattern in patterns)

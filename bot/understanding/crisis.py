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
from bot.understanding.prefilter import Prefilter

CRISIS_FILE = Path(__file__).with_name("crisis.yml")
MAX_CHARS = 2000
"""Rules read no further: a message of the platform is at most 2,048 bytes, and a bound keeps the cost bounded."""


@dataclass(frozen=True, slots=True)
class CrisisRule:
    """One row of the table; see the head of ``crisis.yml`` for how its parts work together."""

    signal: CrisisSignal
    says: tuple[re.Pattern[str], ...]
    together_with: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    despite: tuple[re.Pattern[str], ...]
    never: tuple[re.Pattern[str], ...]

    def matches(self, folded: str) -> bool:
        """Return whether the folded text speaks of this danger."""
        return self.means(self.says, folded)

    def means(self, says: tuple[re.Pattern[str], ...], folded: str) -> bool:
        """Return the same, when only ``says`` of this rule's lines can be found in the text."""
        if not _any(says, folded) or _any(self.never, folded):
            return False
        if self.together_with and not _any(self.together_with, folded):
            return False
        return not _any(self.unless, folded) or _any(self.despite, folded)


class CrisisRules:
    """All rules, most urgent first, behind a filter that leaves out the lines a text has no characters for."""

    def __init__(self, rules: Sequence[CrisisRule], harmless: Sequence[re.Pattern[str]] = ()) -> None:
        self.rules = tuple(rules)
        self._harmless = tuple(harmless)
        self._lines = [(place, line) for place, rule in enumerate(self.rules) for line in rule.says]
        self._prefilter = Prefilter([line.pattern for _, line in self._lines])

    def signal_in(self, folded: str) -> CrisisSignal | None:
        """Return the most urgent danger that a folded text speaks of, or None."""
        lines: dict[int, list[re.Pattern[str]]] = {}
        for index in self._prefilter.candidates(folded):
            place, line = self._lines[index]
            lines.setdefault(place, []).append(line)
        for place in sorted(lines):
            if self.rules[place].means(tuple(lines[place]), folded):
                return self.rules[place].signal
        return None

    def explain(self, folded: str) -> bool:
        """Say whether words that only sound like a danger explain what a model may take for one."""
        return _any(self._harmless, folded)


def only_sounds_like_danger(text: str) -> bool:
    """Say whether ``text`` holds words that sound like a danger and are none: a model alone is not believed then."""
    return crisis_rules().explain(fold(text[:MAX_CHARS]))


def crisis_signal(text: str) -> CrisisSignal | None:
    """Return the most urgent danger that ``text`` speaks of, or None."""
    return crisis_rules().signal_in(fold(text[:MAX_CHARS]))


@cache
def crisis_rules() -> CrisisRules:
    """Return the rules of ``crisis.yml``. The first call takes a third of a second; raises RuleTableInvalid."""
    table = yaml.load(CRISIS_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return CrisisRules(read_rules(table), [_compiled("harmless", says) for says in table["harmless"]])


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
        tuple(_compiled(name, says) for says in row["says"]),
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

"""Intents by words, for the time in which the Rasa server is away. The words are in ``keywords.yml``."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.understanding.errors import RuleTableInvalid
from bot.understanding.folding import fold
from bot.understanding.models import INTENTS, Guess, Ranking

KEYWORDS_FILE = Path(__file__).with_name("keywords.yml")
MAX_CHARS = 2000


@dataclass(frozen=True, slots=True)
class KeywordRule:
    """A text in which ``says`` is found and ``unless`` is not gives ``intent`` the confidence ``weight``."""

    intent: str
    weight: float
    says: re.Pattern[str]
    unless: re.Pattern[str] | None


def rank_by_keywords(text: str) -> Ranking:
    """Return the intents whose words are in ``text``, heaviest first; the confidences are weights, not chances."""
    folded = fold(text[:MAX_CHARS])
    weights: dict[str, float] = {}
    for rule in keyword_rules():
        if rule.says.search(folded) and not (rule.unless and rule.unless.search(folded)):
            weights[rule.intent] = max(rule.weight, weights.get(rule.intent, 0.0))
    guesses = [Guess(intent, weight) for intent, weight in weights.items()]
    guesses.sort(key=lambda guess: -guess.confidence)
    return Ranking(tuple(guesses), "keywords")


@cache
def keyword_rules() -> tuple[KeywordRule, ...]:
    """Return the rules of ``keywords.yml``. Raises RuleTableInvalid naming the faulty row."""
    return tuple(map(_rule, yaml.load(KEYWORDS_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["rules"]))


def _rule(row: dict[str, Any]) -> KeywordRule:
    intent = str(row["intent"])
    if intent not in INTENTS:
        raise RuleTableInvalid(table=KEYWORDS_FILE.name, problem=f"{intent}: no such intent")
    try:
        unless = re.compile(row["unless"]) if "unless" in row else None
        return KeywordRule(intent, float(row["weight"]), re.compile(row["says"]), unless)
    except re.error as fault:
        raise RuleTableInvalid(table=KEYWORDS_FILE.name, problem=f"{intent}: {fault}") from fault

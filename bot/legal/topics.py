"""The topics of legal consultation: loaded from ``topics.yml``, recognised in what a worker tells."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from bot.legal.errors import TableInvalid

TOPICS_FILE = Path(__file__).with_name("topics.yml")
SURE_SCORE = 3
"""A single sign of this weight is enough to be sure, as long as no other topic has signs too."""
ALTERNATIVES_MAX = 2

_NOISE = re.compile(r"[\s“”\"'‘’…~]+")


class Handling(StrEnum):
    """What a topic leads to: a case with a form, a direction only, or the crisis answer without any form."""

    CASE = "case"
    REFERRAL = "referral"
    CRISIS = "crisis"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the lawyer should know. ``label`` names it to staff; the question is in the flows."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One of the codes W1 to W15.

    ``wage_claim`` matters to the time limit while the worker is still employed. ``claim`` is what people of this
    topic nearly always want, ``""`` where that differs.
    """

    code: str
    label: str
    handling: Handling
    facts: tuple[Fact, ...]
    evidence: tuple[str, ...]
    signs: tuple[tuple[int, re.Pattern[str]], ...]
    wage_claim: bool = False
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The likeliest topic with a confidence of 1 to 100, and the next likely ones."""

    code: str
    confidence_percent: int
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """The text shows no sign of any topic."""


Recognition = Recognised | Unrecognised


class TopicCatalogue:
    """Every topic, by code and in the file's order."""

    def __init__(self, topics: tuple[Topic, ...]) -> None:
        self._topics = {topic.code: topic for topic in topics}

    @classmethod
    def load(cls, path: Path = TOPICS_FILE) -> "TopicCatalogue":
        """Read the topics' file; raises TableInvalid that names the faulty entry."""
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        facts = {key: Fact(key, str(label)) for key, label in data["facts"].items()}
        return cls(tuple(_topic(row, facts) for row in data["topics"]))

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def __contains__(self, code: object) -> bool:
        return code in self._topics

    def __getitem__(self, code: str) -> Topic:
        return self._topics[code]

    def recognise(self, text: str) -> Recognition:
        """Say which topic a worker's own words are about.

        Each topic scores the weights of its signs that occur. The confidence is the best topic's share against the
        runner-up, scaled down while the evidence is thin.
        """
        plain = _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())
        scores = {topic.code: _score(topic, plain) for topic in self}
        ranked = sorted((code for code in scores if scores[code]), key=lambda code: -scores[code])
        if not ranked:
            return Unrecognised()
        best = scores[ranked[0]]
        runner_up = scores[ranked[1]] if len(ranked) > 1 else 0
        confidence = best / (best + runner_up) * min(1.0, best / SURE_SCORE)
        return Recognised(ranked[0], round(confidence * 100), tuple(ranked[1 : 1 + ALTERNATIVES_MAX]))


def _score(topic: Topic, plain: str) -> int:
    return sum(weight for weight, sign in topic.signs if sign.search(plain))


def _topic(row: Mapping[str, object], facts: Mapping[str, Fact]) -> Topic:
    code = str(row.get("code"))
    try:
        signs, keys, evidence = row["signs"], row["facts"], row["evidence"]
        if not isinstance(signs, dict) or not isinstance(keys, list) or not isinstance(evidence, list):
            raise TableInvalid(place=f"topics/{code}", reason="signs must be a mapping, facts and evidence lists")
        return Topic(
            code=code,
            label=str(row["label"]),
            handling=Handling(str(row["handling"])),
            facts=tuple(facts[str(key)] for key in keys),
            evidence=tuple(map(str, evidence)),
            signs=tuple(
                (int(weight), re.compile(pattern)) for weight, patterns in signs.items() for pattern in patterns
            ),
            wage_claim=bool(row.get("wage_claim", False)),
            claim=str(row.get("claim", "")),
        )
    except (KeyError, ValueError, re.error) as error:
        raise TableInvalid(place=f"topics/{code}", reason=str(error)) from error

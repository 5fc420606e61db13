"""How often the right entry is found: figures over questions whose entry is known."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from bot.knowledge.models import Entry
from bot.knowledge.rules import (
    CLOSE_MAX,
    WITH_MEANING,
    WITHOUT_MEANING,
    Scored,
    Thresholds,
    clearly_best,
    rank,
    worth_offering,
)
from bot.knowledge.scores import Retriever
from bot.understanding.models import Understanding

Outcome = Literal["answered", "asked_back", "not_found"]
PATIENCE_S = 30.0
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the code of the entry that answers it, and the codes of others whose answer would do."""

    code: str
    text: str
    also: tuple[str, ...] = ()

    def is_answered_by(self, code: str) -> bool:
        """Say whether the entry ``code`` answers the question."""
        return code == self.code or code in self.also


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with the best entries, best first, and what the follower would see."""

    asked: Asked
    best: tuple[Scored, ...]
    outcome: Outcome

    @property
    def is_first(self) -> bool:
        """Whether the right entry is the best one."""
        return bool(self.best) and self.asked.is_answered_by(self.best[0].code)

    @property
    def is_among_three(self) -> bool:
        """Whether the right entry is one of the best three."""
        return any(self.asked.is_answered_by(item.code) for item in self.best[:CLOSE_MAX])


@dataclass(frozen=True, slots=True)
class Report:
    """Figures over judged questions; all shares are from 0 to 1."""

    judged: tuple[Judged, ...]

    @property
    def top_1(self) -> float:
        """Share whose right entry is the best one."""
        return _share([each.is_first for each in self.judged])

    @property
    def top_3(self) -> float:
        """Share whose right entry is among the best three."""
        return _share([each.is_among_three for each in self.judged])

    @property
    def wrongly_answered(self) -> float:
        """Share that would get another entry's answer: the errors that people notice."""
        return _share([each.outcome == "answered" and not each.is_first for each in self.judged])

    def share(self, outcome: Outcome) -> float:
        """Return the share of questions with that outcome."""
        return _share([each.outcome == outcome for each in self.judged])

    def right_among(self, outcome: Outcome) -> float:
        """Return the share of those with that outcome whose right entry is answered or offered."""
        chosen = [each for each in self.judged if each.outcome == outcome]
        return _share([each.is_first if outcome == "answered" else each.is_among_three for each in chosen])

    def worst(self, limit: int) -> list[tuple[str, int, int]]:
        """Return (code, found first, asked) of the entries that are missed most often."""
        by_code: defaultdict[str, list[bool]] = defaultdict(list)
        for each in self.judged:
            by_code[each.asked.code].append(each.is_first)
        missed = [(code, sum(hits), len(hits)) for code, hits in by_code.items() if not all(hits)]
        return sorted(missed, key=lambda row: (row[1] / row[2], -row[2], row[0]))[:limit]


def read_questions(path: Path) -> list[Asked]:
    """Return the questions of a YAML file: ``{code: [question, …]}``.

    A question is a text, or ``{text: …, also: [code, …]}``. Raises ValueError naming the entry where it is not.
    """
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    if not isinstance(data, dict):
        raise ValueError(f"{path.name}: expected entry codes with lists of questions")  # noqa: TRY004 - It is the file's.
    return [_asked(path, str(code), row) for code, rows in data.items() for row in rows or ()]


def _asked(path: Path, code: str, row: object) -> Asked:
    match row:
        case str():
            return Asked(code, row)
        case {"text": str(text), "also": [*also], **rest} if not rest:
            return Asked(code, text, tuple(map(str, also)))
        case _:
            raise ValueError(f"{path.name}: {code}: expected a question or {{text: …, also: [code, …]}}")


def questions_of(entries: Sequence[Entry]) -> Mapping[str, tuple[str, ...]]:
    """Return every way in which the entries' questions are put, by code."""
    return {entry.code: (entry.question, *entry.variants) for entry in entries}


def judge(asked: Asked, ranked: Sequence[Scored], thresholds: Thresholds) -> Judged:
    """Return what the follower would see. Drafts count like other entries: what is measured is the search."""
    outcome: Outcome = "not_found"
    if clearly_best(ranked, thresholds) is not None:
        outcome = "answered"
    elif worth_offering(ranked, thresholds):
        outcome = "asked_back"
    return Judged(asked, tuple(ranked[:CLOSE_MAX]), outcome)


async def evaluate(
    entries: Sequence[Entry],
    retriever: Retriever,
    understanding: Understanding | None,
    questions: Sequence[Asked],
    progress: Progress | None = None,
) -> Report:
    """Return the figures for ``questions`` over an index of ``entries``.

    Without ``understanding`` no intents are counted in. ``progress`` gets how many of how many are done.
    """
    await retriever.rebuild(questions_of(entries))
    intents = {entry.code: entry.intents for entry in entries}
    judged = []
    for number, asked in enumerate(questions, start=1):
        scores = await retriever.scores(asked.text)
        ranked = rank(scores.by_code, intents, await chances_of(understanding, asked.text))
        judged.append(judge(asked, ranked, WITH_MEANING if scores.with_meaning else WITHOUT_MEANING))
        if progress is not None:
            progress(number, len(questions))
    return Report(tuple(judged))


async def chances_of(understanding: Understanding | None, text: str) -> Mapping[str, float]:
    """Return how likely ``text`` has each intent; nothing where nobody is asked or only keywords answer."""
    if understanding is None:
        return {}
    ranking = await understanding.rank(text, PATIENCE_S)
    return {guess.intent: guess.confidence for guess in ranking.guesses} if ranking.source == "model" else {}


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0

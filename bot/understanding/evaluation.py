"""How well texts are understood: figures over a table of texts with the intents that are right for them."""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.understanding.crisis import crisis_signal
from bot.understanding.models import INTENTS, Understanding
from bot.understanding.rules import CRISIS, OUT_OF_SCOPE, Decision, Lost, Sure, decide


@dataclass(frozen=True, slots=True)
class Example:
    """A text, the intents that are right for it (the best one first), and where it comes from."""

    text: str
    labels: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Judged:
    """An example with the model's first guess, its confidence, what would be done, and whether crisis words alarm."""

    example: Example
    guess: str
    confidence: float
    decision: Decision
    has_crisis_words: bool

    @property
    def alarms(self) -> bool:
        """Whether the text would be treated as a danger, by words or by the model."""
        return self.has_crisis_words or self.decision == Sure(CRISIS)

    @property
    def is_right(self) -> bool:
        """Whether the guess is one of the acceptable labels."""
        return self.guess in self.example.labels


@dataclass(frozen=True, slots=True)
class Report:
    """Figures over judged examples; all shares are from 0 to 1."""

    judged: tuple[Judged, ...]

    @property
    def strict(self) -> float:
        """Share whose first guess is the best label."""
        return _share([each.guess == each.example.labels[0] for each in self.judged])

    @property
    def lenient(self) -> float:
        """Share whose first guess is any acceptable label."""
        return _share([each.is_right for each in self.judged])

    def recall(self) -> dict[str, float]:
        """Return the lenient share for each best label."""
        by_label: dict[str, list[bool]] = {}
        for each in self.judged:
            by_label.setdefault(each.example.labels[0], []).append(each.is_right)
        return {label: _share(hits) for label, hits in sorted(by_label.items())}

    @property
    def macro_recall(self) -> float:
        """Mean of ``recall`` over the labels."""
        recalls = list(self.recall().values())
        return sum(recalls) / len(recalls) if recalls else 0.0

    @property
    def macro_f1(self) -> float:
        """Mean over the labels of the harmonic mean of precision and recall, by the best labels."""
        truths = Counter(each.example.labels[0] for each in self.judged)
        guesses = Counter(each.guess for each in self.judged)
        hits = Counter(each.guess for each in self.judged if each.guess == each.example.labels[0])
        scores = [2 * hits[label] / (truths[label] + guesses[label]) for label in truths]
        return sum(scores) / len(scores) if scores else 0.0

    def confusions(self) -> list[tuple[str, str, int]]:
        """Return (best label, guess, how often) of wrong guesses, the most frequent first."""
        pairs = Counter((each.example.labels[0], each.guess) for each in self.judged if not each.is_right)
        return [(truth, guess, count) for (truth, guess), count in pairs.most_common()]

    @property
    def answered(self) -> float:
        """Share of in-scope texts that are acted on or asked back about."""
        inside = [each for each in self.judged if OUT_OF_SCOPE not in each.example.labels]
        return _share([not _is_rejected(each.decision) for each in inside])

    @property
    def rejected(self) -> float:
        """Share of out-of-scope texts that are not taken for the union's business."""
        outside = [each for each in self.judged if each.example.labels[0] == OUT_OF_SCOPE]
        return _share([_is_rejected(each.decision) for each in outside])

    @property
    def crisis_recall(self) -> float:
        """Share of crisis texts that words or the model notice."""
        return _share([each.alarms for each in self.judged if each.example.labels[0] == CRISIS])

    @property
    def crisis_false_alarms(self) -> float:
        """Share of all other texts that words or the model take for a danger."""
        return _share([each.alarms for each in self.judged if CRISIS not in each.example.labels])

    @property
    def wrongly_sure(self) -> float:
        """Share of all texts that would be acted on wrongly: the errors that people notice."""
        return _share([isinstance(each.decision, Sure) and not _right_decision(each) for each in self.judged])


def read_examples(path: Path) -> list[Example]:
    """Return the rows of a table with the columns text, labels (``|`` between acceptable ones) and source.

    The source may be left out. Raises ValueError naming what is missing or the line of an unknown label.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if missing := {"text", "labels"} - set(table.fieldnames or ()):
            raise ValueError(f"no column {', '.join(sorted(missing))} in the first line")
        rows = [{name: cell or "" for name, cell in row.items()} for row in table]
    examples = [Example(row["text"], tuple(row["labels"].split("|")), row.get("source", "")) for row in rows]
    for number, example in enumerate(examples, start=2):
        unknown = [label for label in example.labels if label not in INTENTS]
        if unknown:
            raise ValueError(f"{path.name}:{number}: no such intent: {unknown[0]}")
    return examples


async def evaluate(
    understanding: Understanding,
    examples: Sequence[Example],
    *,
    budget_s: float = 30.0,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Return the figures for ``examples``; ``progress`` gets how many of how many are done."""
    judged = []
    for number, example in enumerate(examples, start=1):
        ranking = await understanding.rank(example.text, budget_s)
        first = ranking.guesses[0] if ranking.guesses else None
        guess, confidence = (first.intent, first.confidence) if first else ("", 0.0)
        has_words = crisis_signal(example.text) is not None
        judged.append(Judged(example, guess, confidence, decide(ranking), has_words))
        if progress is not None:
            progress(number, len(examples))
    return Report(tuple(judged))


def _is_rejected(decision: Decision) -> bool:
    return isinstance(decision, Lost) or decision == Sure(OUT_OF_SCOPE)


def _right_decision(judged: Judged) -> bool:
    return isinstance(judged.decision, Sure) and judged.decision.intent in judged.example.labels


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0

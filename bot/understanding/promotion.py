"""Whether a newly trained model may take the place of the one that serves. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from bot.understanding.evaluation import Report
from bot.understanding.rules import CRISIS

LARGEST_LOSS_POINTS: Final = 2
"""How much recall, in points of a hundred, an intent may lose; crisis may lose nothing."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many."""

    right: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.right / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What an evaluation found, as far as promotion and the list of models need it; shares are from 0 to 1."""

    by_intent: Mapping[str, Count]
    crisis_noticed: Count
    strict: float
    lenient: float
    wrongly_sure: float
    crisis_false_alarms: float

    @classmethod
    def of(cls, report: Report) -> "Figures":
        """Return the figures of a report; recall counts every acceptable label."""
        judged = report.judged
        intents = sorted({each.example.labels[0] for each in judged})
        hits = {intent: [each.is_right for each in judged if each.example.labels[0] == intent] for intent in intents}
        alarms = [each.alarms for each in judged if each.example.labels[0] == CRISIS]
        return cls(
            {intent: Count(sum(found), len(found)) for intent, found in hits.items()},
            Count(sum(alarms), len(alarms)),
            report.strict,
            report.lenient,
            report.wrongly_sure,
            report.crisis_false_alarms,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able copy."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Change:
    """How one intent fares with the candidate."""

    intent: str
    before: Count
    after: Count

    @property
    def points(self) -> float:
        """Points of a hundred that were won; negative where some were lost."""
        return self.after.percent - self.before.percent

    @property
    def loses_too_much(self) -> bool:
        lost = self.before.right - self.after.right
        return lost > 0 if self.intent == CRISIS else 100 * lost > LARGEST_LOSS_POINTS * self.before.of


@dataclass(frozen=True, slots=True)
class Verdict:
    """``objections`` say in words why the candidate must not serve; none means that it may."""

    changes: tuple[Change, ...]
    objections: tuple[str, ...]


def judge(before: Figures, after: Figures) -> Verdict:
    """Compare a candidate (``after``) with the serving model on the same texts.

    It may serve when no intent loses more than LARGEST_LOSS_POINTS of recall and crisis loses nothing: neither a
    text that the model recognised, nor one that words and model together noticed.
    """
    changes = tuple(
        Change(intent, count, after.by_intent.get(intent, Count(0, count.of)))
        for intent, count in before.by_intent.items()
    )
    objections = [_objection(change) for change in changes if change.loses_too_much]
    if after.crisis_noticed.right < before.crisis_noticed.right:
        objections.append(
            f"danger is noticed in {after.crisis_noticed.right} of {after.crisis_noticed.of} texts, "
            f"before in {before.crisis_noticed.right}"
        )
    return Verdict(changes, tuple(objections))


def _objection(change: Change) -> str:
    lost = change.before.right - change.after.right
    texts = "1 text" if lost == 1 else f"{lost} texts"
    return f"{change.intent} loses {-change.points:.1f} points: {texts} of {change.before.of}"

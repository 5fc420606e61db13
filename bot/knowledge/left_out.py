"""Choosing weights and thresholds by the seed alone: each question is looked for as if it were not in the index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.knowledge.evaluation import Asked, Report, judge, questions_of
from bot.knowledge.likeness import QuestionSpace, Weights, left_out_scores
from bot.knowledge.models import Entry
from bot.knowledge.ngrams import Floats
from bot.knowledge.rules import Scored, Thresholds, rank

CANDIDATES = 6


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Every question of the seed with the best entries, had the question not been in the index."""

    asked: tuple[Asked, ...]
    ranked: tuple[tuple[Scored, ...], ...]

    def report(self, thresholds: Thresholds) -> Report:
        """Return the figures with those thresholds."""
        pairs = zip(self.asked, self.ranked, strict=True)
        return Report(tuple(judge(asked, ranked, thresholds) for asked, ranked in pairs))


def left_out(
    entries: Sequence[Entry],
    weights: Weights,
    vectors: Floats | None,
    chances: Sequence[Mapping[str, float]],
) -> LeftOut:
    """Return the seed's questions, each without itself.

    ``vectors`` and ``chances`` have a row for each question, in the order of ``questions_of(entries)``.
    """
    space = QuestionSpace(questions_of(entries))
    scores = left_out_scores(space, space.own_likeness(weights, vectors), weights)
    intents = {entry.code: entry.intents for entry in entries}
    asked = tuple(Asked(space.codes[owner], text) for owner, text in zip(space.owner, space.texts, strict=True))
    ranked = tuple(
        tuple(rank(dict(zip(space.codes, row.tolist(), strict=True)), intents, chance)[:CANDIDATES])
        for row, chance in zip(scores, chances, strict=True)
    )
    return LeftOut(asked, ranked)

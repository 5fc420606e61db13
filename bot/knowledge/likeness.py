"""Which entry a text asks for, learnt from all ways in which the entries' questions are put.

The nearest question alone is often a neighbour's: entries about the same thing share their words. So every question
votes for or against every entry, with weights that make all questions find their own entry (ridge regression over the
likeness of texts). It is solved in one go when an entry changes, in a second or two for 3,000 questions; there is
nothing to train. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.knowledge.ngrams import Floats, NgramSpace


@dataclass(frozen=True, slots=True)
class Weights:
    """How sharply likeness falls off with each kind of distance, and how much smoothing there is.

    Chosen by leave-one-out over the seed's own questions: ``python -m bot knowledge evaluate`` prints the table.
    """

    characters: float
    sounds: float
    meaning: float
    ridge: float = 0.15


WITH_MEANING = Weights(characters=0.4, sounds=0.4, meaning=1.2)
WITHOUT_MEANING = Weights(characters=1.0, sounds=1.0, meaning=0.0)


class QuestionSpace:
    """All questions of all entries, and what a new text has in common with them."""

    def __init__(self, questions: Mapping[str, Sequence[str]]) -> None:
        self.codes = tuple(questions)
        self.texts = tuple(text for texts in questions.values() for text in texts)
        self.owner = np.repeat(np.arange(len(self.codes)), [len(texts) for texts in questions.values()])
        self._characters = NgramSpace(self.texts, "characters")
        self._sounds = NgramSpace(self.texts, "sounds")

    def likeness(self, text: str, weights: Weights, meaning: Floats | None = None) -> Floats:
        """Return how alike ``text`` and each question are, 1 for the same; ``meaning``: cosines of their vectors."""
        far = weights.characters * (self._characters.likeness(text) - 1)
        far += weights.sounds * (self._sounds.likeness(text) - 1)
        if meaning is not None:
            far += weights.meaning * (meaning - 1)
        alike: Floats = np.exp(far)
        return alike

    def own_likeness(self, weights: Weights, vectors: Floats | None = None) -> Floats:
        """Return the likeness of all questions with each other, shape (questions, questions), symmetric."""
        far = weights.characters * (self._characters.own_likeness() - 1)
        far += weights.sounds * (self._sounds.own_likeness() - 1)
        if vectors is not None:
            far += weights.meaning * (vectors @ vectors.T - 1)
        alike: Floats = np.exp(far, out=far)
        return alike


class EntryVotes:
    """What the likeness with each question says about each entry. About 1 is a clear yes, 0 a no."""

    def __init__(self, space: QuestionSpace, likeness: Floats, weights: Weights) -> None:
        truth = _truth(space)
        self._usual = truth.mean(axis=0)
        votes = np.linalg.solve(_ridged(likeness, weights), truth - self._usual)
        self._votes: Floats = np.ascontiguousarray(votes.T)

    def scores(self, likeness: Floats) -> Floats:
        """Return a score for each entry, in the order of ``QuestionSpace.codes``."""
        scores: Floats = product(self._votes, likeness) + self._usual
        return scores


def product(rows: Floats, vector: Floats) -> Floats:
    """Return ``rows @ vector`` on this thread alone.

    The linear algebra library would share even so small a product among all cores, and wait for the busiest of them.
    """
    multiplied: Floats = np.einsum("ij,j->i", rows, vector)
    return multiplied


def left_out_scores(space: QuestionSpace, likeness: Floats, weights: Weights) -> Floats:
    """Return for each question the scores it would get had it not been in the index, shape (questions, entries).

    The closed form of leave-one-out for ridge regression; only the rarity of n-grams still knows of the question.
    """
    truth = _truth(space)
    usual = truth.mean(axis=0)
    inverse = np.linalg.inv(_ridged(likeness, weights))
    wrong_by: Floats = (inverse @ (truth - usual)) / np.diag(inverse)[:, None]
    left_out: Floats = truth - wrong_by
    return left_out


def _truth(space: QuestionSpace) -> Floats:
    truth = np.zeros((len(space.texts), len(space.codes)), dtype=np.float32)
    truth[np.arange(len(space.texts)), space.owner] = 1.0
    return truth


def _ridged(likeness: Floats, weights: Weights) -> Floats:
    ridged: Floats = likeness + np.float32(weights.ridge) * np.eye(len(likeness), dtype=np.float32)
    return ridged

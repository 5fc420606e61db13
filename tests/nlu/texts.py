"""The training data and the evaluation set, read without Rasa."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from bot.understanding.evaluation import Example, read_examples
from bot.understanding.training_data import read_utterances

NLU = Path(__file__).resolve().parents[2] / "nlu"


@cache
def training_texts(folder: Path = NLU / "data") -> Mapping[str, Sequence[str]]:
    """Return the utterances by intent."""
    return read_utterances(sorted(folder.glob("*.yml")))


@cache
def evaluation_texts() -> tuple[Example, ...]:
    """Return the rows of all evaluation tables."""
    tables = sorted((NLU / "evaluation").glob("*.tsv"))
    return tuple(example for path in tables for example in read_examples(path))

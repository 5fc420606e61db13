"""The training data and the evaluation set, read without Rasa."""

from pathlib import Path

from bot.understanding.evaluation import Example, read_examples
from bot.understanding.training_data import read_utterances

NLU = Path(__file__).resolve().parents[2] / "nlu"


def training_texts(folder: Path = NLU / "data") -> dict[str, list[str]]:
    """Return the utterances by intent."""
    return read_utterances(sorted(folder.glob("*.yml")))


def evaluation_texts() -> list[Example]:
    """Return the rows of all evaluation tables."""
    return [example for path in sorted((NLU / "evaluation").glob("*.tsv")) for example in read_examples(path)]

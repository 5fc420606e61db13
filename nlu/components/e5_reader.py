"""The tuned encoder from texts to scores; without Rasa."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from nlu.components.e5_differences import Differences
from nlu.components.e5_file import E5File, packaged
from nlu.components.e5_pieces import Tokenizer
from nlu.components.normal_form import normalise

TUNED: Final = Path(__file__).resolve().parent.parent / "tuning" / "e5.npz"
"""What was learnt from our texts (``make tune``)."""
PIECES_MAX: Final = 96
"""A text is read up to here; the longest training text has fewer pieces."""


@cache
def package() -> tuple[E5File, Tokenizer]:
    """Return the package's file and its tokenizer, one copy a process: promoted models are loaded beside others."""
    file = E5File(packaged())
    return file, Tokenizer(file.pieces())


class Reader:
    """Gives each text a score by intent."""

    def __init__(self, differences: Differences, file: E5File, tokenizer: Tokenizer) -> None:
        self.intents = differences.intents
        self.digest = differences.digest()
        self._tokenizer = tokenizer
        self._network = differences.network(file)
        self._differences = differences

    @classmethod
    def of(cls, differences: Differences) -> "Reader":
        """Return the reader over the installed package."""
        return cls(differences, *package())

    def scores(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return scores of shape (texts, intents), whose exponentials are in the ratio of the intents' chances."""
        numbers = [self._tokenizer.numbers(normalise(text), PIECES_MAX) for text in texts]
        return self._differences.scores(self._network(numbers))

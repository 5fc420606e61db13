"""The encoder of multilingual-e5-small with our differences, run by ONNX Runtime.

The runtime lays each weight out for its own multiplication once, when it is loaded; a plain matrix library does it
anew for every text, which takes longer than the multiplication itself for texts as short as ours.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import ModelProto

from nlu.components.e5_file import E5File
from nlu.components.e5_graph import READ, VECTORS

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Words:
    """What was learnt about single pieces: ``left`` (pieces, rank) @ ``right`` (rank, hidden).

    ``pieces`` are their numbers, ascending; all others stay as the file has them.
    """

    pieces: Numbers
    left: Floats
    right: Floats

    def added_to(self, vectors: Floats, numbers: Numbers) -> Floats:
        """Return ``vectors``, (pieces of a text, hidden), with what was learnt about the pieces ``numbers``."""
        places = np.minimum(np.searchsorted(self.pieces, numbers), len(self.pieces) - 1)
        known = self.pieces[places] == numbers
        return np.asarray(vectors + known[:, None] * (self.left[places] @ self.right))


@dataclass(frozen=True)
class Embedding:
    """Vectors of the pieces, read from the file as they come, and of the places in a text."""

    file: E5File
    places: Floats
    words: Words | None

    @classmethod
    def of(cls, file: E5File, words: Words | None) -> "Embedding":
        """Return the file's own, with ``words`` added."""
        hidden = file.shape.hidden
        return cls(file, file.vector("emb.pos").reshape(-1, hidden) + file.vector("emb.type")[:hidden], words)

    def __call__(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Return vectors of ``texts`` with equally many pieces; of shape (texts, pieces, hidden)."""
        hidden, length = self.file.shape.hidden, len(texts[0])
        numbers = [number for text in texts for number in text]
        vectors = self.file.matrix("emb.word", hidden, numbers)
        if self.words is not None:
            vectors = self.words.added_to(vectors, np.array(numbers))
        return np.asarray(vectors.reshape(-1, length, hidden) + self.places[:length])


class Network:
    """From the numbers of a text's pieces to one vector."""

    def __init__(self, embedding: Embedding, graph: ModelProto) -> None:
        self._embedding = embedding
        self._session = onnxruntime.InferenceSession(
            graph.SerializeToString(), _options(), providers=["CPUExecutionProvider"]
        )

    def __call__(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Return a vector for each text, given as the numbers of its pieces; of shape (texts, 2 x hidden)."""
        found = np.empty((len(texts), 2 * self._embedding.file.shape.hidden), np.float32)
        for places in _equally_long(texts):
            vectors = self._embedding([texts[place] for place in places])
            found[places] = self._session.run([READ], {VECTORS: vectors})[0]
        return found


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # As many processes serve as there are cores; threads of one would only wait for those of another.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Both keep memory for shapes seen before, and texts come in a hundred lengths.
    options.enable_mem_pattern = options.enable_cpu_mem_arena = False
    return options


def _equally_long(texts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the places of ``texts`` grouped by length: nothing has to be padded, and no text changes another's."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        places[len(text)].append(place)
    return list(places.values())

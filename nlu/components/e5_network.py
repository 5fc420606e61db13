"""The encoder of multilingual-e5-small with our differences, forwards, in numpy.

BERT's encoder (Devlin et al. 2019), its first layers only. The tokens of all texts stand in one matrix, so that each
weight is read once for all of them; only attention goes text by text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from nlu.components.e5_file import E5File, Shape

Floats = npt.NDArray[np.float32]
_EPSILON = np.float32(1e-12)
_GELU_SLOPE = np.float32(np.sqrt(2 / np.pi))
_GELU_BEND = np.float32(0.044715)


@dataclass(frozen=True)
class Affine:
    """``x @ weights + bias``."""

    weights: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        found: Floats = x @ self.weights
        found += self.bias
        return found


@dataclass(frozen=True)
class Norm:
    """Layer normalisation over the last axis."""

    gain: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        found: Floats = x - x.mean(axis=-1, keepdims=True)
        found /= np.sqrt(np.einsum("ij,ij->i", found, found)[:, None] / np.float32(x.shape[-1]) + _EPSILON)
        found *= self.gain
        found += self.bias
        return found


@dataclass(frozen=True)
class Layer:
    """One layer: ``asked`` gives queries, keys and values side by side."""

    asked: Affine
    told: Affine
    norm_told: Norm
    widened: Affine
    narrowed: Affine
    norm_narrowed: Norm


@dataclass(frozen=True)
class Embedding:
    """Vectors of the pieces, read from the file as they come, and of the places in a text."""

    file: E5File
    places: Floats
    norm: Norm

    @classmethod
    def of(cls, file: E5File) -> "Embedding":
        """Return the file's own."""
        hidden = file.shape.hidden
        places = file.vector("emb.pos").reshape(-1, hidden) + file.vector("emb.type")[:hidden]
        return cls(file, places, Norm(file.vector("emb.ln.w"), file.vector("emb.ln.b")))

    def __call__(self, numbers: Sequence[int], places: Sequence[int]) -> Floats:
        found = self.file.matrix("emb.word", self.file.shape.hidden, numbers)
        return self.norm(found + self.places[list(places)])


class Network:
    """The first ``len(layers)`` layers and the mean of what they make of a text's pieces."""

    def __init__(self, shape: Shape, embedding: Embedding, layers: Sequence[Layer]) -> None:
        self._shape = shape
        self._embedding = embedding
        self._layers = layers

    def __call__(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Return a vector for each text, given as the numbers of its pieces; of shape (texts, hidden)."""
        lengths = [len(text) for text in texts]
        ends = list(accumulate(lengths))
        starts = [end - length for end, length in zip(ends, lengths, strict=True)]
        x = self._embedding(
            [number for text in texts for number in text], [place for length in lengths for place in range(length)]
        )
        spans = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        for layer in self._layers:
            x = layer.norm_told(x + layer.told(self._attend(layer.asked(x), spans)))
            x = layer.norm_narrowed(x + layer.narrowed(_gelu(layer.widened(x))))
        means: Floats = np.add.reduceat(x, starts, axis=0)
        means /= np.asarray(lengths, np.float32)[:, None]
        return means

    def _attend(self, asked: Floats, spans: Sequence[slice]) -> Floats:
        heads, hidden = self._shape.heads, self._shape.hidden
        found = np.empty((len(asked), hidden), np.float32)
        scale = np.float32(1 / np.sqrt(hidden // heads))
        for span in spans:
            queries, keys, values = asked[span].reshape(-1, 3, heads, hidden // heads).transpose(1, 2, 0, 3)
            weights = np.exp(_centred(queries @ keys.transpose(0, 2, 1) * scale))
            weights /= weights.sum(axis=-1, keepdims=True)
            found[span] = (weights @ values).transpose(1, 0, 2).reshape(-1, hidden)
        return found


def _centred(scores: Floats) -> Floats:
    return np.asarray(scores - scores.max(axis=-1, keepdims=True))


def _gelu(x: Floats) -> Floats:
    bent = x * x
    bent *= _GELU_BEND
    bent += 1
    bent *= x
    bent *= _GELU_SLOPE
    np.tanh(bent, out=bent)
    bent += 1
    bent *= x
    bent *= np.float32(0.5)
    return bent

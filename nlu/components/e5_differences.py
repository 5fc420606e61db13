"""What was learnt from our texts on top of the packaged encoder: differences of low rank, and a score by intent."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from nlu.components.e5_file import E5File
from nlu.components.e5_graph import Affine, Layer, Norm, graph
from nlu.components.e5_network import Embedding, Network, Words

Floats = npt.NDArray[np.float32]
MATRICES: Final = ("q", "k", "v", "ao", "fi", "fo")
"""Queries, keys, values, what attention tells, the wide and the narrow map of each layer."""
NORMS: Final = ("aln", "oln")
GAIN: Final = 2.0
"""By what the product of the two factors of a difference is multiplied."""


@dataclass(frozen=True)
class Differences:
    """``arrays`` are half floats by name (``l0.q.left``, ``l0.q.right``, ``l0.q.bias``, ``l0.aln.gain``, …).

    Among them ``words.left`` and ``words.right`` of the ``pieces``, their numbers in the file, ascending. ``head`` is
    (2 x hidden, intents): weights of the means, then of the greatest values; ``head_bias`` (intents,). An encoder
    tuned earlier has weights of the means alone and no pieces, and reads as it did.
    """

    intents: list[str]
    layers: int
    arrays: dict[str, npt.NDArray[np.float16]]
    pieces: npt.NDArray[np.int32]
    head: Floats
    head_bias: Floats

    def save(self, path: Path) -> None:
        """Write one compressed archive, which ``load`` reads back."""
        about = json.dumps({"intents": self.intents, "layers": self.layers})
        stored: dict[str, Any] = {
            "about": np.array(about),
            "pieces": self.pieces,
            "head": self.head,
            "head_bias": self.head_bias,
            **self.arrays,
        }
        np.savez_compressed(path, **stored)

    @classmethod
    def load(cls, path: Path) -> "Differences":
        """Read what ``save`` wrote. Raises OSError, KeyError or ValueError where that is not possible."""
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(str(arrays.pop("about")))
        pieces = arrays.pop("pieces", np.zeros(0, np.int32))
        head, bias = arrays.pop("head"), arrays.pop("head_bias")
        return cls(about["intents"], about["layers"], arrays, pieces, head, bias)

    def digest(self) -> str:
        """Return twelve hex digits that change with anything learnt."""
        digest = hashlib.sha256(json.dumps([self.intents, self.layers]).encode())
        for name in sorted(self.arrays):
            digest.update(name.encode() + self.arrays[name].tobytes())
        digest.update(self.pieces.tobytes() + self.head.tobytes() + self.head_bias.tobytes())
        return digest.hexdigest()[:12]

    def network(self, file: E5File) -> Network:
        """Return the encoder with the differences added."""
        norm = Norm(file.vector("emb.ln.w"), file.vector("emb.ln.b"))
        layers = [self._layer(file, layer) for layer in range(self.layers)]
        return Network(Embedding.of(file, self._words()), graph(file.shape, norm, layers))

    def scores(self, read: Floats) -> Floats:
        """Return the scores, (texts, intents), of what ``network`` has made of texts."""
        return np.asarray(read[:, : len(self.head)] @ self.head + self.head_bias)

    def _words(self) -> Words | None:
        if not len(self.pieces):
            return None
        return Words(self.pieces, self._learnt("words.left"), self._learnt("words.right"))

    def _layer(self, file: E5File, layer: int) -> Layer:
        maps = {name: self._affine(file, f"l{layer}.{name}", name) for name in MATRICES}
        norms = {name: self._norm(file, f"l{layer}.{name}") for name in NORMS}
        asked = [maps[name] for name in ("q", "k", "v")]
        return Layer(
            asked=Affine(
                np.ascontiguousarray(np.hstack([one.weights for one in asked])),
                np.hstack([one.bias for one in asked]),
            ),
            told=maps["ao"],
            norm_told=norms["aln"],
            widened=maps["fi"],
            narrowed=maps["fo"],
            norm_narrowed=norms["oln"],
        )

    def _affine(self, file: E5File, place: str, name: str) -> Affine:
        columns = file.shape.inner if name == "fo" else file.shape.hidden
        learnt = self._learnt(f"{place}.left") @ self._learnt(f"{place}.right") * np.float32(GAIN)
        weights = file.matrix(f"{place}.w", columns).T + learnt
        return Affine(np.ascontiguousarray(weights), file.vector(f"{place}.b") + self._learnt(f"{place}.bias"))

    def _norm(self, file: E5File, place: str) -> Norm:
        return Norm(
            file.vector(f"{place}.w") + self._learnt(f"{place}.gain"),
            file.vector(f"{place}.b") + self._learnt(f"{place}.bias"),
        )

    def _learnt(self, name: str) -> Floats:
        return self.arrays[name].astype(np.float32)

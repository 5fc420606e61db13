"""The encoder of ``nlu/components/e5_network.py`` as a network whose differences can be learnt."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nlu.components.e5_differences import GAIN, MATRICES, NORMS, Differences
from nlu.components.e5_file import E5File

_REACH = 3.0
"""How far, in terms of a piece's own vector, a difference of length 1 in the low rank moves it."""


class Difference(nn.Module):
    """An affine map that stays as it is, plus a learnt difference of low rank (Hu et al. 2021, "LoRA").

    While it learns it multiplies in bfloat16, which processors with AVX-512-BF16 do faster (docs/nlu.md); what is
    learnt, and everything between two multiplications, stays in 32 bits. When it only reads, all is.
    """

    def __init__(self, weights: np.ndarray, bias: np.ndarray, rank: int) -> None:
        super().__init__()
        rows, columns = weights.shape
        kept = torch.from_numpy(weights.copy())
        self.register_buffer("weights", kept)
        self.register_buffer("short_weights", kept.bfloat16())
        self.register_buffer("own_bias", torch.from_numpy(bias))
        self.left = nn.Parameter(torch.randn(rows, rank) / math.sqrt(rows))
        self.right = nn.Parameter(torch.zeros(rank, columns))
        self.bias = nn.Parameter(torch.zeros(columns))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bias = self.own_bias + self.bias
        if not self.training:
            return x @ self.weights + (x @ self.left) @ self.right * GAIN + bias
        short = x.bfloat16()
        difference = (short @ self.left.bfloat16()) @ (self.right * GAIN).bfloat16()
        return (short @ self.short_weights).float() + difference + bias


class Norm(nn.Module):
    """Layer normalisation with a learnt difference of its gain and bias."""

    def __init__(self, gain: np.ndarray, bias: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("own_gain", torch.from_numpy(gain))
        self.register_buffer("own_bias", torch.from_numpy(bias))
        self.gain = nn.Parameter(torch.zeros(len(gain)))
        self.bias = nn.Parameter(torch.zeros(len(bias)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, x.shape[-1:], self.own_gain + self.gain, self.own_bias + self.bias, 1e-12)


class Words(nn.Module):
    """The file's vectors of pieces plus a learnt difference of low rank.

    The layers see all pieces through the same matrices; only here can one piece, a word of dialect or a misspelling,
    be learnt as itself.
    """

    def __init__(self, vectors: np.ndarray, rank: int) -> None:
        super().__init__()
        own = torch.from_numpy(vectors)
        self.register_buffer("own", own)
        self.left = nn.Parameter(torch.zeros(len(own), rank))
        self.right = nn.Parameter(torch.randn(rank, own.shape[1]) * own.std() * (_REACH / math.sqrt(rank)))

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        return self.own[texts] + self.left[texts] @ self.right


class Tuned(nn.Module):
    """The first ``layers`` layers of the file's network, mean and greatest values over the pieces, scores."""

    def __init__(self, file: E5File, pieces: Sequence[int], layers: int, rank: int, intents: Sequence[str]) -> None:
        """``pieces`` are the numbers, ascending, of all pieces to ask for; ``forward`` takes their places in it."""
        super().__init__()
        shape = file.shape
        self._heads, self._dropout = shape.heads, 0.1
        self._intents = list(intents)
        self._pieces = np.array(pieces, np.int32)
        self.words = Words(file.matrix("emb.word", shape.hidden, pieces), rank)
        places = file.vector("emb.pos").reshape(-1, shape.hidden) + file.vector("emb.type")[: shape.hidden]
        self.register_buffer("places", torch.from_numpy(places))
        self.first_norm = Norm(file.vector("emb.ln.w"), file.vector("emb.ln.b")).requires_grad_(requires_grad=False)
        parts: dict[str, nn.Module] = {}
        for layer in range(layers):
            for name in MATRICES:
                columns = shape.inner if name == "fo" else shape.hidden
                weights = file.matrix(f"l{layer}.{name}.w", columns).T
                parts[f"l{layer}_{name}"] = Difference(weights, file.vector(f"l{layer}.{name}.b"), rank)
            for name in NORMS:
                parts[f"l{layer}_{name}"] = Norm(*(file.vector(f"l{layer}.{name}.{kind}") for kind in "wb"))
        self.parts = nn.ModuleDict(parts)
        self._layers = layers
        self.head = nn.Linear(2 * shape.hidden, len(self._intents))

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        """Return the scores, (texts, intents), of ``texts`` of equal length, (texts, pieces)."""
        x = self.first_norm(self.words(texts) + self.places[: texts.shape[1]])
        for layer in range(self._layers):
            x = self._layer(x, lambda name, layer=layer: self.parts[f"l{layer}_{name}"])
        read = torch.cat([x.mean(dim=1), x.amax(dim=1)], dim=1)
        return self.head(functional.dropout(read, self._dropout, self.training))

    def _layer(self, x: torch.Tensor, part: Callable[[str], nn.Module]) -> torch.Tensor:
        texts, length, hidden = x.shape

        def heads(name: str) -> torch.Tensor:
            return part(name)(x).view(texts, length, self._heads, hidden // self._heads).transpose(1, 2)

        told = functional.scaled_dot_product_attention(heads("q"), heads("k"), heads("v"))
        x = part("aln")(x + part("ao")(told.transpose(1, 2).reshape(texts, length, hidden)))
        return part("oln")(x + part("fo")(functional.gelu(part("fi")(x), approximate="tanh")))

    def differences(self) -> Differences:
        """Return what was learnt."""
        arrays = {
            f"{name.replace('_', '.', 1)}.{kind}": value.detach().numpy().astype(np.float16)
            for name, part in self.parts.items()
            for kind, value in part.named_parameters()
        }
        arrays |= {
            f"words.{kind}": value.detach().numpy().astype(np.float16)
            for kind, value in self.words.named_parameters()
        }
        return Differences(
            intents=self._intents,
            layers=self._layers,
            arrays=arrays,
            pieces=self._pieces,
            head=self.head.weight.detach().numpy().T.astype(np.float32),
            head_bias=self.head.bias.detach().numpy().astype(np.float32),
        )

"""A packed encoder in the layout of the package, small and random."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlu.components.e5_differences import MATRICES, NORMS, Differences

HIDDEN, LAYERS, HEADS, INNER, PLACES = 64, 2, 2, 96, 12
WORDS = ("<s>", "<pad>", "</s>", "<unk>", "\u2581", "工会", "工", "会", "\u2581工会", "困难", "a", "Ж")
SCORES = (0.0, 0.0, 0.0, 0.0, -4.0, -3.0, -5.0, -5.0, -6.5, -4.0, -6.0, -2.0)
LEARNT = (0, 5, 6, 10)
"""The pieces about which something is learnt."""
SAME = {"難": "难", "㎏": "kg"}
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Packed:
    """Where the file is and what its tensors are once they were rounded to four bits."""

    path: Path
    tensors: dict[str, Floats]


def pack(path: Path, seed: int = 0) -> Packed:
    """Write a random network to ``path``."""
    dice = np.random.default_rng(seed)
    tensors: dict[str, Floats] = {}
    packed: dict[str, bytes] = {}

    def flat(name: str, length: int, around: float = 0.0) -> None:
        tensors[name] = (around + dice.normal(0, 0.1, length)).astype(np.float32)
        packed[name] = tensors[name].tobytes()

    def matrix(name: str, rows: int, columns: int) -> None:
        tensors[name], packed[name] = _four_bits(dice, rows, columns)

    matrix("emb.word", len(WORDS), HIDDEN)
    flat("emb.pos", PLACES * HIDDEN)
    flat("emb.type", 2 * HIDDEN)
    flat("emb.ln.w", HIDDEN, 1.0)
    flat("emb.ln.b", HIDDEN)
    for layer in range(LAYERS):
        for name in MATRICES:
            rows, columns = {"fi": (INNER, HIDDEN), "fo": (HIDDEN, INNER)}.get(name, (HIDDEN, HIDDEN))
            matrix(f"l{layer}.{name}.w", rows, columns)
            flat(f"l{layer}.{name}.b", rows)
        for name in NORMS:
            flat(f"l{layer}.{name}.w", HIDDEN, 1.0)
            flat(f"l{layer}.{name}.b", HIDDEN)
    path.write_bytes(_file(packed))
    return Packed(path, tensors)


def differences(intents: list[str], rank: int = 3, seed: int = 1, size: float = 0.2) -> Differences:
    """Return random differences for the packed network."""
    dice = np.random.default_rng(seed)

    def some(*shape: int) -> npt.NDArray[np.float16]:
        return dice.normal(0, size, shape).astype(np.float16)

    arrays: dict[str, npt.NDArray[np.float16]] = {}
    for layer in range(LAYERS):
        for name in MATRICES:
            rows, columns = {"fi": (HIDDEN, INNER), "fo": (INNER, HIDDEN)}.get(name, (HIDDEN, HIDDEN))
            place = f"l{layer}.{name}"
            arrays |= {f"{place}.left": some(rows, rank), f"{place}.right": some(rank, columns)}
            arrays[f"{place}.bias"] = some(columns)
        for name in NORMS:
            arrays |= {f"l{layer}.{name}.{kind}": some(HIDDEN) for kind in ("gain", "bias")}
    arrays |= {"words.left": some(len(LEARNT), rank), "words.right": some(rank, HIDDEN)}
    head = dice.normal(0, 1, (2 * HIDDEN, len(intents))).astype(np.float32)
    bias = dice.normal(0, 1, len(intents)).astype(np.float32)
    return Differences(intents, LAYERS, arrays, np.array(LEARNT, np.int32), head, bias)


def _four_bits(dice: np.random.Generator, rows: int, columns: int) -> tuple[Floats, bytes]:
    blocks = rows * columns // 32
    levels = dice.integers(0, 16, (blocks, 32), dtype=np.uint8)
    scale = dice.uniform(0.01, 0.05, (blocks, 1)).astype(np.float16)
    halves = levels[:, :16] | (levels[:, 16:] << 4)
    weights = (levels.astype(np.float32) - 8) * scale.astype(np.float32)
    return weights.reshape(rows, columns), np.hstack([scale.view(np.uint8), halves]).tobytes()


def _file(tensors: dict[str, bytes]) -> bytes:
    words = [word.encode() for word in WORDS]
    starts = np.cumsum([0, *map(len, words)]).astype(np.uint32)
    same = b"".join(
        struct.pack(f"<IB{len(into)}I", ord(sign), len(into), *map(ord, into)) for sign, into in SAME.items()
    )
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, HEADS, INNER, len(WORDS), PLACES, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(WORDS), 0, 2, 1, 3, sum(map(len, words)))
    head += starts.tobytes() + np.array(SCORES, np.float32).tobytes() + b"".join(words)
    head += struct.pack("<iI", len(SAME), len(same)) + same + struct.pack("<i", len(tensors))
    entry = struct.Struct("<BIQQ")
    start = len(head) + sum(2 + len(name) + entry.size for name in tensors)
    body = b""
    for name, content in tensors.items():
        head += struct.pack("<H", len(name)) + name.encode() + entry.pack(0, 0, start + len(body), len(content))
        body += content
    return head + body

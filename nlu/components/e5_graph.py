"""The encoder of multilingual-e5-small with our differences as an ONNX graph.

BERT's encoder (Devlin et al. 2019), as many of its layers as were tuned, and the mean and the greatest values over a
text's pieces: what a text is about in all, and the one word that tells. Operators are those of ONNX' own set, so that
any runtime can run the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from nlu.components.e5_file import Shape

Floats = npt.NDArray[np.float32]
VECTORS: Final = "vectors"
"""The graph's input: vectors of pieces, of shape (texts, pieces, hidden), of texts with equally many pieces."""
READ: Final = "read"
"""The graph's output, of shape (texts, 2 x hidden): the means first, then the greatest values."""
_EPSILON = 1e-12
_OPERATORS_VERSION = 20
_FORMAT_VERSION = 9


@dataclass(frozen=True)
class Affine:
    """``x @ weights + bias``."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True)
class Norm:
    """Layer normalisation over the last axis."""

    gain: Floats
    bias: Floats


@dataclass(frozen=True)
class Layer:
    """One layer: ``asked`` gives queries, keys and values side by side."""

    asked: Affine
    told: Affine
    norm_told: Norm
    widened: Affine
    narrowed: Affine
    norm_narrowed: Norm


def graph(shape: Shape, norm: Norm, layers: Sequence[Layer]) -> ModelProto:
    """Return ``norm`` over the input, then ``layers``, then mean and greatest values over the pieces."""
    drawn = _Drawing(shape)
    x = drawn.normalised(VECTORS, norm)
    for layer in layers:
        x = drawn.normalised(drawn.add("Add", x, drawn.attended(x, layer)), layer.norm_told)
        wide = drawn.add("Gelu", drawn.mapped(x, layer.widened), approximate="tanh")
        x = drawn.normalised(drawn.add("Add", x, drawn.mapped(wide, layer.narrowed)), layer.norm_narrowed)
    drawn.end(x)
    return helper.make_model(
        helper.make_graph(
            drawn.nodes,
            "e5",
            [helper.make_tensor_value_info(VECTORS, TensorProto.FLOAT, ["texts", "pieces", shape.hidden])],
            [helper.make_tensor_value_info(READ, TensorProto.FLOAT, ["texts", 2 * shape.hidden])],
            drawn.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPERATORS_VERSION)],
        ir_version=_FORMAT_VERSION,
    )


class _Drawing:
    """Nodes and constants so far; each method adds some and returns the name of what they give."""

    def __init__(self, shape: Shape) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._shape = shape

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self._add(operator, inputs, 1, attributes)[0]

    def mapped(self, x: str, affine: Affine) -> str:
        return self.add("Add", self.add("MatMul", x, self._constant(affine.weights)), self._constant(affine.bias))

    def normalised(self, x: str, norm: Norm) -> str:
        gain, bias = self._constant(norm.gain), self._constant(norm.bias)
        return self.add("LayerNormalization", x, gain, bias, axis=-1, epsilon=_EPSILON)

    def attended(self, x: str, layer: Layer) -> str:
        """Return what each piece is told by the pieces of its text."""
        each = self._shape.hidden // self._shape.heads
        parts = self._add("Split", [self.mapped(x, layer.asked)], 3, {"axis": -1, "num_outputs": 3})
        split = self._sizes(0, 0, self._shape.heads, each)
        queries, keys, values = (
            self.add("Transpose", self.add("Reshape", part, split), perm=order)
            for part, order in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
        )
        scale = self._constant(np.asarray(1 / np.sqrt(each), np.float32))
        weights = self.add("Softmax", self.add("MatMul", self.add("Mul", queries, scale), keys), axis=-1)
        heads = self.add("Transpose", self.add("MatMul", weights, values), perm=[0, 2, 1, 3])
        return self.mapped(self.add("Reshape", heads, self._sizes(0, 0, self._shape.hidden)), layer.told)

    def end(self, x: str) -> None:
        over_pieces = self._sizes(1)
        parts = [self.add(kind, x, over_pieces, keepdims=0) for kind in ("ReduceMean", "ReduceMax")]
        self.nodes.append(helper.make_node("Concat", parts, [READ], axis=-1))

    def _add(self, operator: str, inputs: Sequence[str], given: int, attributes: dict[str, Any]) -> list[str]:
        names = [f"n{len(self.nodes)}.{place}" for place in range(given)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def _sizes(self, *sizes: int) -> str:
        return self._constant(np.array(sizes, np.int64))

    def _constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

"""Writes the sentence encoder as int8 ONNX: `python encoder_build.py SOURCE TARGET DIMENSIONS [SHA256]`."""

import hashlib
import json
import os
import struct
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

CONTRIB = "com.microsoft"
# Seven bits a weight: with eight, processors without VNNI overflow their 16-bit sums, and one text would
# get different vectors on different machines.
WEIGHT_LIMIT = 63
EMBEDDING_LIMIT = 127

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]


def read_safetensors(path: Path) -> dict[str, Array]:
    """Return the tensors of a safetensors file by name, as views of the mapped file."""
    with path.open("rb") as file:
        (header_size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(header_size))
    header.pop("__metadata__", None)
    data = np.memmap(path, mode="r", offset=8 + header_size)
    dtypes = {"F32": np.float32, "I64": np.int64}
    return {
        name: data[slice(*entry["data_offsets"])].view(dtypes[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def quantised(matrix: Array, *, axis: int, limit: int) -> tuple[Array, Array]:
    """Return int8 values and the float32 scales along `axis` that give `matrix` back when multiplied."""
    scales = np.abs(matrix).max(axis=axis, keepdims=True) / limit
    scales[scales == 0] = 1.0
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)


class Graph:
    """An ONNX graph under construction; every method appends nodes and returns the name of their output."""

    def __init__(self, weights: Weights, *, heads: int, epsilon: float) -> None:
        self.weights = weights
        self.heads = heads
        self.epsilon = epsilon
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], domain=domain, **attributes))
        return output

    def normalised(self, value: str, layer: str) -> str:
        scale = self.constant(f"{layer}.weight", self.weights[f"{layer}.weight"])
        shift = self.constant(f"{layer}.bias", self.weights[f"{layer}.bias"])
        return self.node("LayerNormalization", [value, scale, shift], f"{layer}.out", epsilon=self.epsilon)

    def linear(self, value: str, layers: list[str], output: str) -> str:
        """Apply dense layers side by side as one int8 product, with one scale a column."""
        matrix = np.concatenate([self.weights[f"{layer}.weight"] for layer in layers]).T
        values, scales = quantised(matrix, axis=0, limit=WEIGHT_LIMIT)
        inputs = [
            value,
            self.constant(f"{output}.weight", values),
            self.constant(f"{output}.scale", scales[0]),
            self.constant(f"{output}.zero", np.zeros(len(scales[0]), np.int8)),
            self.constant(f"{output}.bias", np.concatenate([self.weights[f"{layer}.bias"] for layer in layers])),
        ]
        return self.node("DynamicQuantizeMatMul", inputs, output, domain=CONTRIB)

    def embedded(self, ids: str) -> str:
        """Look up words and positions; the token type is always the first one."""
        words, scales = quantised(self.weights["embeddings.word_embeddings.weight"], axis=1, limit=EMBEDDING_LIMIT)
        places = self.weights["embeddings.position_embeddings.weight"]
        places = places + self.weights["embeddings.token_type_embeddings.weight"][0]
        rows = self.node("Gather", [self.constant("words", words), ids], "word_rows")
        row_scales = self.node("Gather", [self.constant("word_scales", scales), ids], "word_row_scales")
        floats = self.node("Cast", [rows], "word_floats", to=TensorProto.FLOAT)
        word = self.node("Mul", [floats, row_scales], "word")
        zero = self.constant("zero", np.array([0]))
        length = self.node("Shape", [ids], "length", start=1, end=2)
        place = self.node("Slice", [self.constant("places", places), zero, length, zero], "place")
        return self.normalised(self.node("Add", [word, place], "embedded"), "embeddings.LayerNorm")

    def layer(self, value: str, number: int) -> str:
        name = f"encoder.layer.{number}"
        own = f"{name}.attention.self"
        mixed = self.linear(value, [f"{own}.query", f"{own}.key", f"{own}.value"], f"{own}.mixed")
        parts = [f"{own}.{part}.out" for part in ("query", "key", "value")]
        self.nodes.append(helper.make_node("Split", [mixed], parts, axis=-1, num_outputs=3))
        attended = self.node("MultiHeadAttention", parts, f"{own}.out", domain=CONTRIB, num_heads=self.heads)
        projected = self.linear(attended, [f"{name}.attention.output.dense"], f"{name}.attention.projected")
        value = self.node("Add", [projected, value], f"{name}.attention.sum")
        value = self.normalised(value, f"{name}.attention.output.LayerNorm")
        wide = self.linear(value, [f"{name}.intermediate.dense"], f"{name}.wide")
        active = self.node("Gelu", [wide], f"{name}.active", domain=CONTRIB)
        narrow = self.linear(active, [f"{name}.output.dense"], f"{name}.narrow")
        return self.normalised(self.node("Add", [narrow, value], f"{name}.sum"), f"{name}.output.LayerNorm")

    def model(self, ids: str, last: str, *, dimensions: int) -> Any:
        """Average the tokens, scale to length one and wrap everything up."""
        mean = self.node("ReduceMean", [last, self.constant("tokens", np.array([1]))], "mean", keepdims=0)
        self.node("LpNormalization", [mean], "vector", axis=-1, p=2)
        inputs = [helper.make_tensor_value_info(ids, TensorProto.INT64, [1, "tokens"])]
        outputs = [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, dimensions])]
        graph = helper.make_graph(self.nodes, "encoder", inputs, outputs, self.constants)
        operators = [helper.make_opsetid("", 18), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=operators, ir_version=9)


def encoder_graph(weights: Weights, config: Mapping[str, Any]) -> Any:
    """Return the ONNX model of a BERT sentence encoder with mean pooling: `ids` (1, n) to `vector` (1, d)."""
    graph = Graph(weights, heads=config["num_attention_heads"], epsilon=config["layer_norm_eps"])
    value = graph.embedded("ids")
    for number in range(config["num_hidden_layers"]):
        value = graph.layer(value, number)
    return graph.model("ids", value, dimensions=config["hidden_size"])


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def build(source: Path, target: Path, *, dimensions: int, weights_sha256: str | None = None) -> None:
    """Write the encoder of the model folder `source` to `target` in one step.

    Raises ValueError when the weights are not those of `weights_sha256`, or the vectors would have another
    number of dimensions than what stores them.
    """
    weights = source / "model.safetensors"
    if weights_sha256 is not None and sha256(weights) != weights_sha256:
        raise ValueError(f"{weights} is not the model that was expected (SHA-256 differs)")
    config = json.loads((source / "config.json").read_text())
    if config["hidden_size"] != dimensions:
        raise ValueError(f"{source} makes vectors of {config['hidden_size']} dimensions, {dimensions} are stored")
    model = encoder_graph(read_safetensors(weights), config).SerializeToString()
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(model)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def main(arguments: list[str]) -> int:
    """Build from the command line; a fourth argument pins the SHA-256 of the weights."""
    source, target, dimensions, *pin = arguments
    try:
        build(Path(source), Path(target), dimensions=int(dimensions), weights_sha256=pin[0] if pin else None)
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

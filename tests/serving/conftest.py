"""What the tests of inference share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scenario.loading import load_workload
from scenario.types.inference import Inference

Written = Callable[..., Inference]

SERVED = """\
longhaul: 1
name: served
kind: inference
model: {preset: llama-3-8b}
prompt: {mean: 100}
output: {mean: 10}
arrivals: {kind: poisson, rate: 20/s}
requests: 100
"""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """An inference workload, with overrides as the command line has them."""

    def _written(*overrides: str) -> Inference:
        file = tmp_path / "served.yaml"
        file.write_text(SERVED, encoding="utf-8")
        workload = load_workload(file, overrides)
        assert isinstance(workload, Inference)
        return workload

    return _written

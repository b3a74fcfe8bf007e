"""What the tests of the language share."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scenario.loading import load_topology
from scenario.types.topology import Topology

Load = Callable[..., Topology]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a topology from the text of its body; version and name are put before it."""

    def _load(body: str, overrides: Sequence[str] = ()) -> Topology:
        file = tmp_path / "topology.yaml"
        file.write_text(f"longhaul: 1\nname: test\n{body}", encoding="utf-8")
        return load_topology(file, overrides)

    return _load

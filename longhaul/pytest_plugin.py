"""A fixture for pytest: a network's behaviour asserted in CI. `pytest -p longhaul.pytest_plugin`.

    def test_a_cut_is_survived(longhaul_run):
        run = longhaul_run("topologies/two-hosts.yaml", {"links.c1-c2.distance": "100mi"})
        assert run.training.iterations.p99_s < 30

Runs of the same files, settings and seed are made once in a session. Where no fabric can run the test fails, and says
why: a check that is skipped in silence checks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

import longhaul as lh


class LonghaulRun(Protocol):
    """What the fixture is: a function that carries out a run, and returns it."""

    def __call__(
        self,
        topology: str | Path | lh.Topology,
        changes: Mapping[str, Any] | None = None,
        workload: str | Path | lh.Workload | None = None,
        **options: Any,
    ) -> lh.Run:
        """A run of a topology with some values changed; `options` are those of its `run`."""


@pytest.fixture(scope="session")
def longhaul_run(tmp_path_factory: pytest.TempPathFactory) -> LonghaulRun:
    """Carries out runs, each once per session, in folders of pytest's own."""
    made: dict[str, lh.Run] = {}
    folder = tmp_path_factory.mktemp("longhaul")

    def run(
        topology: str | Path | lh.Topology,
        changes: Mapping[str, Any] | None = None,
        workload: str | Path | lh.Workload | None = None,
        **options: Any,
    ) -> lh.Run:
        asked = topology if isinstance(topology, lh.Topology) else lh.Topology.load(topology)
        asked = asked.set(changes) if changes else asked
        if isinstance(workload, (str, Path)):
            workload = lh.Workload.load(workload)
        key = repr((asked, workload, sorted(options.items())))
        if key not in made:
            made[key] = lh.run(asked, workload, out=folder / str(len(made)), **options)
        return made[key]

    return run

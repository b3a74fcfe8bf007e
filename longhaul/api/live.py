"""A live fabric from Python: `lh.fabric`. In: a topology. Out: a `Net` for as long as a `with` block takes."""

from __future__ import annotations

from contextlib import AbstractContextManager

from longhaul.api.inputs import Topology
from longhaul.runs.interactive import FabricRequest
from longhaul.runs.live import Net, opened


def fabric(
    topology: Topology,
    *,
    seed: int = 1,
    time: str = "virtual",
    machine: str = "auto",
    cpu: int | None = None,
) -> AbstractContextManager[Net]:
    """Start a topology's fabric; it ends with the block. What its links do to packets is on, events of its timeline
    happen when they are told to. Raises InvalidInput, MachineError.
    """
    return opened(
        FabricRequest(
            topology.file(), topology.overrides, seed=seed, time=time, machine=machine, cpu=cpu
        )
    )

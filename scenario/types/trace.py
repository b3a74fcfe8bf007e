"""What a workload that replays a trace is once read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scenario.types.topology import Workload


@dataclass(frozen=True, kw_only=True)
class TraceReplay(Workload):
    """A trace of real training: every iteration is all of it.

    `trace` is the file with its graph, of `ranks` ranks; `ranks_per_host` of them, neighbours by
    number, live in one host. `algorithms` are by collective.
    """

    kind = "trace"

    trace: Path
    ranks: int
    ranks_per_host: int
    iterations: int
    warmup: int
    algorithms: dict[str, str]
    channels: int
    congestion: str
    verify: bool

    @property
    def hosts(self) -> int:
        """How many hosts it needs."""
        return -(-self.ranks // self.ranks_per_host)

"""What a kind of workload offers so that it can be run: the one door between workloads and runs.

To add a kind: its typed form in `scenario.types.topology` and its language in `scenario/`; a module
with the names of `Kind`, named in `traffic.kinds`; and what its assignments name as `module`, with a
function `run(job, channel)` that carries one out inside a host (`traffic.host.agent` is the example).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from scenario.plan.types import Plan
from scenario.types.topology import Workload

Tables = dict[str, pl.DataFrame]
"""What a workload has left, by name; `events` as `analysis.tables.SCHEMA` has them."""


@dataclass(frozen=True)
class Placed:
    """A workload on its hosts. `plan` is the fabric as the workload sees it: no hosts but its own, their
    ranks counted from 0; `ranks` are the same hosts' ranks in the whole plan, in this order."""

    workload: Workload
    plan: Plan
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class Assignment:
    """What one host is told to do. `module` carries out `program`, a dataclass (`traffic.host.program.written`).
    With `follows` it goes on until all that do not follow are done, and is then told `{"stop": true}`."""

    module: str
    program: Any
    follows: bool = False


@dataclass(frozen=True)
class Prepared:
    """All that is known of a workload before it runs. `programs` by host (a campus's probe is one too);
    `about` goes into `plan.json`, what the model expects under `prediction`; a host that is silent
    for much longer than `quiet_s`, seconds of the run's clock, hangs."""

    programs: Mapping[str, Assignment]
    about: dict[str, Any]
    quiet_s: float


class Kind(Protocol):
    """What a module in `traffic.kinds` has."""

    MODELLED: tuple[str, ...]
    """What of it is a model and not the real thing, a sentence each."""

    def prepare(self, workload: Any, plan: Plan, seed: int) -> Prepared:
        """Programs and expectations; a function of its arguments alone. Raises ValueError, with a text for
        the user, where the plan does not suit the workload."""

    def collect(self, placed: Placed, folder: Path, start_ns: int) -> Tables:
        """What the hosts have written (`folder/<host>`) as tables, in the whole plan's ranks.

        Times are nanoseconds from `start_ns`.
        """


def place(workload: Workload, plan: Plan, names: set[str]) -> Placed:
    """The workload on those hosts of a plan that are named."""
    hosts = [host for host in plan.hosts if host.name in names]
    own = tuple(replace(host, rank=rank) for rank, host in enumerate(hosts))
    return Placed(workload, replace(plan, hosts=own), tuple(host.rank for host in hosts))

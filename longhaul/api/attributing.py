"""What lost time is lost to, from Python: an attribution, as `longhaul attribute` makes it.

In: a topology and a workload. Out: `Attribution`, typed. Its runs are kept, so that asking again costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from analysis.form.attribution import Attribution
from longhaul.api.inputs import Topology, Workload
from longhaul.machine import PATIENCE_S, ROOTS
from longhaul.runs.workloads import DEFAULT, own_training
from longhaul.trials.attribution import Question, answer
from longhaul.trials.remedies import mend as mended
from scenario.loading import load_topology

Counted = Callable[[int, int], None]


def attribute(  # noqa: PLR0913 - what an attribution can be told
    topology: Topology,
    workload: Workload | None = None,
    *,
    factors: Sequence[str] = (),
    seeds: int = 3,
    jobs: int | None = None,
    mend: bool = False,
    root: str = ROOTS[0],
    patience_s: float = PATIENCE_S,
    hear: Counted | None = None,
) -> Attribution:
    """What each cause costs of an iteration's time: Shapley values over runs without every set of `factors` (none: all
    that there are), under so many seeds; with `mend`, what each remedy would save. `root` is whose software guests
    see, `patience_s` for how long a run may say nothing. `hear` gets how many runs are done, and of how many.

    Raises InvalidInput, NothingToAttribute, TrialFailed.
    """
    question = Question(
        topology=topology.file(),
        workload=workload.file() if workload else _usual(topology),
        overrides=topology.overrides,
        workload_overrides=workload.overrides if workload else (),
        factors=tuple(factors),
        seeds=seeds,
        jobs=jobs or len(os.sched_getaffinity(0)),
        root=root,
        patience_s=patience_s,
    )
    told = hear or (lambda *_: None)
    found = answer(question, told)
    if not mend:
        return found
    tried = mended(question, told)
    return msgspec.structs.replace(found, remedies=tried.remedies, turning=tried.turning)


def _usual(topology: Topology) -> Path | None:
    """None, which are the topology's own, where one of them trains; else the default."""
    own = own_training(load_topology(topology.file(), topology.overrides))
    return None if own else DEFAULT

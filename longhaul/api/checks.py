"""Do the checks of a topology, and of what runs on it, hold? In: both, or a run that has been. Out: `Checked`."""

from __future__ import annotations

from typing import Unpack

from longhaul.api.inputs import Topology
from longhaul.api.options import RunOptions, Workloads, request
from longhaul.api.results import Run
from longhaul.trials.checking import Checked
from longhaul.trials.checking import check as check_request


def check(
    topology: Topology,
    workload: Workloads = None,
    *,
    run: Run | None = None,
    **options: Unpack[RunOptions],
) -> Checked:
    """Hold the `checks` of both against a run that is made for them, or against `run`; `options` are those of `run`.
    Raises WrongInput where there are no checks, else as `run` does.
    """
    hear = options.get("hear") or (lambda _: None)
    return check_request(request(topology, workload, **options), hear, run.path if run else None)

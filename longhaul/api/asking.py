"""What the model expects of a run before it is carried out; and how finished runs differ.

In: topologies, workloads, runs. Out: typed answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.run import load_run
from analysis.series.compare import Comparison
from analysis.series.compare import compare as compared
from longhaul.api.inputs import Topology
from longhaul.api.options import Workloads, request
from longhaul.api.results import Run
from longhaul.runs import life
from scenario.errors import WrongInput


@dataclass(frozen=True)
class Forecast:
    """What the model expects of one workload, with its hosts; `prediction` by name, seconds where it ends in `_s`."""

    workload: str
    kind: str
    prediction: dict[str, Any] = field(hash=False)

    @property
    def iteration_s(self) -> float:
        """Seconds of an iteration by the alpha-beta model over all tasks; KeyError where nothing iterates."""
        return float(self.prediction["iteration_s"])

    @property
    def ideal_iteration_s(self) -> float:
        """The same, if all hosts stood in one campus and were equally fast."""
        return float(self.prediction["ideal_iteration_s"])


def forecast(topology: Topology, workload: Workloads = None, *, seed: int = 1) -> list[Forecast]:
    """What the model expects of each workload, as `run` would carry it out, without running it. The model knows
    rates, delays and compute; not loss, not queues, not the timeline. Raises InvalidInput."""
    inputs = life.read(request(topology, workload, seed=seed))
    return [
        Forecast(one["name"], one["kind"], one.get("prediction", {})) for one in life.about(inputs)
    ]


def compare(*runs: Run | Sequence[Run]) -> list[Comparison]:
    """How runs differ from the first, with 95 % intervals; runs that differ in their seed alone are taken together,
    in whatever order they come. Raises RunError, WrongInput of fewer than two."""
    given = [one for some in runs for one in ([some] if isinstance(some, Run) else some)]
    if len(given) < 2:
        raise WrongInput("name two runs or more")
    return compared([load_run(one.path) for one in given])

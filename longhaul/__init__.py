"""longhaul: synchronous training across data-centre campuses, emulated with real packets in virtual time.

`import longhaul as lh` loads nothing else; each name below brings its module when it is first used. docs/api.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.errors import RunError as RunError
    from analysis.series.compare import Comparison as Comparison
    from longhaul.api.asking import Forecast as Forecast
    from longhaul.api.asking import compare as compare
    from longhaul.api.asking import forecast as forecast
    from longhaul.api.attributing import attribute as attribute
    from longhaul.api.benchmarking import bench as bench
    from longhaul.api.checks import check as check
    from longhaul.api.inputs import Topology as Topology
    from longhaul.api.inputs import Workload as Workload
    from longhaul.api.inputs import topology as topology
    from longhaul.api.inputs import workload as workload
    from longhaul.api.live import fabric as fabric
    from longhaul.api.plans import plan as plan
    from longhaul.api.results import BenchRun as BenchRun
    from longhaul.api.results import Run as Run
    from longhaul.api.results import load as load
    from longhaul.api.running import Submitted as Submitted
    from longhaul.api.running import run as run
    from longhaul.api.running import submit as submit
    from longhaul.api.studies import Study as Study
    from longhaul.api.studies import StudyResults as StudyResults
    from longhaul.api.studies import study as study
    from longhaul.machine.dispatch import MachineError as MachineError
    from longhaul.runs.live import Net as Net
    from longhaul.trials.checking import Checked as Checked
    from scenario.errors import LonghaulError as LonghaulError
    from scenario.errors import WrongInput as WrongInput
    from scenario.text.diagnostics import InvalidInput as InvalidInput

__version__ = "0.1.0"

_HOMES = {
    "analysis.errors": ("RunError",),
    "analysis.series.compare": ("Comparison",),
    "longhaul.api.asking": ("Forecast", "compare", "forecast"),
    "longhaul.api.benchmarking": ("bench",),
    "longhaul.api.checks": ("check",),
    "longhaul.api.attributing": ("attribute",),
    "longhaul.api.inputs": ("Topology", "Workload", "topology", "workload"),
    "longhaul.api.live": ("fabric",),
    "longhaul.api.plans": ("plan",),
    "longhaul.api.results": ("BenchRun", "Run", "load"),
    "longhaul.api.running": ("Submitted", "run", "submit"),
    "longhaul.api.studies": ("Study", "StudyResults", "study"),
    "longhaul.machine.dispatch": ("MachineError",),
    "longhaul.runs.live": ("Net",),
    "longhaul.trials.checking": ("Checked",),
    "scenario.errors": ("LonghaulError", "WrongInput"),
    "scenario.text.diagnostics": ("InvalidInput",),
}
"""Where each name of the API is made."""
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A name of the API, from its module."""
    if name not in _HOME:
        raise AttributeError(f"longhaul has no {name!r}; there are {', '.join(sorted(_HOME))}")
    found = getattr(import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])

"""Points by the model: what an iteration takes, what of it is lost, and to which cause. Many points at once.

In: files and settings. Out: a record for each. A function of its arguments alone, so that any process on any machine
says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from analysis.series.shapley import Causes, subsets
from analysis.studies.measures import FORECAST, forecast
from analysis.studies.ruling import ruled
from longhaul.planning import make_plan
from longhaul.runs.life import with_adapters
from longhaul.runs.workloads import DEFAULT
from longhaul.studies.luggage import Luggage
from longhaul.studies.store import Record
from scenario.errors import WrongInput
from scenario.factors import counterfactuals, factors
from scenario.loading import Document, read_document, topology_of, workload_of
from scenario.study.trying import divided
from scenario.text.diagnostics import InvalidInput
from scenario.types.topology import Topology, Training
from scenario.workload.placement import hosts_on
from traffic.kind import place
from traffic.model.forecast import Cycle, durations_s
from traffic.training.kind import cycles

SEED = 1
"""The model knows no chance, but switches hash by the seed of a run."""


@dataclass(frozen=True)
class Forecasts:
    """Forecasts to be made: of two files, at some settings each. `causes`: whether each is made without every set of
    causes, too, so that the one that costs most is known."""

    files: Luggage
    settings: tuple[tuple[str, ...], ...]
    causes: bool = False


@dataclass(frozen=True)
class _Point:
    """The cycles of one point: with each set of causes in force, and on one uniform campus."""

    causes: tuple[str, ...]
    actual: Mapping[Causes, Cycle]
    ideal: Cycle


def forecasts(asked: Forecasts) -> list[Record]:
    """A record for each of the settings, in their order."""
    made = [_tried(asked, settings) for settings in asked.settings]
    points = [one for one in made if isinstance(one, _Point)]
    flat = [cycle for point in points for cycle in (*point.actual.values(), point.ideal)]
    seconds = iter(durations_s(flat))
    return [
        one if isinstance(one, Record) else _record(one, _seconds_of(one, seconds)) for one in made
    ]


def _seconds_of(point: _Point, seconds: Iterator[float]) -> tuple[dict[Causes, float], float]:
    """What the cycles of a point take, of the times of all."""
    times = {chosen: next(seconds) for chosen in point.actual}
    return times, next(seconds)


def _record(point: _Point, found: tuple[dict[Causes, float], float]) -> Record:
    times, ideal_s = found
    actual_s = times[frozenset(point.causes)]
    figures = {path: forecast(path, actual_s, ideal_s) for path in FORECAST}
    if not point.causes:
        return Record(figures)
    ruling = ruled(times, point.causes, ideal_s)
    return Record(figures | ruling.figures(), ruling.verdict)


def _tried(asked: Forecasts, settings: Sequence[str]) -> _Point | Record:
    """The cycles of a point, or why it has none."""
    try:
        return _point(asked, settings)
    except InvalidInput as error:
        return Record(reason=error.diagnostics[0].message)
    except (WrongInput, ValueError) as error:
        return Record(reason=str(error))


def _point(asked: Forecasts, settings: Sequence[str]) -> _Point:
    here, there = divided(settings)
    topology_document, workload_document = _documents(asked.files)
    workload = workload_of(workload_document, there)
    if not isinstance(workload, Training):
        raise WrongInput("the model forecasts training alone")
    topology = topology_of(topology_document, here)
    names = tuple(n for n, one in factors(topology).items() if one.usual) if asked.causes else ()
    every = counterfactuals(topology_document, here, names, subsets(names))
    found = {acting: _cycles(workload, changed) for acting, changed in every.items()}
    actual = {acting: cycle for acting, (cycle, _) in found.items()}
    return _Point(names, actual, found[frozenset(names)][1])


def _cycles(workload: Training, topology: Topology) -> tuple[Cycle, Cycle]:
    """As it is and on one uniform campus, on the hosts that the workload runs on."""
    hosts = [host for campus in topology.campuses for host in campus.hosts]
    plan = make_plan(with_adapters(topology, [workload]), SEED)
    return cycles(workload, place(workload, plan, set(hosts_on(workload.on, hosts))).plan)


@lru_cache(maxsize=8)
def _documents(files: Luggage) -> tuple[Document, Document]:
    """The two files, once per process: a study's process asks for the same again and again."""
    topology, workload = files.unpacked()
    return read_document(topology), read_document(workload or DEFAULT)

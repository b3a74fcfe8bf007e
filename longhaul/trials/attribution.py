"""`longhaul attribute` as code: which runs it takes to say what each factor costs, and what comes of them.

2^k combinations of k factors, under each seed; every combination is a run without the other factors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec

from analysis.form.attribution import Attribution, TrialRun
from analysis.form.summary import TrainingSummary
from analysis.series.attribution import Cause, Trials, attribute
from analysis.series.shapley import Causes, subsets
from longhaul.machine import PATIENCE_S, ROOTS
from longhaul.runs.workloads import own_training
from longhaul.trials import series as trials
from longhaul.trials.series import Trial
from scenario.errors import WrongInput
from scenario.factors import Factor, effective, factors
from scenario.loading import load_topology
from scenario.types.topology import Topology, Training

MOST_FACTORS = 6
SETTLED = 3
"""Iterations before those that count."""


class NothingToAttribute(WrongInput):
    """None of the factors makes a difference, or there are too many of them."""


@dataclass(frozen=True)
class Question:
    """What is asked: of which files, which factors (none: all that there are), under how many seeds. With no
    `workload` the topology's own. `patience_s`: how long each of its runs may say nothing."""

    topology: Path
    workload: Path | None
    overrides: tuple[str, ...]
    workload_overrides: tuple[str, ...]
    factors: tuple[str, ...]
    seeds: int
    jobs: int
    root: str = ROOTS[0]
    patience_s: float = PATIENCE_S

    def trial(self, without: Sequence[str], seed: int) -> Trial:
        """The run without some of the factors."""
        trial = replace(self.as_asked(), without=tuple(without), seed=seed)
        return replace(trial, workload_overrides=(*self.workload_overrides, *self._settling()))

    def as_asked(self) -> Trial:
        """The run that nobody has changed anything of."""
        return Trial(
            self.topology, self.workload, self.overrides, self.workload_overrides,
            root=self.root, patience_s=self.patience_s, trains=self._name,
        )  # fmt: skip

    def training(self) -> Training | None:
        """What trains; None where the workload is another. Raises InvalidInput."""
        _, found = self.as_asked().read()
        return found if isinstance(found, Training) else None

    @cached_property
    def _name(self) -> str | None:
        """What trains, among several workloads of the topology's own."""
        topology = load_topology(self.topology, self.overrides)
        own = own_training(topology)
        return own.name if own and not self.workload and len(topology.workloads) > 1 else None

    def _settling(self) -> tuple[str, ...]:
        """Who ends early begins early, and only after some iterations do all take the same: those stay out of means."""
        found = self.training()
        short = found is not None and found.warmup < SETTLED
        return (f"warmup={SETTLED}",) if short else ()


def answer(question: Question, hear: Callable[[int, int], None]) -> Attribution:
    """Run what is missing, and attribute the lost time.

    Raises InvalidInput, NothingToAttribute, TrialFailed.
    """
    _check_workload(question)
    asked = question.factors or _usual(load_topology(question.topology, question.overrides))
    acting = effective(question.topology, question.overrides, asked)
    _check(acting, asked)
    names = [one.name for one in acting]
    wanted = {
        chosen: [question.trial(_others(names, chosen), seed) for seed in _seeds(question)]
        for chosen in subsets(names)
    }
    done = trials.carry_out([one for row in wanted.values() for one in row], question.jobs, hear)
    found = {one: trials.summary(path) for one, path in done.items()}
    seconds = {
        chosen: [found[one].iterations.mean_s for one in row] for chosen, row in wanted.items()
    }
    causes = tuple(Cause(one.name, one.without) for one in acting)
    shares = attribute(Trials(causes, seconds))
    return Attribution(
        **msgspec.structs.asdict(shares),
        name=load_topology(question.topology, question.overrides).name,
        without_effect=[name for name in asked if name not in names],
        runs=[_run(one, done[one], found[one]) for row in wanted.values() for one in row],
    )


def _usual(topology: Topology) -> tuple[str, ...]:
    return tuple(name for name, one in factors(topology).items() if one.usual)


def _seeds(question: Question) -> range:
    return range(1, question.seeds + 1)


def _others(names: Sequence[str], chosen: Causes) -> list[str]:
    return [name for name in names if name not in chosen]


def _check(acting: Sequence[Factor], asked: Sequence[str]) -> None:
    if not acting:
        raise NothingToAttribute(f"none of {', '.join(asked)} makes a difference to this topology")
    if len(acting) > MOST_FACTORS:
        raise NothingToAttribute(
            f"{len(acting)} factors take {2 ** len(acting)} runs per seed: "
            f"name at most {MOST_FACTORS} of {', '.join(one.name for one in acting)} with --factors"
        )


def _check_workload(question: Question) -> None:
    """Only training has iterations whose time can be lost. Raises InvalidInput, NothingToAttribute."""
    if question.training() is None:
        raise NothingToAttribute(f"{question.workload}: not training, so no iteration loses time")


def _run(one: Trial, path: Path, summary: TrainingSummary) -> TrialRun:
    return TrialRun(
        without=list(one.without),
        seed=one.seed,
        folder=str(path),
        digest=summary.digest,
        iteration_s=summary.iterations.mean_s,
        faithful=summary.faithful,
    )

"""A study from its file to its answer: points, what each needs, the work, the table, the findings, the page.

In: a study and who shall work on it. Out: the study's folder under `runs/studies/`. Whatever was found before, by this
study or another, is used; a study that was killed goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from analysis.form.files import write as write_form
from analysis.form.study import FILE as FOUND
from analysis.report.study import write_page
from analysis.series.shapley import Causes, subsets
from analysis.studies.findings import findings
from longhaul import folder
from longhaul.studies import rows
from longhaul.studies.carrying import Desk, Parcel, Tally, carry_out
from longhaul.studies.commissions import Commission
from longhaul.studies.crews import Crew, here, on_dask, on_slurm
from longhaul.studies.forecasting import Forecasts
from longhaul.studies.kept import Kept
from longhaul.studies.luggage import Luggage
from longhaul.studies.packages import check_installed
from longhaul.studies.progress import Hear, Reported
from longhaul.studies.rows import WantedRow
from longhaul.studies.sampling import sample
from longhaul.studies.store import Record, Store
from scenario.errors import WrongInput
from scenario.factors import effective, factors
from scenario.loading import load_topology
from scenario.study.designs import design
from scenario.study.trying import divided
from scenario.text.diagnostics import InvalidInput
from scenario.types.study import Design, Study, StudyPoint

PAGE = "study.html"
CHUNK = 64
"""Forecasts that are made together."""


@dataclass(frozen=True)
class Means:
    """Who works, and how much: so many at a time here, or a Dask scheduler's workers, or so many jobs of SLURM
    (`sbatch`: with these options). The budgets are beside the study's own, whichever ends first."""

    jobs: int = 1
    dask: str | None = None
    slurm: int | None = None
    sbatch: tuple[str, ...] = ()
    budget_s: float | None = None
    budget_points: int | None = None
    retry_failed: bool = False
    out: Path | None = None
    command: str = ""

    @property
    def travels(self) -> bool:
        """Whether the work is done on other machines."""
        return self.dask is not None or self.slurm is not None


def conduct(study: Study, means: Means, hear: Hear) -> Path:
    """Do it all; returns the study's folder. Raises InvalidInput, NotInstalled, NoPoints, NoCrew, CrewLost,
    FolderTaken, DiskFull, RecordsUnusable."""
    check_installed(study, dask=bool(means.dask), slurm=bool(means.slurm))
    place = place_of(study, means.out)
    folder.make(place)
    with folder.room(place):
        conducted = _Conducting(study, means, place, hear)
        with conducted.crew() as crew:
            conducted.carry_out(crew)
        return conducted.conclude()


def place_of(study: Study, out: Path | None = None) -> Path:
    """Where a study's answer goes."""
    return out or folder.RUNS / "studies" / study.name


def store() -> Store:
    """What all studies know."""
    return Store(folder.RUNS / "studies" / "records.sqlite")


class _Conducting:
    """A study under way."""

    def __init__(self, study: Study, means: Means, place: Path, hear: Hear) -> None:
        self.study, self.means, self.place, self.hear = study, means, place, hear
        self.design: Design = design(study)
        self.store = store()
        self.claims = folder.RUNS / "studies" / "claims"
        budget_s = min(study.budget_s, means.budget_s or float("inf"))
        self.deadline_s = time.monotonic() + budget_s
        self.files = Luggage.of(study.topology, study.workload, travels=means.travels)
        self.wanted: list[WantedRow] = []
        self.why: dict[int, str] = {}
        self.kept = Kept(study, self.place)
        self.progress = Reported(study, self.place, hear)

    def crew(self) -> AbstractContextManager[Crew]:
        """Whoever does the work."""
        if self.means.slurm:
            return on_slurm(self.means.slurm, self.means.sbatch)
        return on_dask(self.means.dask) if self.means.dask else here(self.means.jobs)

    def carry_out(self, crew: Crew) -> None:
        """All points within the budget; of a study by the model, then the sample."""
        if self.study.depth == "fabric":
            self._in_fabric(crew, self.points, "runs")
            return
        asked = [self._modelled(point) for point in self.design.points]
        self.wanted = asked
        within = [one for one in asked if one.point.index < len(self.points)]
        self._do(crew, list(self._chunks(within)), within, "forecasts")
        modelled = rows.table(self.study, asked, self._records(asked))
        self.why = sample(self.study, self.design.points, modelled)
        chosen = [self.design.points[index] for index in self.why]
        self._in_fabric(crew, chosen, "runs of the sample")

    def conclude(self) -> Path:
        """The table, the findings and the page."""
        table = rows.table(self.study, self.wanted, self._records(self.wanted))
        rows.write(table, self.study, self.place / rows.FILE)
        found = findings(self.study, self.design, table, self.why, self.kept.folder)
        found = msgspec.structs.replace(found, command=self.means.command)
        write_form(found, self.place / FOUND)
        write_page(found, self.place / PAGE)
        return self.place

    @property
    def points(self) -> Sequence[StudyPoint]:
        """Those within the budget, in whole blocks."""
        most = min(
            self.study.budget_points or len(self.design.points),
            self.means.budget_points or len(self.design.points),
        )
        if most >= len(self.design.points):
            return self.design.points
        return self.design.points[: max(most // self.design.block, 1) * self.design.block]

    def _modelled(self, point: StudyPoint) -> WantedRow:
        what = [self.files.digest, self.by_causes, *point.settings(self.study)]
        key = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
        return WantedRow(point, None, "model", key)

    def _chunks(self, wanted: Sequence[WantedRow]) -> Iterator[Parcel]:
        once = list({one.key: one for one in wanted}.values())
        size = max(1, min(CHUNK, len(once) // (2 * max(self.means.jobs, 1)) or 1))
        for first in range(0, len(once), size):
            some = once[first : first + size]
            settings = tuple(one.point.settings(self.study) for one in some)
            yield Parcel(
                tuple(o.key for o in some), Forecasts(self.files, settings, self.by_causes)
            )

    def _in_fabric(self, crew: Crew, points: Sequence[StudyPoint], what: str) -> None:
        every = [self._trials(point, crew) for point in points]
        rest = [] if self.study.depth == "model" else self.design.points[len(points) :]
        seeds = range(1, self.study.seeds + 1)
        wanted = [one for seed in range(len(seeds)) for one in (row[seed][0] for row in every)]
        pieces = [piece for seed in range(len(seeds)) for row in every for piece in row[seed][1]]
        left = [WantedRow(point, seed, "fabric") for seed in seeds for point in rest]
        own = set(self.wanted)
        self.wanted = [*self.wanted, *wanted, *(one for one in left if one not in own)]
        self._do(crew, pieces, wanted, what)

    def _trials(self, point: StudyPoint, crew: Crew) -> list[tuple[WantedRow, list[Parcel]]]:
        """Of every seed what the point needs, and the work of it."""
        seeds = range(1, self.study.seeds + 1)
        settings = point.settings(self.study)
        try:
            without = self._counterfactuals(settings)
            inputs = {
                acting: Commission(self.files, settings, names, 1).trial().inputs()
                for acting, names in without.items()
            }
        except (WrongInput, ValueError) as error:
            why = error.diagnostics[0].message if isinstance(error, InvalidInput) else str(error)
            return [(WantedRow(point, seed, "fabric", broken=why), []) for seed in seeds]
        return [self._under(seed, point, without, inputs, crew) for seed in seeds]

    def _under(
        self,
        seed: int,
        point: StudyPoint,
        without: Mapping[Causes, tuple[str, ...]],
        inputs: Mapping[Causes, str],
        crew: Crew,
    ) -> tuple[WantedRow, list[Parcel]]:
        """The same under one seed."""
        keys, pieces = {}, []
        for acting, names in without.items():
            kept = None if names else self.kept.place(point.index, seed)
            settings = point.settings(self.study)
            work = Commission(self.files, settings, names, seed, kept, comes_back=crew.travels)
            keys[acting] = work.trial().digest_of(inputs[acting])
            pieces.append(Parcel((keys[acting],), work))
        own = keys[max(keys, key=len)]
        return WantedRow(point, seed, "fabric", own, keys if len(keys) > 1 else None), pieces

    def _counterfactuals(self, settings: Sequence[str]) -> dict[Causes, tuple[str, ...]]:
        """By causes in force, those that are switched off: of a verdict by causes every set, else nothing is."""
        if not self.by_causes or self.study.depth == "model":
            return {frozenset(): ()}
        here, _ = divided(settings)
        known = factors(load_topology(self.study.topology, here))
        usual = [name for name, one in known.items() if one.usual]
        names = [one.name for one in effective(self.study.topology, here, usual)]
        return {acting: tuple(n for n in names if n not in acting) for acting in subsets(names)}

    @property
    def by_causes(self) -> bool:
        """Whether the verdict is the cause that costs most."""
        return self.study.rules_verdict and not self.study.verdict

    def _do(self, crew: Crew, pieces: list[Parcel], wanted: Sequence[WantedRow], what: str) -> None:
        self.progress.begin(what, wanted)
        keys = {one.key: one for one in wanted}

        def hear(tally: Tally, found: Sequence[tuple[str, Record]]) -> None:
            pairs = [(keys[key], one) for key, one in found if key in keys]
            self.kept.prune(pairs)
            self.progress.hear(tally, pairs)

        if self.means.retry_failed:
            self.store.forget_failed(key for piece in pieces for key in piece.keys)
        carry_out(pieces, Desk(crew, self.store, self.claims), hear, self.deadline_s)
        self.progress.end()

    def _records(self, wanted: Sequence[WantedRow]) -> Mapping[str, Record]:
        return self.store.read(key for one in wanted for key in one.keys)

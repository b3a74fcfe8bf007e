"""A student's work on a lab: the folder, what was drawn for them, what they answered; and the desk where it is
marked.

`Attempt` is what an exercise's `mark` gets. References are runs, made with the student's own parameters and kept by a
digest of all that they are a function of, so that another student or another check finds them there.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

from analysis.form.benchmark import MeasuredCase, read_benchmark
from longhaul import folder
from longhaul.api.inputs import Topology
from longhaul.api.options import Workloads, chosen, request
from longhaul.api.results import Run
from longhaul.api.running import run
from longhaul.code import code
from longhaul.labs import calls
from longhaul.labs.catalogue import Lab
from longhaul.labs.draws import Drawn
from longhaul.runs.benchmark import bench
from scenario.errors import WrongInput
from scenario.text import units
from scenario.text.reading import read_file
from scenario.text.tree import plain
from traffic.benchmark import Benchmark

ANSWERS = "answers.yaml"
MOST_FILE_BYTES = 1_000_000
NOTHING: Mapping[str, Path] = {}
LOOK_EVERY_S = 2.0
PATIENCE_S = 1800.0
"""Silence of a reference run in wall time: it ends by itself, and no mark may hang on how slow the machine is."""


@dataclass(frozen=True)
class Marked:
    """What became of a task. `asked` and `measured` are words; `given` and `right_is` the answer and the
    reference where they are single values, so that an answer that is right for somebody else can be told."""

    task: str
    right: bool
    asked: str
    measured: str
    given: Any = None
    right_is: Any = None


@dataclass(frozen=True)
class Attempt:
    """A student's folder, what was drawn for the student, and further parameters that code must be right for, too."""

    lab: Lab
    folder: Path
    student: str
    drawn: Drawn = field(hash=False)
    variants: tuple[Drawn, ...] = field(hash=False, default=())
    hear: Callable[[str], None] = field(default=lambda _: None, hash=False)

    @property
    def every(self) -> tuple[Drawn, ...]:
        """The student's own parameters, then the others."""
        return (self.drawn, *self.variants)

    @cached_property
    def answers(self) -> dict[str, Any]:
        """What `answers.yaml` says. Raises InvalidInput, WrongInput."""
        path = self.folder / ANSWERS
        if not path.is_file():
            raise WrongInput(f"{path} is missing")
        read = plain(read_file(path))
        assert isinstance(read, dict)
        known = self.expected_answers()
        for key in read:
            if key not in known:
                raise WrongInput(
                    f"{path}: there is no answer {key!r}; there are {', '.join(known)}"
                )
        return read

    def expected_answers(self) -> list[str]:
        """The keys that the skeleton's answers.yaml has."""
        read = plain(read_file(self.lab.skeleton / ANSWERS))
        assert isinstance(read, dict)
        return list(read)

    def number(self, key: str) -> float | None:
        """An answer that is a bare number; None where it is none (yet)."""
        found = self.answers.get(key)
        return (
            float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
        )

    def quantity(self, key: str, kind: str) -> float | None:
        """An answer with a unit, in SI units; None where it is none (yet)."""
        try:
            return units.read(self.answers.get(key), units.QUANTITIES[kind])
        except units.UnitError:
            return None

    def called(
        self, wanted: Sequence[calls.Call], given: Mapping[str, Path] = NOTHING
    ) -> list[calls.Answered]:
        """Functions of the student's, carried out in a guest, which sees what was handed in, and the files
        `given`."""
        self.hear("your code runs in a guest")
        handed = {name: self.folder / name for name in self.lab.sheet.hand_in}
        return calls.carry_out(handed | dict(given), wanted)

    def run(self, topology: Topology, workload: Workloads = None, **options: Any) -> Run:
        """A reference run, or the same one of before. Raises LonghaulError."""
        texts = [one.to_yaml() for one in (topology, *chosen(workload))]
        place = folder.RUNS / "labs" / digest([texts, options])
        wanted = {"patience_s": PATIENCE_S} | options
        self._make(place, topology, lambda: run(topology, workload, out=place, **wanted))
        return Run(place)

    def bench(self, topology: Topology, wanted: Benchmark) -> list[MeasuredCase]:
        """Collectives measured one by one, or the same of before: the rows of the table. Raises LonghaulError."""
        place = folder.RUNS / "labs" / digest([topology.to_yaml(), asdict(wanted)])
        asked = replace(request(topology), out=place)
        self._make(place, topology, lambda: bench(asked, wanted, lambda _: None))
        return read_benchmark(place).rows

    def _make(self, place: Path, topology: Topology, make: Callable[[], object]) -> None:
        """A reference run, unless it is there; one that another check is making is waited for."""
        while not place.is_dir():
            try:
                self.hear(f"the fabric runs: {topology.name}")
                make()
            except folder.FolderTaken:
                time.sleep(LOOK_EVERY_S)

    def kept(self, name: str, text: str) -> Path:
        """A file made of an answer, under a name that follows from what is in it."""
        path = folder.RUNS / "inputs" / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}-{name}"
        folder.put(path, text)
        return path


def digest(what: Any) -> str:
    """Of all that a run is a function of, and of the programs that carry it out."""
    text = json.dumps([what, code()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def unread(answer: calls.Answered, kind: type = float) -> str:
    """Why what a function returned is not the number (or the other kind of value) that it should be; else nothing."""
    if answer.error:
        return answer.error
    if is_number(answer.value) if kind is float else isinstance(answer.value, kind):
        return ""
    return f"returns {answer.value!r}"[:200]


def is_number(value: object) -> bool:
    """Whether it is one that can be reckoned with: neither true, NaN, infinite nor beyond all floats."""
    try:
        return not isinstance(value, bool) and isinstance(value, int | float) and isfinite(value)
    except OverflowError:
        return False

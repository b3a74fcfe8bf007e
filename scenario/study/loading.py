"""A study's file to a `Study`: form, then meaning; everything wrong is said at once, with its place.

The files that it names are read, too: a path that leads nowhere, or a value that the topology refuses, is a complaint
about the study.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeAlias

from scenario.expressions.kinds import PLAIN, TEXT, among, kind_of_unit
from scenario.expressions.reading import parse
from scenario.expressions.terms import NoExpression, Term
from scenario.loading import load_topology, load_workload
from scenario.study import spreads
from scenario.study.language import MOST_POINTS, StudyModel, VariedModel
from scenario.study.trying import Trying
from scenario.text.diagnostics import (
    FEW,
    Place,
    closest,
    nearest,
    nearest_file,
    one_of,
)
from scenario.text.forms import known_keys
from scenario.text.include import Document, read_document
from scenario.text.inheritance import inherit
from scenario.text.meant import UNKNOWN
from scenario.text.shape import examine
from scenario.text.tree import (
    Entry,
    Listing,
    Node,
    Problems,
    Scalar,
    Steps,
    at,
    entries,
    place_of,
    plain,
)
from scenario.text.tree import Mapping as Written
from scenario.text.tree import path as spelled_out
from scenario.text.units import QUANTITIES
from scenario.topology.models import TopologyModel
from scenario.types.study import WORKLOAD, Choices, Depth, Sample, Spread, Study, Value, Varied

Measurable: TypeAlias = Callable[[str, Depth], str]
"""The unit of a figure of a summary that can be measured at a depth. Raises NoExpression."""
OWN = WORKLOAD.rstrip(".")
DRAWN = ("random", "latin-hypercube", "sobol", "morris")
BLOCKS = ("sobol", "morris")


def load_study(path: Path, measurable: Measurable | None = None) -> Study:
    """The study in a file. Raises InvalidInput."""
    document = read_document(path)
    root = _spelled_out(document.root)
    problems = Problems(root)
    written, malformed = examine(root, StudyModel)
    problems.found += malformed
    problems.stop()
    assert written is not None
    return _Checking(written, problems, document).study(measurable)


def _spelled_out(root: Written) -> Written:
    """The document with every bare list under `vary` as what it is short for."""
    entry = root.entries.get("vary")
    if entry is None or not isinstance(entry.node, Written):
        return root
    whole = {
        key: Entry(one.place, Written(one.node.place, {"values": Entry(one.place, one.node)}))
        if isinstance(one.node, Listing)
        else one
        for key, one in entry.node.entries.items()
    }
    made = Written(entry.node.place, whole)
    return Written(root.place, root.entries | {"vary": Entry(entry.place, made)})


class _Checking:
    """Makes the study, and gathers what is wrong with it."""

    def __init__(self, written: StudyModel, problems: Problems, document: Document) -> None:
        self.written = written
        self.problems = problems
        self.document = document
        self.folder = document.files[-1].parent

    def study(self, measurable: Measurable | None) -> Study:
        """All of it. Raises InvalidInput."""
        written = self.written
        topology = self._file("topology", written.topology)
        workload = self._file("workload", written.workload) if written.workload else None
        self.problems.stop()
        assert topology is not None
        trees = self._trees(topology, workload)
        fixed = dict(self._fixed(trees))
        varied = tuple(self._varied(trees))
        self.problems.stop()
        Trying(written, self.problems, topology, workload).check(fixed, varied)
        self._check_design(varied)
        measured = self._measured(measurable)
        self._check_sample()
        kinds = {one.path: _kind(one.spread) for one in varied}
        constraints = self._expressions("constraints", written.constraints, kinds)
        verdict = None
        if written.verdict:
            verdict = next(iter(self._expressions("verdict", [written.verdict], measured)), None)
        self.problems.stop()
        return Study(
            name=written.name,
            description=written.description,
            files=self.document.files,
            topology=topology,
            workload=workload,
            fixed=tuple(setting for own in fixed.values() for setting in own),
            varied=varied,
            design=written.design,
            points=written.points,
            draw=written.draw,
            seeds=written.seeds,
            measure=tuple(dict.fromkeys(written.measure)),
            constraints=tuple(constraints),
            verdict=verdict,
            depth=written.depth,
            sample=Sample(
                written.sample.points, written.sample.differ, tuple(written.sample.measure)
            ),
            keep=written.keep,
            budget_s=written.budget.time or math.inf,
            budget_points=written.budget.points,
        )

    def _file(self, key: str, name: str) -> Path | None:
        """A file that the study names, from where it lies itself."""
        path = self.folder / name
        try:
            there = path.is_file()
        except (OSError, ValueError):
            there = False
        if there:
            return Path(os.path.normpath(path))
        self.problems.add((key,), "no such file", hint=nearest_file(path))
        return None

    def _trees(self, topology: Path, workload: Path | None) -> tuple[Written, Written]:
        """What paths lead into. Raises InvalidInput for the files' own mistakes."""
        load_topology(topology)
        if workload:
            load_workload(workload)
        nothing = Written(Place(self.problems.root.place.source))
        tree = inherit(read_document(topology).root)
        return tree, read_document(workload).root if workload else nothing

    def _fixed(self, trees: tuple[Written, Written]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """By path the settings that it stands for."""
        for path, value in self.written.set.items():
            targets = self._targets(path, ("set", path), trees)
            yield path, tuple(f"{target}={spreads.spelled(value)}" for target in targets)

    def _varied(self, trees: tuple[Written, Written]) -> Iterator[Varied]:
        for path, model in self.written.vary.items():
            steps: Steps = ("vary", path)
            targets = self._targets(path, steps, trees)
            spread = spreads.spread(model, self.problems, steps)
            if spread and targets:
                usual = self._usual(model, targets[0], spread, trees)
                yield Varied(path, tuple(targets), spread, usual)

    def _usual(
        self, model: VariedModel, target: str, spread: Spread, trees: tuple[Written, Written]
    ) -> Value:
        """As the study says, else the files; else the middle of a spread, or the first choice."""
        if "usual" in model.model_fields_set:
            return spreads.value(model.usual, spread)
        own = target.startswith(WORKLOAD)
        node = at(trees[own], *target.removeprefix(WORKLOAD).split("."))
        if isinstance(node, Scalar) and node.value is not None:
            found = spreads.value(plain(node), spread)
            if found.number >= 0 or spread.measured:
                return found
        return spread.values[0] if isinstance(spread, Choices) else spread.at(0.5)

    def _targets(self, path: str, steps: Steps, trees: tuple[Written, Written]) -> list[str]:
        """The paths that one with patterns stands for."""
        own = path.startswith(WORKLOAD)
        if own and not self.written.workload:
            self.problems.add_key(steps, "the study names no workload", "`workload:`")
            return []
        first = path.partition(".")[0]
        if not own and first not in known_keys(TopologyModel, ()) and closest(first, [OWN]):
            self.problems.add_key(steps, UNKNOWN, hint=f"did you mean {OWN}?")
            return []
        if not any(sign in path for sign in "*?"):
            return [path]
        inner = path.removeprefix(WORKLOAD).split(".")
        found = [".".join(one) for one in _matching(trees[own], inner)]
        if not found:
            step, known = _astray(trees[own], inner)
            expected, hint = one_of(known, FEW), nearest(step, known)
            self.problems.add_key(steps, "nothing matches this", expected, hint)
        return [WORKLOAD + one if own else one for one in found]

    def _check_design(self, varied: Sequence[Varied]) -> None:
        design, points = self.written.design, self.written.points
        if design in DRAWN and points is None:
            self.problems.add(("design",), f"`points` is missing: how many to draw for {design}")
        if design not in DRAWN and points is not None:
            self.problems.add_key(("points",), f"a design of {design} says itself how many points")
        if design in BLOCKS and self.written.constraints:
            message = f"{design} needs all its points: no constraints"
            hint = "random and latin-hypercube take constraints"
            self.problems.add_key(("constraints",), message, hint=hint)
        if design in BLOCKS and len(varied) < 2:
            self.problems.add(("design",), f"{design} is for two things varied, or more")
        size = math.prod(len(one.spread.levels()) for one in varied)
        if design == "grid" and size > MOST_POINTS:
            self.problems.add(("vary",), f"a grid of {size:,} points", f"at most {MOST_POINTS:,}")

    def _measured(self, measurable: Measurable | None) -> dict[str, str]:
        """The kind of each figure that is measured."""
        kinds = {}
        for index, name in enumerate(self.written.measure):
            if name != "verdict":
                with self._complaining(("measure", index)):
                    unit = measurable(name, self.written.depth) if measurable else ""
                    kinds[name] = kind_of_unit(unit)
        if self.written.verdict and "verdict" not in self.written.measure:
            self.problems.add_key(
                ("verdict",), "a verdict that is not measured", "`verdict` in `measure`"
            )
        if self.written.measure == ["verdict"]:
            self.problems.add(("measure",), "nothing beside the verdict", "a figure, such as lost")
        return kinds

    def _check_sample(self) -> None:
        for index, name in enumerate(self.written.sample.measure):
            if name not in self.written.measure:
                steps: Steps = ("sample", "measure", index)
                known = self.written.measure
                self.problems.add(
                    steps, "not measured by the study", one_of(known), nearest(name, known)
                )
        if "sample" in self.written.model_fields_set and self.written.depth != "model":
            self.problems.add_key(
                ("sample",), "every point is carried out already", "`depth: model`"
            )

    def _expressions(
        self, key: str, texts: Sequence[str], known: dict[str, str]
    ) -> list[tuple[str, Term]]:
        made = []
        for index, text in enumerate(texts):
            with self._complaining((key, index) if key == "constraints" else (key,)):
                made.append((text, parse(text, among(known))))
        return made

    @contextmanager
    def _complaining(self, steps: Steps) -> Iterator[None]:
        """A complaint at the very character of the text there, where it stands on one line."""
        try:
            yield
        except NoExpression as error:
            place = place_of(self.problems.root, steps)
            node = at(self.problems.root, *steps)
            quoted = isinstance(node, Scalar) and node.quoted
            start = Place(place.source, place.line, place.column + quoted)
            self.problems.found.append(error.diagnostic(start, spelled_out(steps)))


def _kind(spread: Spread) -> str:
    """Of the values, for expressions."""
    if not spread.measured:
        return TEXT
    return kind_of_unit(QUANTITIES[spread.quantity].si) if spread.quantity else PLAIN


def _matching(node: Node | None, steps: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The paths of a tree that match steps; what has no pattern in it need not be there yet."""
    if not steps:
        yield ()
        return
    first, *rest = steps
    if not any(sign in first for sign in "*?"):
        for found in _matching(at(node, first), rest):
            yield (first, *found)
        return
    for key in node.entries if isinstance(node, Written) else ():
        if fnmatchcase(key, first):
            for found in _matching(at(node, key), rest):
                yield (key, *found)


def _astray(node: Node | None, steps: Sequence[str]) -> tuple[str, list[str]]:
    """The first step that leads nowhere, or the first pattern; and the keys that there are."""
    for step in steps:
        below = entries(node)
        if any(sign in step for sign in "*?") or step not in below:
            return step, list(below)
        node = below[step].node
    return "", []

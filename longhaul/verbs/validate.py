"""`longhaul validate`: all that is wrong with a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, overrides, verb


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "validate", validate, "check topology, workload and study files, and say all that is wrong",
        "longhaul validate topologies/colossus.yaml",
    )  # fmt: skip
    made.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="topology, workload or study"
    )
    overrides(made)
    made.add_argument("--format", choices=("table", "json"), default="table")


def validate(words: argparse.Namespace) -> int:
    """Check files; silent but for one line about each that is well."""
    from scenario.text.diagnostics import Diagnostic, InvalidInput

    wrong: list[Diagnostic] = []
    for file in words.files:
        try:
            print(f"{file}: {_checked(file, words.overrides)}, well-formed")
        except InvalidInput as error:
            wrong += error.diagnostics
    if wrong:
        raise InvalidInput(wrong)
    return 0


def _checked(file: Path, settings: list[str]) -> str:
    """What a file holds, in a few words. Raises InvalidInput."""
    from analysis.studies.measures import measurable
    from longhaul.planning import make_plan
    from longhaul.trials.checking import claims_of, unknown_figures
    from scenario.loading import language, load_topology, load_workload
    from scenario.study.loading import load_study
    from scenario.text.diagnostics import InvalidInput

    written = language(file)
    if written == "study":
        return f"study {load_study(file, measurable).name}"
    if written == "workload":
        workload = load_workload(file, settings)
        if wrong := list(unknown_figures(workload.checks)):
            raise InvalidInput(wrong)
        return f"workload {workload.name}"
    topology = load_topology(file, settings)
    claims_of(topology, topology.workloads)
    made = make_plan(topology)
    return f"{len(made.campuses)} campuses, {len(made.hosts)} hosts"

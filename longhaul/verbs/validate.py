"""`longhaul validate`: all that is wrong with a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, overrides, verb
from longhaul.verbs.printing import as_json, printed, put

if TYPE_CHECKING:
    from scenario.text.diagnostics import Diagnostic


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
    printed(made)


def validate(words: argparse.Namespace) -> int:
    """Check files; a line about each that is well."""
    from scenario.text.diagnostics import InvalidInput

    well: dict[str, str] = {}
    wrong: list[Diagnostic] = []
    for file in words.files:
        try:
            well[str(file)] = _checked(file, words.overrides)
        except InvalidInput as error:
            wrong += error.diagnostics
    if words.format == "json":
        return _in_json(words, well, wrong)
    put(words, "".join(f"{file}: {holds}, well-formed\n" for file, holds in well.items()))
    if wrong:
        raise InvalidInput(wrong)
    return 0


def _in_json(words: argparse.Namespace, well: dict[str, str], wrong: list[Diagnostic]) -> int:
    """What is well and what is wrong, as one document."""
    from scenario.text.diagnostics import InvalidInput

    files = [{"file": file, "holds": holds} for file, holds in well.items()]
    errors = InvalidInput(wrong).to_json() if wrong else []
    put(words, as_json({"files": files, "errors": errors}))
    return InvalidInput.exit_status if wrong else 0


def _checked(file: Path, settings: list[str]) -> str:
    """What a file holds, in a few words. Raises InvalidInput."""
    from analysis.studies.measures import measurable
    from longhaul.planning import make_plan
    from longhaul.runs.claims import claims_of, unknown_figures
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

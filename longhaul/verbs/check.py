"""`longhaul check`: do the checks of topologies and workloads hold?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longhaul.machine import TIMES
from longhaul.verbs.arguments import (
    Verbs,
    controller,
    memory,
    overrides,
    patience,
    root,
    verb,
    where,
    workload,
)
from longhaul.verbs.printing import printed, put, tell
from scenario.errors import WrongInput

if TYPE_CHECKING:
    from rich.console import Console

    import longhaul as lh
    from longhaul.api.options import RunOptions


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "check", check, "run topologies or workloads, and say whether their `checks` hold",
        "longhaul check mine.yaml --format junit -o checks.xml",
    )  # fmt: skip
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="topology or workload")
    overrides(made)
    made.add_argument(
        "--on", type=Path, metavar="TOPOLOGY", help="where the workloads among the files run"
    )
    made.add_argument(
        "--workload", dest="workloads", type=workload, action="append", default=[],
        metavar="FILE[@WHERE,…]", help="what the topologies among the files run, as of `longhaul run`",
    )  # fmt: skip
    made.add_argument(
        "--set-workload", dest="workload_overrides", action="append", default=[],
        metavar="[NAME:]PATH=VALUE", help="override a value of the workload, as iterations=3",
    )  # fmt: skip
    made.add_argument(
        "--run", type=Path, metavar="RUN",
        help="hold the checks against this run, and make none (who reaches whom is still tried)",
    )  # fmt: skip
    where(made, TIMES)
    memory(made)
    root(made)
    controller(made)
    patience(made, "progress")
    printed(made, "junit")


def check(words: argparse.Namespace) -> int:
    """Carry out what is to be checked, and say what holds; 1 where something does not."""
    import longhaul as lh
    from longhaul.shown import progress

    if words.run and len(words.files) > 1:
        raise WrongInput("--run is held against the checks of one file")
    run = lh.Run(words.run) if words.run else None
    wanted = [asked(words, file) for file in words.files]
    found = []
    for topology, workloads, options in wanted:
        with progress.shown(quiet=words.quiet) as hear:
            options["hear"] = hear
            found.append(lh.check(topology, workloads, run=run, **options))
    if words.format == "junit":
        put(words, _junit(found))
    else:
        tell(words, lambda: [checked_json(one) for one in found], lambda out: _draw(found, out))
    return 0 if all(one.holds for one in found) else 1


def asked(
    words: argparse.Namespace, file: Path
) -> tuple[lh.Topology, list[lh.Workload], RunOptions]:
    """The run that a file asks for: of a topology, or of a workload on `--on`. Raises WrongInput."""
    import longhaul as lh
    from scenario.loading import language

    place, named = file, [(one.path, one.on) for one in words.workloads]
    if language(file) == "workload":
        if words.on is None:
            raise WrongInput(f"{file} is a workload: say with --on TOPOLOGY where it runs")
        place, named = words.on, [(file, ())]
    topology = lh.Topology(place.stem, place, overrides=tuple(words.overrides))
    options: RunOptions = {
        "seed": words.seed,
        "time": words.time,
        "machine": words.machine,
        "root": words.root,
        "cpu": words.cpu,
        "patience_s": words.patience,
        "settings": words.workload_overrides,
        "controller": words.controller,
        "rest": words.rest,
        "memory_bytes": words.memory_bytes,
    }
    return topology, [lh.Workload(path.stem, path, on=on) for path, on in named], options


def _draw(found: Sequence[lh.Checked], out: Console) -> None:
    from analysis.terminal.checks import print_rulings

    for one in found:
        title = f"{one.file} ({one.run})" if one.run else str(one.file)
        print_rulings(title, one.rulings, out)


def checked_json(found: lh.Checked) -> dict[str, Any]:
    """The rulings of one file, as plain data."""
    return {
        "file": str(found.file),
        "run": str(found.run) if found.run else None,
        "holds": found.holds,
        "checks": [
            {
                "name": one.claim.name,
                "check": one.claim.kind,
                "file": one.claim.file,
                "line": one.claim.line,
                "column": one.claim.column,
                "holds": one.ok,
                "asked": one.asked,
                "found": one.found,
                "value": one.value,
            }
            for one in found.rulings
        ],
    }


def _junit(found: Sequence[lh.Checked]) -> str:
    from analysis.export.junit import JunitCase, junit

    suites = [
        (
            str(one.file),
            [
                JunitCase(
                    each.claim.name,
                    each.ok,
                    f"{each.asked}: found {each.found}",
                    each.claim.file,
                    each.claim.line,
                )
                for each in one.rulings
            ],
        )
        for one in found
    ]
    return junit(suites)

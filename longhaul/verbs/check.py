"""`longhaul check`: do the checks of topologies and workloads hold?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
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
)
from longhaul.verbs.printing import printed, put, tell
from longhaul.verbs.run import workload
from scenario.errors import WrongInput

if TYPE_CHECKING:
    from rich.console import Console

    from longhaul.runs.life import Request
    from longhaul.trials.checking import Checked


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
    from longhaul.shown import progress
    from longhaul.trials.checking import check as check_it

    if words.run and len(words.files) > 1:
        raise WrongInput("--run is held against the checks of one file")
    requests = [requested(words, file) for file in words.files]
    found = []
    for request in requests:
        with progress.shown(quiet=words.quiet) as hear:
            found.append(check_it(request, hear, words.run))
    if words.format == "junit":
        put(words, _junit(found))
    else:
        tell(words, lambda: [checked_json(one) for one in found], lambda out: _draw(found, out))
    return 0 if all(one.holds for one in found) else 1


def requested(words: argparse.Namespace, file: Path) -> Request:
    """The run that a file asks for: of a topology, or of a workload on `--on`. Raises WrongInput."""
    from longhaul.runs.life import Request
    from longhaul.runs.workloads import Chosen
    from scenario.loading import language

    request = Request(
        topology=file,
        workloads=tuple(words.workloads),
        overrides=tuple(words.overrides),
        seed=words.seed,
        time=words.time,
        machine=words.machine,
        out=None,
        cpu=words.cpu,
        patience_s=words.patience,
        command=(),
        workload_overrides=tuple(words.workload_overrides),
        controller=words.controller,
        rest=words.rest,
        memory_bytes=words.memory_bytes,
        root=words.root,
    )
    if language(file) == "workload":
        if words.on is None:
            raise WrongInput(f"{file} is a workload: say with --on TOPOLOGY where it runs")
        request = replace(request, topology=words.on, workloads=(Chosen(file),))
    return replace(request, command=_command(request))


def _command(request: Request) -> tuple[str, ...]:
    """The command line that makes the same run, for its manifest."""
    from longhaul.api.running import arguments

    return ("longhaul", "run", *arguments(request))


def _draw(found: Sequence[Checked], out: Console) -> None:
    from analysis.terminal.checks import print_rulings

    for one in found:
        title = f"{one.file} ({one.run})" if one.run else str(one.file)
        print_rulings(title, one.rulings, out)


def checked_json(found: Checked) -> dict[str, Any]:
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


def _junit(found: Sequence[Checked]) -> str:
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

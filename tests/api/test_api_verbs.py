"""The command line is built on the API: its verbs read words, call it, and print."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

import pytest

import longhaul as lh
from longhaul.api.options import RunOptions, arguments, request
from longhaul.cli import parser
from longhaul.verbs import check, run

ROOT = Path(__file__).parents[2]
VERBS = ("run", "bench", "check", "show", "plan", "compare", "attribute", "study", "graph")
BENEATH = (
    "longhaul.runs.life",
    "longhaul.runs.benchmark",
    "longhaul.trials",
    "longhaul.planning",
    "longhaul.studies.carrying",
    "analysis.series.compare",
    "analysis.form.study",
)
"""What carries things out; the API is above it."""


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_calls_the_api_and_nothing_beneath_it_that_carries_anything_out(verb: str) -> None:
    tree = ast.parse((ROOT / "longhaul" / "verbs" / f"{verb}.py").read_text())
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules & {"longhaul", "longhaul.api.inputs"}
    assert not [one for one in modules if one.startswith(BENEATH)]


EVERYTHING = (
    "topologies/two-hosts.yaml --seed 7 --set links.c1-c2.age=3y --workload traffic/workloads/training.yaml@c1,c2 "
    "--set-workload iterations=2 --without aging --probe c1-c2 --probe-interval 20ms --capture c1-* "
    "--capture-bytes 200 --time real --machine uml --root own --memory 3GB --patience 9 --rest"
)


def words(text: str) -> argparse.Namespace:
    parsed = parser().parse_args(["run", *text.split()])
    parsed.command = ["longhaul", "run", *text.split()]
    return parsed


def test_the_command_of_a_run_of_python_asks_for_the_same_run() -> None:
    """All that can be said on the command line goes into a request and comes out of it as a command."""
    topology, workloads, options = run.asked(words(EVERYTHING))
    said: RunOptions = options.copy()
    del said["command"]
    asked = request(topology, workloads, **said)
    assert asked.command[:2] == ("longhaul", "run")
    again = words(" ".join(arguments(asked)))
    assert vars(again) == vars(words(EVERYTHING)) | {"command": again.command}


def test_a_command_line_without_options_and_a_call_without_any_ask_for_the_same() -> None:
    topology, workloads, options = run.asked(words("topologies/two-hosts.yaml"))
    typed = request(topology, workloads, **options)
    called = request(lh.Topology.load(ROOT / "topologies/two-hosts.yaml"))
    assert vars(typed) | {"command": (), "topology": ""} == vars(called) | {
        "command": (),
        "topology": "",
    }


def test_a_workload_is_checked_on_the_topology_that_is_named() -> None:
    text = (
        "traffic/workloads/training.yaml --on topologies/two-hosts.yaml --set-workload iterations=2"
    )
    parsed = parser().parse_args(["check", *text.split()])
    topology, workloads, options = check.asked(parsed, parsed.files[0])
    assert request(topology, workloads, **options).command == (
        "longhaul", "run", "topologies/two-hosts.yaml", "--seed", "1", "--workload",
        "traffic/workloads/training.yaml", "--set-workload=iterations=2",
    )  # fmt: skip


def test_an_operation_that_is_none_is_told_from_python_too() -> None:
    top = lh.Topology.load(ROOT / "topologies/two-hosts.yaml")
    with pytest.raises(lh.WrongInput, match="no operation"):
        lh.bench(top, "all_reuse")
    with pytest.raises(lh.WrongInput):
        lh.bench(top, algorithms=["rung"])

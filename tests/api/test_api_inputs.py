"""Topologies and workloads as Python values: loaded, built, changed, written; nothing here starts a fabric."""

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import longhaul as lh
from scenario.loading import load_topology
from scenario.types.topology import Topology, Training

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "topologies").glob("*.yaml"))
TWO_HOSTS = ROOT / "topologies" / "two-hosts.yaml"
WORK = ROOT / "traffic" / "workloads" / "training.yaml"
HOST = {"count": 1, "accelerator": "H100"}


def same(one: Topology, other: Topology) -> bool:
    """Whether two files come to the same testbed."""
    return _without_places(one) == _without_places(other)


def _without_places(topology: Topology) -> Topology:
    """Without the files and lines that things stand in."""
    workloads = tuple(replace(found, source="", files=()) for found in topology.workloads)
    checks = tuple(replace(found, file="", line=0, column=0) for found in topology.checks)
    return replace(topology, source="", files=(), workloads=workloads, checks=checks)


def test_the_import_loads_nothing_but_itself() -> None:
    script = (
        "import sys; before = set(sys.modules); import longhaul; print(set(sys.modules) - before)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = ast.literal_eval(told.stdout)
    ours = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names}
    assert ours == {"longhaul"}


def test_every_name_of_the_api_is_there_and_explains_itself() -> None:
    for name in lh._HOME:
        assert getattr(lh, name).__doc__, name
    assert set(lh._HOME) <= set(dir(lh))


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match=r"no 'runn'; there are .* run"):
        _ = lh.runn


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.stem))
def test_a_shipped_topology_written_as_yaml_is_the_same_without_its_includes(
    path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "again.yaml"
    file.write_text(lh.Topology.load(path).to_yaml())
    assert "include" not in file.read_text()
    assert same(load_topology(file), load_topology(path))


def test_changes_are_in_what_is_written(tmp_path: Path) -> None:
    changed = lh.Topology.load(TWO_HOSTS).set("links.c1-c2.age", "12y").set("scale.bytes", 500)
    file = tmp_path / "again.yaml"
    file.write_text(changed.to_yaml())
    assert same(load_topology(file), changed.elaborated)
    assert changed.elaborated.scale_bytes == 500


def test_a_change_leaves_the_original_as_it_was() -> None:
    top = lh.Topology.load(TWO_HOSTS)
    top.set("scale.bytes", 7)
    assert top.elaborated.scale_bytes == 1000


def test_a_topology_of_python_is_that_of_the_file() -> None:
    built = lh.topology(
        "two-hosts",
        description="Two hosts, ten miles apart",
        scale={"bytes": 1000},
        campuses={"c1": {"hosts": [HOST]}, "c2": {"hosts": [HOST]}},
        links={"c1-c2": {"between": ["c1", "c2"], "distance": "10mi", "rate": "400Gbit/s"}},
    )
    assert same(built.elaborated, replace(load_topology(TWO_HOSTS), checks=()))


def test_a_workload_of_python_takes_the_keys_of_the_language() -> None:
    made = lh.workload(
        "quick",
        "training",
        model={"parameters": "1B"},
        batch={"tokens": "1Mi"},
        iterations=3,
        runs_on=["c1", "c2"],
    ).elaborated
    assert isinstance(made, Training)
    assert (made.iterations, made.on) == (3, ("c1", "c2"))


WRONG: dict[str, tuple[Callable[[], object], str, str]] = {
    "an unknown path": (
        lambda: lh.Topology.load(TWO_HOSTS).set("colour", "red"), "--set", "colour",
    ),
    "a value out of bounds": (
        lambda: lh.Topology.load(TWO_HOSTS).set("links.c1-c2.distance", "-1mi"),
        "--set", "links.c1-c2.distance",
    ),
    "a workload's value": (
        lambda: lh.Workload.load(WORK).set("iterations", "many"), "--set", "iterations",
    ),
    "a key of Python": (lambda: lh.topology("t", campuses={"c1": {"hosts": [HOST]}}, color=1), "t", "color"),
    "a missing file": (lambda: lh.Topology.load("no-such.yaml"), "no-such.yaml", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_raised_at_once_with_its_place(case: str) -> None:
    make, file, path = WRONG[case]
    with pytest.raises(lh.InvalidInput) as raised:
        make()
    assert (raised.value.diagnostics[0].file, raised.value.diagnostics[0].path) == (file, path)


def test_several_values_at_once_may_need_each_other() -> None:
    top = lh.Topology.load(TWO_HOSTS)
    link = {"between": ["c2", "c3"], "distance": "5mi", "rate": "400Gbit/s"}
    three = top.set({"campuses.c3": {"hosts": [HOST]}, "links.c2-c3": link})
    assert [campus.name for campus in three.elaborated.campuses] == ["c1", "c2", "c3"]
    with pytest.raises(lh.InvalidInput):
        top.set("links.c2-c3", link)


def test_what_python_built_is_kept_for_the_command_that_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = lh.topology("mine", campuses={"c1": {"hosts": [HOST]}})
    assert same(load_topology(made.file()), made.elaborated)
    assert made.file() == made.file()


def test_two_runs_are_needed_to_compare() -> None:
    with pytest.raises(lh.WrongInput, match="two runs or more"):
        lh.compare(lh.Run(Path("runs/x")))


def test_a_folder_without_a_run_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(lh.RunError, match=re.escape(str(tmp_path))):
        lh.Run.load(tmp_path)


def test_no_name_of_the_api_is_a_module_that_would_take_its_place() -> None:
    for name in lh._HOME:
        found = importlib.util.find_spec(f"longhaul.{name}")
        assert found is None or found.origin is None, found

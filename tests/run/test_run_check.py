"""`longhaul check` on a real fabric: what holds, what does not, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.run.conftest import HERE, Done, longhaul

WRONG = {"too-fast", "through-the-cut", "no-service"}


@pytest.fixture(scope="module")
def checked(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("checked")
    return longhaul("check", HERE / "checked.yaml", "--format", "json", cwd=folder, folder=folder)


def test_each_check_says_what_was_found(checked: Done) -> None:
    assert checked.status == 1, checked.complaint
    (found,) = json.loads(checked.out)
    assert found["holds"] is False
    rulings = {one["name"]: one for one in found["checks"]}
    assert {name for name, one in rulings.items() if one["holds"] is not True} == WRONG
    assert rulings["no-service"]["holds"] is None
    assert rulings["rtt-2"]["value"] == pytest.approx(170e-6, rel=0.1)
    assert rulings["too-fast"]["line"] == 19


def test_the_same_run_holds_against_the_checks_again(checked: Done) -> None:
    (found,) = json.loads(checked.out)
    file, changed = checked.folder / "less.yaml", checked.folder / "less.xml"
    text = (HERE / "checked.yaml").read_text()
    lines = [line for line in text.splitlines() if not any(name in line for name in WRONG)]
    file.write_text(
        "\n".join(line for line in lines if "reach" not in line and "from:" not in line)
    )
    words = ("check", file, "--run", found["run"], "--format", "junit", "-o", changed)
    again = longhaul(*words, cwd=checked.folder)
    assert (again.status, again.out) == (0, ""), again.complaint
    root = ElementTree.parse(changed).getroot()
    assert root.attrib == {"tests": "7", "failures": "0", "errors": "0"}


def test_a_workload_asks_where_it_is_to_run(checked: Done) -> None:
    workload = checked.folder / "work.yaml"
    workload.write_text(
        "longhaul: 1\nname: w\nkind: training\nmodel: {parameters: 1e6}\nbatch: {tokens: 64}\n"
        "iterations: 1\nchecks:\n  - {check: drops, link: c1-c9, at-most: 0}\n"
    )
    done = longhaul("check", workload, cwd=checked.folder)
    assert (done.status, "--on TOPOLOGY" in done.complaint) == (2, True)
    done = longhaul("check", workload, "--on", HERE / "checked.yaml", cwd=checked.folder)
    assert done.status == 2
    assert "work.yaml:8:5: error: there is nothing of that name" in done.complaint


def test_files_without_checks_are_told_so(tmp_path: Path) -> None:
    done = longhaul("check", HERE / "links.yaml", cwd=tmp_path)
    assert done.status == 2
    assert "any `checks`" in done.complaint

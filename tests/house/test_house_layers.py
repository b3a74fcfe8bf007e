"""The layers: which package may import which, no circle anywhere, one importer of each outside tool.

The rules are data, `tool.importlinter` in pyproject.toml. Here they are held, and the one that import-linter has no
words for: what runs inside a host imports the standard library alone, since hundreds of it start per run.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
INSIDE_A_HOST = "traffic.host"
SHARED = {"traffic", "traffic.schedule"}
"""What that may know of ours: a collective as data, which imports nothing of ours itself."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*RULES["root_packages"], include_external_packages=True)


def test_the_layers_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    told = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout


def test_no_rule_has_exceptions() -> None:
    assert not [rule for rule in RULES["contracts"] if "ignore_imports" in rule]


def test_every_package_of_ours_is_held() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert packages == set(RULES["root_packages"])


def test_what_runs_inside_a_host_imports_the_standard_library_alone(
    graph: grimp.ImportGraph,
) -> None:
    inside = {INSIDE_A_HOST, *graph.find_descendants(INSIDE_A_HOST), *SHARED}
    imported = {
        (module, other)
        for module in inside
        for other in graph.find_modules_directly_imported_by(module) - inside
        if other.partition(".")[0] not in sys.stdlib_module_names
    }
    assert not imported

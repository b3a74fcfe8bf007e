"""The set-up as this machine has been through it: complete, pinned, and quick the second time."""

import importlib.metadata
import resource
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "setup.sh"
SCRIPTS = ["setup.sh", "vagrant/welcome"]
SCRIPTS += [f".ci/{name}" for name in ("run", "bare-machine", "same-digest", "vm")]
SCRIPTS += [f"vagrant/{name}" for name in ("system", "project", "image", "guest", "seal", "box")]


def set_up(*steps: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SETUP, *steps], capture_output=True, text=True, check=False)


def pins() -> dict[str, str]:
    """Name and version of all that requirements.lock has for this Python on this system."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    here = [pin for pin in pinned if not pin.marker or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


def test_what_is_installed_is_what_is_pinned() -> None:
    installed = {name: importlib.metadata.version(name) for name in pins()}
    assert installed == pins()


def test_all_that_the_project_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    unmet = [ask for ask in map(Requirement, asked) if not meets(ask)]
    assert unmet == []


def meets(ask: Requirement) -> bool:
    version = pins().get(canonicalize_name(ask.name))
    return version is not None and ask.specifier.contains(version)


def test_mininet_finds_the_distutils_that_new_pythons_lack() -> None:
    program = "import mininet.net, distutils.version; print(distutils.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    if sys.version_info >= (3, 12):
        assert "setuptools" in found.stdout


def test_nothing_is_missing_after_set_up() -> None:
    assert set_up("check").stdout == ""


def test_set_up_a_second_time_does_nothing_and_takes_no_time() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    again = set_up("all", "system")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_an_unknown_step_is_refused_with_those_there_are() -> None:
    refused = set_up("systems")
    assert refused.returncode == 1
    steps = "all, build, system, python, kernel, root, tests, torch, hta, tools, jupyter, packages or check"
    assert refused.stderr == f"setup: unknown step 'systems': {steps}\n"


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck: ./setup.sh tests")
@pytest.mark.parametrize("script", SCRIPTS)
def test_shell_scripts_pass_shellcheck(script: str) -> None:
    subprocess.run(["shellcheck", ROOT / script], check=True)

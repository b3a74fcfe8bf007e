"""What a command line loads before it does anything: help, version and completion are there at once, and Ctrl-C at
any moment of the start is quiet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    "pydantic",
    "pydantic_core",
    "polars",
    "numpy",
    "rich",
    "yaml",
    "jinja2",
    "msgspec",
    "scapy",
}
TWO_HOSTS = "topologies/two-hosts.yaml"


def loaded(*words: str, **environment: str) -> set[str]:
    """The packages that a command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "longhaul", *words],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    timed = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in timed}


@pytest.mark.parametrize("words", [(), ("--help",), ("--version",), ("run", "--help")])
def test_help_and_version_load_none_of_the_large_packages(words: tuple[str, ...]) -> None:
    assert not loaded(*words) & HEAVY


def test_a_verb_does_load_them_so_the_test_above_can_fail() -> None:
    assert {"pydantic", "rich"} <= loaded("plan", TWO_HOSTS)


def test_what_prints_a_plan_loads_no_tables() -> None:
    assert not loaded("plan", TWO_HOSTS) & {"polars", "pyarrow", "duckdb"}


def test_what_only_a_guest_needs_is_not_loaded_outside() -> None:
    script = "import sys, longhaul.trials.checking; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "longhaul.runs.life" in done.stdout.split()
    assert not {"mininet", "pyroute2", "os_ken", "setuptools"} & set(done.stdout.split())


def test_what_only_a_run_needs_is_not_loaded_to_validate() -> None:
    assert not {"polars", "jinja2"} & loaded("validate", TWO_HOSTS)


def completed(line: str, tmp_path: Path) -> tuple[list[str], set[str]]:
    """What a shell is offered at the end of a line, and what was loaded for it."""
    answer = tmp_path / "answer"
    packages = loaded(
        _ARGCOMPLETE="1",
        _ARGCOMPLETE_IFS="\n",
        _ARGCOMPLETE_STDOUT_FILENAME=str(answer),
        COMP_LINE=line,
        COMP_POINT=str(len(line)),
    )
    return [word.strip() for word in answer.read_text().splitlines()], packages


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("longhaul pl", "plan"),
        ("longhaul run topologies/two-h", "topologies/two-hosts.yaml"),
        ("longhaul run --mach", "--machine"),
        ("longhaul run --machine nat", "native"),
    ],
)
def test_a_shell_completes_verbs_files_options_and_choices(
    line: str, offered: str, tmp_path: Path
) -> None:
    words, packages = completed(line, tmp_path)
    assert words == [offered]
    assert not packages & HEAVY


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_what_a_shell_evaluates(shell: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "longhaul", "completion", shell],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "longhaul" in told.stdout
    assert "_ARGCOMPLETE" in told.stdout


CAUGHT = """
import os, signal, sys
sys.argv = ["longhaul", "plan", {topology!r}]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins without
class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from longhaul.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "module", ["longhaul.cli", "longhaul.verbs.plan", "pydantic_core", "rich.table"]
)
def test_an_interrupt_while_a_module_is_imported_is_quiet(module: str) -> None:
    script = CAUGHT.format(topology=TWO_HOSTS, module=module)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_an_interrupt_before_python_is_ready_waits_until_it_is_and_is_quiet() -> None:
    """As setup.sh has the command start: with the signal blocked."""
    begun = subprocess.Popen(
        [sys.executable, "-m", "longhaul", "plan", TWO_HOSTS],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}),  # noqa: PLW1509
    )  # fmt: skip
    begun.send_signal(signal.SIGINT)
    assert begun.communicate() == (b"", b"")
    assert begun.returncode == 130

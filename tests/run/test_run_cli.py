"""The command line: every verb explains itself; what is wrong is said plainly, with a status that tells
wrong input (2) from what could not be done (1). Nothing here starts a fabric."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from longhaul.cli import VERBS, main
from longhaul.machine import native

ROOT = Path(__file__).parents[2]
TWO_HOSTS = ROOT / "topologies" / "two-hosts.yaml"


@dataclass(frozen=True)
class Done:
    """How a command line ended."""

    returncode: int
    stdout: str
    stderr: str


def shell(*words: str | Path) -> Done:
    """Carry out a command line as a shell would."""
    done = subprocess.run(
        [sys.executable, "-m", "longhaul", *map(str, words)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def longhaul(*words: str | Path) -> Done:
    """Carry out a command line in this process, which is quicker; an error of ours comes through."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as complaint:
        try:
            status = main([str(word) for word in words])
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
    return Done(status, out.getvalue(), complaint.getvalue())


def refused(status: int, *words: str | Path, by: Callable[..., Done] = longhaul) -> str:
    """What is said of a command line that must fail with this status, and without a traceback."""
    done = by(*words)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    return done.stderr


# --- help ----------------------------------------------------------------------------------------


def test_help_names_every_verb_with_an_example() -> None:
    told = shell("--help")
    assert told.returncode == 0
    said = " ".join(told.stdout.split())
    for verb in VERBS:
        assert f"e.g. longhaul {verb}" in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    told = longhaul(verb, "--help")
    assert told.returncode == 0
    assert f"example: longhaul {verb}" in told.stdout


def test_without_a_verb_there_is_help() -> None:
    assert longhaul() == longhaul("--help")


def test_an_unknown_verb_is_refused_with_the_usage() -> None:
    assert "usage: longhaul" in refused(2, "fly")


# --- bad input -----------------------------------------------------------------------------------

HOST = "{hosts: [{count: 1, accelerator: H100}]}"
BAD = {
    "bad YAML": ("campuses: {c1: [", r"bad\.yaml:3:\d+: error: "),
    "unknown key": (f"campuses:\n  c1: {HOST}\ncolour: red", r"bad\.yaml:5:1: error: .*key"),
    "negative distance": (
        f"campuses:\n  c1: {HOST}\n  c2: {HOST}\n"
        "links:\n  c1-c2: {between: [c1, c2], distance: -10mi, rate: 400G}",
        r"bad\.yaml:7:40: error: a distance out of bounds",
    ),
    "unknown GPU": (
        "campuses:\n  c1: {hosts: [{count: 1, accelerator: H1000}]}",
        r"bad\.yaml:4:40: error: unknown accelerator(.|\n)*did you mean H100\?",
    ),
    "unreachable campus": (
        f"campuses:\n  c1: {HOST}\n  c2: {HOST}",
        r"bad\.yaml:5:3: error: no long-haul link leads to this campus(.|\n)*hint",
    ),
    "not text": ("\x00", r"bad\.yaml:\d+:\d+: error: "),
}


@pytest.fixture
def bad(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(f"longhaul: 1\nname: bad\n{BAD[request.param][0]}\n")
    return file


@pytest.mark.parametrize(("bad", "what"), [(name, name) for name in BAD], indirect=["bad"])
def test_bad_input_is_refused_with_its_place(bad: Path, what: str) -> None:
    told = refused(2, "run", bad, "--out", bad.with_name("out"), by=shell)
    assert re.search(BAD[what][1], told), told
    assert os.listdir(bad.parent) == ["bad.yaml"]  # noqa: PTH208 (all that is there)


@pytest.mark.parametrize("bad", ["unknown GPU"], indirect=True)
@pytest.mark.parametrize("verb", ["plan", "validate", "up", "run"])
def test_every_verb_refuses_bad_input(bad: Path, verb: str) -> None:
    assert "bad.yaml:4:40: error: unknown accelerator" in refused(2, verb, bad)


@pytest.mark.parametrize("bad", ["unknown GPU"], indirect=True)
def test_exec_refuses_bad_input(bad: Path) -> None:
    assert "bad.yaml:4:40" in refused(2, "exec", bad, "--", "true")


@pytest.mark.parametrize("bad", ["unknown GPU"], indirect=True)
def test_bad_input_is_refused_in_json_for_programs(bad: Path) -> None:
    for verb in ("validate", "plan", "run"):
        done = longhaul(verb, bad, "--format", "json")
        assert (done.returncode, done.stderr) == (2, "")
        (problem,) = json.loads(done.stdout)["errors"]
        assert (problem["line"], problem["column"], problem["found"]) == (4, 40, "H1000")


@pytest.mark.parametrize("verb", ["run", "plan", "validate", "up"])
def test_a_missing_file_is_named(verb: str) -> None:
    assert re.search(r"no-such\.yaml", refused(2, verb, "no-such.yaml", by=shell))


def test_a_folder_is_no_topology(tmp_path: Path) -> None:
    assert str(tmp_path) in refused(2, "run", tmp_path)


def test_a_missing_workload_is_named(tmp_path: Path) -> None:
    told = refused(2, "run", TWO_HOSTS, "--workload", "no-such.yaml", "--out", tmp_path / "out")
    assert "no-such.yaml" in told
    assert not (tmp_path / "out").exists()


def test_a_bad_workload_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "work.yaml"
    file.write_text("longhaul: 1\nname: bad\nkind: training\nmodel: {parameters: -1}\n")
    assert re.search(r"work\.yaml:4:\d+: error: ", refused(2, "run", TWO_HOSTS, "--workload", file))


def test_a_topology_is_not_a_workload() -> None:
    assert "two-hosts.yaml" in refused(2, "run", TWO_HOSTS, "--workload", TWO_HOSTS)


@pytest.mark.parametrize(
    "override", ["links.c1-c9.age=20y", "links.c1-c2.distance=-1mi", "links", "=", "a..b=1"]
)
def test_an_override_that_cannot_be_is_refused(override: str) -> None:
    assert override.partition("=")[0] in refused(2, "plan", TWO_HOSTS, "--set", override)


# --- what cannot be done -------------------------------------------------------------------------


def test_a_run_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("dear")
    told = refused(2, "run", TWO_HOSTS, "--out", tmp_path / "out", by=shell)
    assert "is not empty: name another folder with --out" in told
    assert (tmp_path / "out" / "mine").read_text() == "dear"


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("dear")
    assert "out" in refused(2, "run", TWO_HOSTS, "--out", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "dear"


def test_a_run_folder_cannot_stand_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("dear")
    assert "file" in refused(2, "run", TWO_HOSTS, "--out", tmp_path / "file" / "out")


def test_a_native_machine_has_no_virtual_time(tmp_path: Path) -> None:
    words = ("run", TWO_HOSTS, "--machine", "native", "--out", tmp_path / "out")
    assert "no virtual time: add --time real" in refused(1, *words, by=shell)


@pytest.mark.skipif(
    native.obstacle() is None, reason="this kernel can carry a fabric: another kernel"
)
def test_a_native_machine_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    words = ("--machine", "native", "--time", "real")
    told = refused(1, "run", TWO_HOSTS, *words, "--out", tmp_path / "out")
    assert "--machine native cannot be had: " in told
    assert str(native.obstacle()) in told


@pytest.mark.parametrize("cpu", ["-1", "4095", "one"])
def test_a_cpu_that_is_not_ours_is_refused(cpu: str) -> None:
    assert "is none of this process's CPUs" in refused(2, "run", TWO_HOSTS, f"--cpu={cpu}")


@pytest.mark.parametrize("seed", ["x", "1.5", "-1", str(2**64)])
def test_a_seed_that_is_no_64_bit_number_is_refused(seed: str, tmp_path: Path) -> None:
    told = refused(2, "run", TWO_HOSTS, f"--seed={seed}", "--out", tmp_path / "out")
    assert seed in told


def test_a_setting_without_a_name_is_refused() -> None:
    assert "'=1' is not NAME=VALUE" in refused(2, "exec", TWO_HOSTS, "--env", "=1", "--", "true")


def test_hosts_that_no_pattern_matches_are_refused_with_those_there_are() -> None:
    told = refused(2, "exec", TWO_HOSTS, "--hosts", "c9-*", "--", "true")
    assert "no host is called 'c9-*'; there are c1-h100-1, c2-h100-1" in told


def test_show_refuses_what_is_not_a_finished_run(tmp_path: Path) -> None:
    assert "not the folder of a finished run" in refused(2, "show", tmp_path)


# --- what can ------------------------------------------------------------------------------------


def test_a_good_file_is_said_to_be_good_in_one_line() -> None:
    told = longhaul("validate", TWO_HOSTS)
    assert told.returncode == 0
    assert told.stdout == f"{TWO_HOSTS}: 2 campuses, 2 hosts, well-formed\n"


def test_workloads_and_several_files_are_checked_at_once(tmp_path: Path) -> None:
    workload = ROOT / "traffic" / "workloads" / "training.yaml"
    told = longhaul("validate", TWO_HOSTS, workload)
    assert told.stdout.splitlines()[1] == f"{workload}: workload training, well-formed"
    bad = tmp_path / "bad.yaml"
    bad.write_text("longhaul: 1\nname: bad\nkind: training\niterations: none\n")
    other = tmp_path / "other.yaml"
    other.write_text("longhaul: 1\nname: other\ncampuses: {}\n")
    complaint = refused(2, "validate", TWO_HOSTS, bad, other)
    assert "bad.yaml:4:13: error: not a whole number" in complaint
    assert "other.yaml:3:" in complaint


def test_a_plan_warns_where_few_packets_fill_a_link() -> None:
    told = " ".join(longhaul("plan", TWO_HOSTS).stdout.split())
    assert "warning: only 0.87 packets fill c1-c2 for a round trip" in told
    assert "--set scale.bytes=43" in told
    fine = longhaul("plan", TWO_HOSTS, "--set", "scale.bytes=43")
    assert "warning" not in fine.stdout


def test_a_plan_is_printed_for_people_and_for_programs() -> None:
    assert "10.1.1.1" in longhaul("plan", TWO_HOSTS).stdout
    printed = json.loads(longhaul("plan", TWO_HOSTS, "--format", "json").stdout)
    assert [host["ip"] for host in printed["hosts"]] == ["10.1.1.1", "10.2.1.1"]


def test_an_override_reaches_the_plan() -> None:
    told = longhaul("plan", TWO_HOSTS, "--set", "scale.bytes=7", "--format", "json")
    assert json.loads(told.stdout)["scale_bytes"] == 7


@pytest.mark.parametrize("kind", ["topology", "workload"])
def test_a_schema_is_printed_as_json(kind: str) -> None:
    assert "$schema" in json.loads(longhaul("schema", kind).stdout)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "longhaul", "plan", str(TWO_HOSTS), "--format", "json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as told:
        assert told.stdout
        assert told.stderr
        told.stdout.read(1)
        told.stdout.close()
        assert b"Traceback" not in told.stderr.read()


@pytest.mark.parametrize("patience", ["nan", "inf", "0", "-1", "soon"])
def test_a_patience_that_is_no_time_is_refused(patience: str, tmp_path: Path) -> None:
    told = refused(2, "run", TWO_HOSTS, f"--patience={patience}", "--out", tmp_path / "out")
    assert f"{patience!r} is not a number of seconds above 0" in told

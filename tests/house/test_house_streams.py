"""Wherever output goes (a full device, a closed descriptor, a reader that leaves, an encoding of few characters), a
verb ends with a line or with all of its output, and never with a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPOLOGY = "topologies/two-hosts.yaml"
PRINTING = (
    "--help",
    "run --help",
    f"plan {TOPOLOGY}",
    f"plan {TOPOLOGY} --format json",
    f"validate {TOPOLOGY}",
    f"inspect {TOPOLOGY}",
    "aging --distance 16km --age 0..25",
    "schedule tree -n 8",
    "schedule tree -n 8 --format svg",
    "schema topology",
    "lab list",
    "completion bash",
    "run --campuses 2 --yaml",
)
COMPLAINING = (
    "plan no-such-file.yaml",
    "plan no-such-file.yaml --format json",
    "plan --no-such-option",
)


def longhaul(
    words: str, redirected: str = "", **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    command = f"exec {sys.executable} -m longhaul {words} {redirected}"
    return subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; {command}"], cwd=ROOT, capture_output=True, check=False,
        env={**os.environ, "COLUMNS": "80", **environment},
    )  # fmt: skip


@pytest.mark.parametrize("words", PRINTING)
def test_a_full_device_is_told_of_in_one_line(words: str) -> None:
    done = longhaul(words, "> /dev/full")
    full = b"longhaul: standard output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, full)


@pytest.mark.parametrize("words", COMPLAINING)
def test_a_complaint_that_finds_no_room_changes_no_status(words: str) -> None:
    done = longhaul(words, "> /dev/full 2> /dev/full")
    assert done.returncode == (1 if "json" in words else 2)
    assert b"Traceback" not in longhaul(words, "> /dev/full").stderr


@pytest.mark.parametrize("words", PRINTING[:4])
def test_closed_output_is_no_error(words: str) -> None:
    done = longhaul(words, ">&-")
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [f"plan {TOPOLOGY} --format json", "schema topology", "plan topologies/colossus.yaml"]
)
def test_a_reader_that_leaves_ends_it_quietly(words: str) -> None:
    done = longhaul(words, "| true")
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("words", PRINTING)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_any_encoding_has_the_characters_that_it_needs(words: str, encoding: str) -> None:
    done = longhaul(words, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding)


def test_json_means_the_same_in_every_encoding(tmp_path: Path) -> None:
    file = tmp_path / "unicode.yaml"
    said = (ROOT / TOPOLOGY).read_text().replace("ten miles apart", "10 mi ≈ 16 km → «weit» 😀")
    file.write_text(said, encoding="utf-8")
    plans = [
        json.loads(longhaul(f"plan {file} --format json", PYTHONIOENCODING=one).stdout.decode(one))
        for one in ("utf-8", "ascii", "latin-1")
    ]
    assert plans[0]["description"].endswith("10 mi ≈ 16 km → «weit» 😀")
    assert plans[1] == plans[2] == plans[0]


def test_a_locale_without_utf_8_reads_and_writes_the_same_files(tmp_path: Path) -> None:
    file = tmp_path / "unicode.yaml"
    file.write_text(
        (ROOT / TOPOLOGY).read_text().replace("apart", "weit → auseinander"), encoding="utf-8"
    )
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for words in (f"plan {file}", f"graph {file} -o {tmp_path / 'map.html'}"):
        done = longhaul(words, **plain)
        assert (done.returncode, done.stderr) == (0, b"")
    assert "weit → auseinander" in (tmp_path / "map.html").read_text(encoding="utf-8")
